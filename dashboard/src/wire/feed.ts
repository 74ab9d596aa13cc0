/** Runs as they change, whichever process advances them: one line for all pages. */
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { InboxItem } from "../../../src/lens/inbox.ts";
import type { RunLine } from "../../../src/lens/list.ts";
import { type Filter, type RunsPage, withNews } from "../runs/runs.ts";
import { useNews } from "./live.ts";

/** The inbox costs the server a look at every run that waits: it is asked again so often at most. */
const inboxMs = 1_000;

export function useFeed(): void {
  const client = useQueryClient();
  const due = useRef(false);
  const lookIntoInbox = (): void => {
    if (due.current) return;
    due.current = true;
    setTimeout(() => {
      due.current = false;
      client.invalidateQueries({ queryKey: ["inbox"] });
    }, inboxMs);
  };
  useNews("/events", {
    hear(data) {
      const line = data as RunLine; // what the API's schema says of these events
      for (const [key, known] of client.getQueriesData<InfiniteData<RunsPage, string>>({
        queryKey: ["runs"],
      }))
        if (known !== undefined) client.setQueryData(key, withNews(known, line, key[1] as Filter)); // the key of useRuns
      client.invalidateQueries({ queryKey: ["run", line.runId] }, { cancelRefetch: false });
      const asked = client.getQueryData<{ readonly items: readonly InboxItem[] }>(["inbox"])?.items ?? [];
      if (line.status === "waiting" || asked.some(({ runId }) => runId === line.runId)) lookIntoInbox();
    },
    onGap: () => {
      client.invalidateQueries();
    },
  });
}
