import type { Entry, EntryOf } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { readableJson } from "./readable.ts";
import { type StateChange, stateChanges } from "./trace.ts";

/** How a run's state came to be, as far as it is asked for. */
export interface StateStory {
  /** As the run began. */
  readonly first: Json;
  /** How many steps have changed it. */
  readonly total: number;
  readonly from: number;
  /** In the order they were recorded. A branch or item changes a copy of its own, which joins the others' where they meet. */
  readonly steps: readonly StateStep[];
}

/** What one step changed. */
export interface StateStep {
  readonly seq: number;
  /** ISO date. */
  readonly at: string;
  readonly path: Path;
  readonly changes: readonly StateChange[];
}

/** @param from the number of the first step wanted, from 0. */
export function stateStory(entries: readonly Entry[], from: number, limit: number): StateStory {
  const [created] = entries;
  const changing = entries.filter(isChange);
  return {
    first: created?.type === "run-created" ? readableJson(created.state) : null,
    total: changing.length,
    from,
    steps: changing.slice(from, from + limit).map(({ seq, at, path, state = [] }) => ({
      seq,
      at: new Date(at).toISOString(),
      path,
      changes: stateChanges(state),
    })),
  };
}

const isChange = (entry: Entry): entry is EntryOf<"step-completed"> =>
  entry.type === "step-completed" && entry.state !== undefined && entry.state.length > 0;
