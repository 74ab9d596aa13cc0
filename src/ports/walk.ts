import type { RunFilter, RunStatus } from "./store.ts";
import { pipelinesIn } from "./store-rules.ts";

/**
 * The order of runs in which a filter leaves the fewest to look at, for a store that keeps several. Of `status` and
 * `pipeline` there is one walk for each value, newest first, and what they find is merged; `rest` is what each run that is met
 * has still to be asked. Not for what is due or abandoned.
 */
export type Walk =
  | { readonly by: "change" | "id" | "age"; readonly rest: RunFilter }
  | { readonly by: "status" | "pipeline"; readonly each: readonly string[]; readonly rest: RunFilter };

/** Of more values than this, all runs are looked at by age: the more are asked for, the fewer are passed over. */
const mostValues = 16;

/** Most runs of a store are completed: no order of their own is kept of those. */
export const usualStatus: RunStatus = "completed";

export function walkOf(filter: RunFilter): Walk {
  const { status, pipeline } = filter;
  if (filter.updatedFrom !== undefined) return { by: "change", rest: filter };
  if (filter.idPrefix !== undefined && filter.idPrefix !== "") return { by: "id", rest: filter };
  if (status !== undefined && !status.includes(usualStatus)) {
    const { status: _, ...rest } = filter;
    return { by: "status", each: [...new Set(status)], rest };
  }
  const pipelines = pipeline === undefined ? undefined : new Set(pipelinesIn(pipeline));
  if (pipelines !== undefined && pipelines.size <= mostValues) {
    const { pipeline: _, ...rest } = filter;
    return { by: "pipeline", each: [...pipelines], rest };
  }
  return { by: "age", rest: filter };
}

/** Between these, both included, lies every id that begins so: ids are ASCII, and this is the last of its characters. */
export const beginning = (prefix: string): readonly [least: string, greatest: string] => [
  prefix,
  `${prefix}\x7f`,
];
