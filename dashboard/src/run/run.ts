/** One run, kept up while it goes on. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { get, pathOf } from "../wire/http.ts";
import { useNews } from "../wire/live.ts";
import type { RunDetail } from "./wire.ts";

export const useRun = (runId: string) =>
  useQuery({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => get<RunDetail>(pathOf("runs", runId), signal),
  });

/** News of a busy run is gathered for so long before the screen asks again. */
const gatherMs = 120;

/**
 * A number that grows when the run has gone on: whatever shows it asks again then. A run that stands is not followed
 * until the list of runs says that it goes on.
 */
export function useRunNews(runId: string, detail: RunDetail | undefined): number {
  const [news, setNews] = useState(0);
  const [isDue, setDue] = useState(false);
  const [from, setFrom] = useState<number>();
  const client = useQueryClient();
  const isRunning = detail?.run.status === "running";
  const next = detail?.next;
  useEffect(() => {
    if (isRunning) setFrom((known) => known ?? next);
  }, [isRunning, next]);
  useEffect(() => {
    if (next !== undefined) setNews((before) => Math.max(before, next));
  }, [next]);

  const bring = useEffectEvent(() => {
    setDue(false);
    client.invalidateQueries({ queryKey: ["run", runId] }, { cancelRefetch: false });
  });
  useEffect(() => {
    if (!isDue) return;
    const timer = setTimeout(bring, gatherMs);
    return () => clearTimeout(timer);
  }, [isDue]);
  useNews(from === undefined ? undefined : `${pathOf("runs", runId)}/events?from=${from}`, {
    hear: () => setDue(true),
    onEnd: () => {
      setFrom(undefined);
      setDue(true);
    },
    onGap: () => setDue(true),
  });
  return news;
}
