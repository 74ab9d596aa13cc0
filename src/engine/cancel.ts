import type { Entry } from "../core/entries.ts";
import { recordError } from "../core/error-record.ts";
import { CancelledError, RunEndedError } from "../core/errors.ts";
import { hasUndo } from "../core/fingerprint.ts";
import { isEnded, type RunRecord } from "../core/run-record.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { load, manifestOf } from "./load.ts";
import { reconcile } from "./reconcile.ts";
import { whileOwning } from "./while-owning.ts";

/** The path that messages to a run itself, not to a place in it, are sent to. */
export const runItself = "/";

/** The message that cancels a run: one is enough. */
export const cancelId = "cancel";

/**
 * Cancels a run that this process does not advance; its pipeline is not needed. A run that another process advances is
 * sent word, which that process notices within a second. One that may have something to undo is recorded to be cancelled:
 * it is `running` again, and nobody advances it, so that whoever serves its pipeline takes it over and undoes.
 *
 * @param onCommit called with the entries this process records.
 * @returns whether it is done, its owner was told, or it is left to whoever has its pipeline.
 * @throws UnknownRunError, RunEndedError
 */
export async function cancelRun(
  store: Store,
  world: World,
  runId: string,
  reason: string,
  onCommit: (entries: readonly Entry[]) => void = () => {},
): Promise<"cancelled" | "told" | "left"> {
  const before = await load(store, runId);
  if (isEnded(before)) throw ended(runId, before.status);
  await store.send(runId, { id: cancelId, path: runItself, data: reason, at: world.now() });
  let isLeft = false;
  const { outcome } = await whileOwning(store, world, runId, async (journal) => {
    const { run } = journal;
    if (isEnded(run)) throw ended(runId, run.status);
    journal.onCommit(onCommit);
    isLeft = await mayOwe(run, store);
    if (isLeft) {
      if (run.undoing === undefined && run.status !== "running")
        journal.put({ type: "cancellation-requested", reason });
      return;
    }
    await reconcile(journal, store, world);
    journal.put({ type: "run-cancelled", error: recordError(cancelled(runId, reason)) });
  });
  if (outcome !== "granted") return "told";
  return isLeft ? "left" : "cancelled";
}

/** Whether there may be something to undo: whoever walks the tree knows. */
async function mayOwe(run: RunRecord, store: Store): Promise<boolean> {
  if (run.undoing !== undefined) return true;
  return run.completed.size > 0 && hasUndo(await manifestOf(run, store));
}

export const cancelled = (runId: string, reason: string): CancelledError =>
  new CancelledError(`run ${runId} was cancelled: ${reason}`, { runId });

export const ended = (runId: string, status: string): RunEndedError =>
  new RunEndedError(`run ${runId} has ended: it is ${status}`, { runId });
