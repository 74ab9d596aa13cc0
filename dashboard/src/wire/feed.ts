/** Runs as they change, whichever process advances them: one line for all pages. */
import { type InfiniteData, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { InboxItem } from "../../../src/lens/inbox.ts";
import type { RunLine } from "../../../src/lens/list.ts";
import { type Filter, type RunsPage, tell, withNews } from "../runs/runs.ts";
import { useNews } from "./live.ts";

/** The inbox costs the server a look at every run that waits: it is asked again so often at most. */
const inboxMs = 1_000;
/** What happened while the page was being loaded is told, too. */
const pastMs = 10_000;

export function useFeed(): void {
  const client = useQueryClient();
  /** An answer that is on its way already may be of before. */
  const askAgain = async (queryKey: QueryKey): Promise<void> => {
    const isUnderWay = client.isFetching({ queryKey }) > 0;
    await client.invalidateQueries({ queryKey }, { cancelRefetch: false });
    if (isUnderWay) await client.invalidateQueries({ queryKey }, { cancelRefetch: false });
  };
  const due = useRef(false);
  const lookIntoInbox = (): void => {
    if (due.current) return;
    due.current = true;
    setTimeout(() => {
      due.current = false;
      void askAgain(["inbox"]);
    }, inboxMs);
  };
  useNews(`/events?past=${pastMs}`, {
    pastMs,
    hear(data) {
      const line = data as RunLine; // what the API's schema says of these events
      tell(line);
      for (const [key, known] of client.getQueriesData<InfiniteData<RunsPage, string>>({
        queryKey: ["runs"],
      }))
        if (known !== undefined) client.setQueryData(key, withNews(known, line, key[1] as Filter)); // the key of useRuns
      void askAgain(["run", line.runId]);
      const asked = client.getQueryData<{ readonly items: readonly InboxItem[] }>(["inbox"])?.items;
      const isAsked = asked === undefined || asked.some(({ runId }) => runId === line.runId);
      if (line.status === "waiting" || isAsked) lookIntoInbox();
    },
    onGap: () => {
      client.invalidateQueries();
    },
  });
}
