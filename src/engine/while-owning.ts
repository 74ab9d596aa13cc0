import type { LeaseAnswer, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { queueOf } from "./commit-queue.ts";
import { Journal } from "./journal.ts";
import { askForLease } from "./lease.ts";
import { load } from "./load.ts";

/** Far more than one commit takes. */
const ttlMs = 15_000;

/**
 * Owns a run for a moment, to write something into its journal without advancing it.
 *
 * @param write puts what is to be written; it is in the store when this returns.
 * @returns `granted`: it is done, and the lease was given back; else why it is not.
 */
export async function whileOwning(
  store: Store,
  world: World,
  runId: string,
  write: (journal: Journal) => Promise<void>,
): Promise<LeaseAnswer> {
  const answer = await askForLease(store, world, runId, ttlMs, false);
  if (answer.outcome !== "granted") return answer;
  const { lease } = answer;
  try {
    const journal = new Journal(await load(store, runId), lease, queueOf(store, world), world, () => {});
    await write(journal);
    await journal.sync();
    journal.close();
    return answer;
  } finally {
    await store.release(lease);
  }
}
