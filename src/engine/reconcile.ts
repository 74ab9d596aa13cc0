import { noTally, type Posting, type Tally, tallyOf } from "../core/account.ts";
import { type RunRecord, spentOf } from "../core/fold.ts";
import type { Store } from "../ports/store.ts";
import type { Journal } from "./journal.ts";

/**
 * Resolves, in the next commit, what earlier owners of a run left open. Nobody will ever know what became of a call
 * that was reserved and not settled: all that was held for it is spent. In the shared ledger each hold gets what the
 * journal says of it; one of which the journal says nothing was never used, since a call is made only after its
 * reservation is recorded, and with our lease no earlier owner can record one any more.
 *
 * To be called with the run's lease, on the journal as it is under it.
 */
export async function reconcile(journal: Journal, store: Store, runId: string): Promise<void> {
  const { run } = journal;
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
}

/** A run whose creation is not recorded may have held money, too. */
const mayShare = ({ created }: RunRecord): boolean => created === undefined || created.scopes !== undefined;
