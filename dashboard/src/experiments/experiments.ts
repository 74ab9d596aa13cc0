/** Experiments, fetched as they are looked at; again while they are under way. */
import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import type { ComparisonView, ExperimentPage, ExperimentView } from "../../../src/evals/views/view.ts";
import { get, pathOf, queryOf } from "../wire/http.ts";

/** Which experiments are looked at. */
export interface Filter {
  readonly dataset?: string | undefined;
  readonly pipeline?: string | undefined;
}

/** How often an experiment under way is asked for anew. */
const underWayMs = 2_000;
const whileUnderWay = (isUnderWay: boolean): number | false => (isUnderWay ? underWayMs : false);

export const useExperiments = (filter: Filter) =>
  useInfiniteQuery({
    queryKey: ["experiments", filter],
    queryFn: ({ pageParam: cursor, signal }) =>
      get<ExperimentPage>(`/experiments${queryOf({ ...filter, cursor })}`, signal),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      whileUnderWay(
        state.data?.pages.some(({ experiments }) => experiments.some(({ status }) => status === "running")) ??
          false,
      ),
  });

export const useExperiment = (name: string) =>
  useQuery({
    queryKey: ["experiment", name],
    queryFn: ({ signal }) => get<ExperimentView>(pathOf("experiments", name), signal),
    refetchInterval: ({ state }) => whileUnderWay(state.data?.status === "running"),
  });

export const useComparison = (name: string, base: string) =>
  useQuery({
    queryKey: ["comparison", name, base],
    queryFn: ({ signal }) =>
      get<ComparisonView>(`${pathOf("experiments", name)}/comparison${queryOf({ with: base })}`, signal),
  });

/** Rows of the API by their number. */
export interface Page<Row> {
  readonly cases: readonly Row[];
  readonly total: number;
}

const pageSize = 100;

/** How many rows there are. */
export function useTotal<Row>(path: string, fields: Fields, isUnderWay: boolean): UseTotal {
  const { data, error } = useQuery({
    ...pageQuery<Row>(path, fields, 0),
    refetchInterval: whileUnderWay(isUnderWay),
  });
  return { total: data?.total, error };
}
interface UseTotal {
  readonly total: number | undefined;
  readonly error: Error | null;
}

/** The rows from one number to another, as far as they have come. */
export function useRowsBetween<Row>(
  path: string,
  fields: Fields,
  first: number,
  last: number,
): (index: number) => Row | undefined {
  const from = Math.floor(first / pageSize);
  const pages = Array.from({ length: Math.floor(last / pageSize) - from + 1 }, (_, i) => from + i);
  const results = useQueries({ queries: pages.map((page) => pageQuery<Row>(path, fields, page)) });
  return (index) => results[Math.floor(index / pageSize) - from]?.data?.cases[index % pageSize];
}

type Fields = Parameters<typeof queryOf>[0];

const pageQuery = <Row>(path: string, fields: Fields, page: number) => ({
  queryKey: ["cases", path, fields, page],
  queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
    get<Page<Row>>(`${path}${queryOf({ ...fields, from: page * pageSize, limit: pageSize })}`, signal),
});
