import { LeaseHeldError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { queueOf } from "./commit-queue.ts";
import { Journal } from "./journal.ts";
import { acquire } from "./lease.ts";
import { load } from "./load.ts";
import { reconcile } from "./reconcile.ts";

const ttlMs = 15_000;

/**
 * Resolves what a run without an owner has held in the shared ledger, so that others need not wait until somebody
 * resumes it. Nothing is refunded: what is in doubt is posted in full, as its next owner would have done. A run that
 * somebody advances is left alone.
 */
export async function settleEstate(store: Store, world: World, runId: string): Promise<void> {
  let lease: Awaited<ReturnType<typeof acquire>>;
  try {
    lease = await acquire(store, world, runId, ttlMs, false);
  } catch (error) {
    if (error instanceof LeaseHeldError) return;
    throw error;
  }
  if (typeof lease === "string") return;
  try {
    const journal = new Journal(await load(store, runId), lease, queueOf(store, world), world, () => {});
    await reconcile(journal, store, runId);
    await journal.sync();
    journal.close();
  } finally {
    await store.release(lease);
  }
}
