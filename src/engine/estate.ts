import type { LeaseAnswer, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { reconcile } from "./reconcile.ts";
import { whileOwning } from "./while-owning.ts";

/**
 * Resolves what a run without an owner has held in the shared ledger, and gives up its places there, so that others need
 * not wait until somebody resumes it. Nothing is refunded: what is in doubt is posted in full, as its next owner would
 * have done. A run that somebody advances is left alone.
 *
 * @returns `held`: by whom it is advanced.
 */
export const settleEstate = (store: Store, world: World, runId: string): Promise<LeaseAnswer> =>
  whileOwning(store, world, runId, (journal) => reconcile(journal, store, world));

/** How long at most a process believes that a run has the owner it had. */
const mostMs = 5_000;
/** At how many runs it looks at once. */
const atOnce = 8;

/** When a run is looked at again: before that only if its owner is seen to be gone. */
interface Sight {
  readonly owner: string | undefined;
  readonly until: number;
}

/**
 * What a process knows of the owners of runs that others wait behind, so that each is asked about once until its lease may
 * have ended, however many wait here.
 */
export class Estates {
  readonly #store: Store;
  readonly #sights = new Map<string, Sight>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Settles those of these runs that nobody advances, as far as can be known. */
  async settle(world: World, runIds: readonly string[]): Promise<void> {
    const now = world.now();
    for (const [runId, { until, owner }] of this.#sights)
      if (until <= now || (owner !== undefined && world.isGone(owner))) this.#sights.delete(runId);
    const unseen = runIds.filter((runId) => !this.#sights.has(runId)).slice(0, atOnce);
    for (const runId of unseen) {
      this.#sights.set(runId, { owner: undefined, until: now + mostMs });
      try {
        const answer = await settleEstate(this.#store, world, runId);
        if (answer.outcome !== "held") continue;
        const { owner, expiresAt } = answer.lease;
        this.#sights.set(runId, { owner, until: Math.min(expiresAt, now + mostMs) });
      } catch {
        // Its journal cannot be read or written now; what it holds stays held, and is looked at again.
      }
    }
  }
}

const known = new WeakMap<Store, Estates>();

/** What this process knows of those in a store. */
export function estatesOf(store: Store): Estates {
  const estates = known.get(store) ?? new Estates(store);
  known.set(store, estates);
  return estates;
}
