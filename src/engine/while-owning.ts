import { LeaseHeldError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { queueOf } from "./commit-queue.ts";
import { Journal } from "./journal.ts";
import { acquire } from "./lease.ts";
import { load } from "./load.ts";

/** Far more than one commit takes. */
const ttlMs = 15_000;

/**
 * Owns a run for a moment, to write something into its journal without advancing it.
 *
 * @param write puts what is to be written; it is in the store when this returns.
 * @returns whether it is done: not when somebody else advances the run, or there is no such run.
 */
export async function whileOwning(
  store: Store,
  world: World,
  runId: string,
  write: (journal: Journal) => Promise<void>,
): Promise<boolean> {
  let lease: Awaited<ReturnType<typeof acquire>>;
  try {
    lease = await acquire(store, world, runId, ttlMs, false);
  } catch (error) {
    if (error instanceof LeaseHeldError) return false;
    throw error;
  }
  if (typeof lease === "string") return false;
  try {
    const journal = new Journal(await load(store, runId), lease, queueOf(store, world), world, () => {});
    await write(journal);
    await journal.sync();
    journal.close();
    return true;
  } finally {
    await store.release(lease);
  }
}
