/** Runs as they change, whichever process advances them: one line for all pages. */
import { type InfiniteData, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { Inbox } from "../../../src/lens/inbox.ts";
import type { RunLine } from "../../../src/lens/list.ts";
import { type Filter, type RunsPage, tell, withNews } from "../runs/runs.ts";
import { useNews } from "./live.ts";

/** The inbox costs the server a look at every run that waits: it is asked again so often at most. */
const inboxMs = 1_000;
/** The same for what runs ask that go on meanwhile: they are in the news for other reasons, too. */
const meanwhileMs = 5_000;
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
  const due = useRef(Number.POSITIVE_INFINITY);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const lookIntoInbox = (inMs: number): void => {
    const at = performance.now() + inMs;
    if (at >= due.current) return;
    due.current = at;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      due.current = Number.POSITIVE_INFINITY;
      void askAgain(["inbox"]);
    }, inMs);
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
      const asked = client.getQueryData<Inbox>(["inbox"])?.items;
      const isAsked = asked === undefined || asked.some(({ runId }) => runId === line.runId);
      if (line.status === "waiting" || isAsked) lookIntoInbox(inboxMs);
      else if (line.status === "running") lookIntoInbox(meanwhileMs);
    },
    onGap: () => {
      client.invalidateQueries();
    },
  });
}
