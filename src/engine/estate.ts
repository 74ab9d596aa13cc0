import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { reconcile } from "./reconcile.ts";
import { whileOwning } from "./while-owning.ts";

/**
 * Resolves what a run without an owner has held in the shared ledger, so that others need not wait until somebody
 * resumes it. Nothing is refunded: what is in doubt is posted in full, as its next owner would have done. A run that
 * somebody advances is left alone.
 */
export async function settleEstate(store: Store, world: World, runId: string): Promise<void> {
  await whileOwning(store, world, runId, (journal) => reconcile(journal, store, runId));
}
