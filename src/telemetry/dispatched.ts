import { defaultQueue } from "../core/dispatch.ts";
import type { EntryOf } from "../core/entries.ts";
import type { WatchedRun } from "../ports/instrument.ts";

/** A run that was submitted, as a process begins it. */
export interface Dispatched {
  readonly queue: string;
  /** Since it was submitted, or its delay was over, by the clocks of both processes: never less than 0. */
  readonly waitedMs: number;
}

/** Undefined: it had begun before, or was sent something before its time. */
export async function dispatched(
  { runId, store }: WatchedRun,
  { seq, at }: EntryOf<"run-resumed">,
): Promise<Dispatched | undefined> {
  if (seq > 2) return undefined;
  const [created, waiting] = (await store.read(runId, 0, seq)) ?? [];
  if (created?.type !== "run-created" || created.forkedFrom !== undefined) return undefined;
  const { queue = defaultQueue, notBefore } = created.dispatch ?? {};
  const isDelayed = waiting !== undefined && notBefore !== undefined && notBefore <= at;
  if (waiting !== undefined && !isDelayed) return undefined;
  return { queue, waitedMs: Math.max(0, at - (notBefore ?? created.at)) };
}
