import type { Entry } from "../core/entries.ts";
import { CancelledError, LeaseHeldError, RunEndedError, recordError } from "../core/errors.ts";
import { isEnded } from "../core/fold.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { queueOf } from "./commit-queue.ts";
import { Journal } from "./journal.ts";
import { acquire } from "./lease.ts";
import { load } from "./load.ts";
import { reconcile } from "./reconcile.ts";

/** The path that messages to a run itself, not to a place in it, are sent to. */
export const runItself = "/";

/** The message that cancels a run: one is enough. */
export const cancelId = "cancel";

/**
 * Cancels a run that this process does not advance; its pipeline is not needed. A run that another process advances is
 * sent word, which that process notices within a second.
 *
 * @param onCommit called with the entries this process records.
 * @returns whether it is done, or its owner was told.
 * @throws UnknownRunError, RunEndedError
 */
export async function cancelRun(
  store: Store,
  world: World,
  runId: string,
  reason: string,
  onCommit: (entries: readonly Entry[]) => void = () => {},
): Promise<"cancelled" | "told"> {
  const before = await load(store, runId);
  if (isEnded(before)) throw ended(runId, before.status);
  await store.send(runId, { id: cancelId, path: runItself, data: reason, at: world.now() });
  const ttlMs = 15_000;
  let lease: Awaited<ReturnType<typeof acquire>>;
  try {
    lease = await acquire(store, world, runId, ttlMs, false);
  } catch (error) {
    if (error instanceof LeaseHeldError) return "told";
    throw error;
  }
  if (typeof lease === "string") return "told";
  try {
    const run = await load(store, runId);
    if (isEnded(run)) throw ended(runId, run.status);
    const journal = new Journal(run, lease, queueOf(store, world), world, () => {});
    journal.onCommit(onCommit);
    await reconcile(journal, store, runId);
    journal.put({ type: "run-cancelled", error: recordError(cancelled(runId, reason)) });
    await journal.sync();
    journal.close();
    return "cancelled";
  } finally {
    await store.release(lease);
  }
}

export const cancelled = (runId: string, reason: string): CancelledError =>
  new CancelledError(`run ${runId} was cancelled: ${reason}`, { runId });

export const ended = (runId: string, status: string): RunEndedError =>
  new RunEndedError(`run ${runId} has ended: it is ${status}`, { runId });
