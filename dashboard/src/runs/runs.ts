/** The list of runs: a page at a time, and kept up by news. */
import { type InfiniteData, keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { RunLine } from "../../../src/lens/list.ts";
import { get, queryOf } from "../wire/http.ts";

/** What of all runs is looked at. */
export interface Filter {
  readonly status?: string | undefined;
  readonly pipeline?: string | undefined;
  /** How their ids begin. */
  readonly id?: string | undefined;
  /** `"shown"`: trials of experiments, too. */
  readonly trials?: string | undefined;
}

export interface RunsPage {
  readonly runs: readonly RunLine[];
  /** Where the next page begins; null after the last one. */
  readonly next: string | null;
}

const pageSize = 100;

/** The pages that are on their way, each with what has been heard since it was asked for. */
const underWay = new Set<RunLine[]>();

/** News of a run, for pages that are on their way: what the server looked at may be of before. */
export function tell(line: RunLine): void {
  for (const heard of underWay) heard.push(line);
}

export const useRuns = (filter: Filter) =>
  useInfiniteQuery({
    queryKey: ["runs", filter],
    queryFn: async ({ pageParam: cursor, signal }) => {
      const { status, pipeline, id: idPrefix } = filter;
      const trials = withTrials(filter) ? undefined : "false";
      const heard: RunLine[] = [];
      underWay.add(heard);
      try {
        const asked = { status, pipeline, idPrefix, trials, limit: pageSize, cursor };
        return withHeard(await get<RunsPage>(`/runs${queryOf(asked)}`, signal), heard, filter, cursor === "");
      } finally {
        underWay.delete(heard);
      }
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });

/** A list with what is new of one run: in its place, at the head when it is a new run, gone when it fits no more. */
export function withNews(
  known: InfiniteData<RunsPage, string>,
  line: RunLine,
  filter: Filter,
): InfiniteData<RunsPage, string> {
  const isListed = known.pages.some(({ runs }) => runs.some(({ runId }) => runId === line.runId));
  if (isListed) {
    const pages = known.pages.map((page) => ({
      ...page,
      runs: page.runs.flatMap((run) => changed(run, line, filter)),
    }));
    return { ...known, pages };
  }
  const [first, ...rest] = known.pages;
  const newest = first?.runs[0]?.createdAt;
  if (first === undefined || !fits(line, filter) || (newest !== undefined && line.createdAt < newest))
    return known;
  return { ...known, pages: [{ ...first, runs: [line, ...first.runs] }, ...rest] };
}

/** A page with what was heard while it was on its way, as far as that is newer. */
export function withHeard(
  page: RunsPage,
  heard: readonly RunLine[],
  filter: Filter,
  isFirst: boolean,
): RunsPage {
  return heard.reduce((known: RunsPage, line) => {
    const listed = known.runs.find(({ runId }) => runId === line.runId);
    if (listed === undefined ? !isFirst : line.updatedAt < listed.updatedAt) return known;
    return withNews({ pages: [known], pageParams: [""] }, line, filter).pages[0] ?? known;
  }, page);
}

const changed = (run: RunLine, line: RunLine, filter: Filter): readonly RunLine[] =>
  run.runId !== line.runId ? [run] : fits(line, filter) ? [line] : [];

const withTrials = ({ trials }: Filter): boolean => trials === "shown";

const fits = (line: RunLine, filter: Filter): boolean =>
  (line.trialOf === undefined || withTrials(filter)) && isLike(line, filter);

const isLike = (line: RunLine, { status, pipeline, id }: Filter): boolean =>
  (status === undefined || status === line.status) &&
  (pipeline === undefined || pipeline === line.pipeline) &&
  (id === undefined || line.runId.startsWith(id));
