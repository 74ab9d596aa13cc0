import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { StatsView } from "../../../src/client/types.ts";
import { get, queryOf } from "../wire/http.ts";

/** How far back figures go. */
export const spans = [
  { id: "day", name: "24 hours", ms: 86_400_000 },
  { id: "week", name: "7 days", ms: 7 * 86_400_000 },
  { id: "month", name: "30 days", ms: 30 * 86_400_000 },
  { id: "all", name: "all", ms: undefined },
] as const;

export type Span = (typeof spans)[number]["id"];

/** So many runs at most are read for them. */
export const newest = 5_000;

/** Reading many journals is work: figures are asked for when the page opens, not with every event. */
export const useStats = (span: Span, pipeline: string | undefined) =>
  useQuery({
    queryKey: ["stats", span, pipeline],
    queryFn: ({ signal }) => {
      const ms = spans.find(({ id }) => id === span)?.ms;
      const createdFrom = ms === undefined ? undefined : new Date(Date.now() - ms).toISOString();
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      return get<StatsView>(`/stats${queryOf({ pipeline, createdFrom, newest, timeZone })}`, signal);
    },
    placeholderData: keepPreviousData,
  });
