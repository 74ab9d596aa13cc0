import type { Entry } from "../core/entries.ts";
import { CancelledError, RunEndedError, recordError } from "../core/errors.ts";
import { isEnded } from "../core/fold.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { load } from "./load.ts";
import { reconcile } from "./reconcile.ts";
import { whileOwning } from "./while-owning.ts";

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
  const done = await whileOwning(store, world, runId, async (journal) => {
    const { run } = journal;
    if (isEnded(run)) throw ended(runId, run.status);
    journal.onCommit(onCommit);
    await reconcile(journal, store, runId);
    journal.put({ type: "run-cancelled", error: recordError(cancelled(runId, reason)) });
  });
  return done ? "cancelled" : "told";
}

export const cancelled = (runId: string, reason: string): CancelledError =>
  new CancelledError(`run ${runId} was cancelled: ${reason}`, { runId });

export const ended = (runId: string, status: string): RunEndedError =>
  new RunEndedError(`run ${runId} has ended: it is ${status}`, { runId });
