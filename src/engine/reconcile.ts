import { noTally, type Posting, type Tally, tallyOf } from "../core/account.ts";
import type { RunRecord } from "../core/run-record.ts";
import { termsAt } from "../core/scopes.ts";
import { spentOf } from "../core/spending.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import type { Journal } from "./journal.ts";

/**
 * Resolves, in the next commit, what earlier owners of a run left open. Nobody will ever know what became of a call
 * that was reserved and not settled: all that was held for it is spent. In the shared ledger each hold gets what the
 * journal says of it; one of which the journal says nothing was never used, since a call is made only after its
 * reservation is recorded, and with our lease no earlier owner can record one any more. Their places in queues there are
 * given up at once: nobody comes back for them.
 *
 * To be called with the run's lease, on the journal as it is under it.
 */
export async function reconcile(journal: Journal, store: Store, world: World): Promise<void> {
  const { run, runId } = journal;
  // Asked first: what the journal settles and what the ledger posts for it then go into one commit.
  const accounts = mayShare(run) ? await store.accounts({ heldBy: runId }) : [];
  const fates = new Map<string, Tally>();
  for (const { settled, path, seq, amount, kind, hold } of run.reservations.values()) {
    if (settled === undefined) journal.put({ type: "budget-settled", path, of: seq, amount, doubt: true });
    if (hold !== undefined) fates.set(hold, tallyOf(spentOf(settled ?? amount, kind)));
  }
  const postings = accounts.flatMap(({ scope, holds }) =>
    holds
      .filter((hold) => hold.runId === runId)
      .map(({ id }): Posting => ({ scope, hold: id, amount: fates.get(id) ?? noTally })),
  );
  journal.post(postings);
  await vacate(journal, store, world.now());
}

/** On the accounts the run is charged to now; in the queue of a day that is over nobody stands. */
async function vacate({ run, runId, fence }: Journal, store: Store, now: number): Promise<void> {
  const scopes = run.created?.scopes?.map((scope) => termsAt(scope, now).scope) ?? [];
  if (scopes.length === 0) return;
  const places = (await store.accounts({ scopes })).flatMap(({ queue }) => queue);
  const left = places.filter((place) => place.runId === runId && place.fence < fence);
  if (left.length > 0) await store.ledger({ kind: "leave", ids: left.map(({ id }) => id), scopes });
}

/** A run whose creation is not recorded may have held money, too. */
const mayShare = ({ created }: RunRecord): boolean => created === undefined || created.scopes !== undefined;
