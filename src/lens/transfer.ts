/** One run's way from one store to another. */
import { blobsIn } from "../core/blob-refs.ts";
import { sha256 } from "../core/fingerprint.ts";
import { fold } from "../core/fold.ts";
import type { RunStatus } from "../core/run-record.ts";
import type { RunListing, RunSummary, Store } from "../ports/store.ts";
import { crossings, leavingKey } from "./crossing.ts";
import { Crossover, listingIn, wholeIn } from "./crossover.ts";
import { noteOf } from "./every-note.ts";
import { readJournal } from "./journal.ts";
import { leaseOf, write } from "./leased.ts";
import { isOver, left, type Outcome, type Route } from "./route.ts";
import { faultsOf } from "./verify.ts";
import type { WholeRun } from "./whole.ts";

/** Why a run that stands so is not taken along; undefined: it is. */
export function reasonToLeave(status: RunStatus, isMove: boolean): string | undefined {
  if (status === "running")
    return "it is under way, or was when its process died: let it come to stand first (flujo resume)";
  if (isMove || isOver(status)) return undefined;
  return `it is ${status}, and two stores that both go on with it would do its work twice: --move takes it along`;
}

/** What is held is settled where it is held, by whoever goes on with the run. */
export async function heldMoney(store: Store, runId: string): Promise<string | undefined> {
  const [account] = await store.accounts({ heldBy: runId, limit: 1 });
  return (
    account && `money is held for it on ${account.scope}: resume it where it is, and copy it when it stands`
  );
}

/** Copies or moves a run under the leases of both stores. Called again after it was killed, it goes on. */
export async function transfer(route: Route, listed: RunListing): Promise<Outcome> {
  const { from, to, world } = route;
  const lease = await leaseOf(from, listed.runId, world);
  if (lease === undefined) return left(`another process advances it in ${from.name}`);
  try {
    const run = await listingIn(from, listed);
    const source = await wholeIn(from, listed.runId);
    if (run === undefined || source === undefined) return left("it was removed meanwhile");
    const reason = reasonToLeave(run.status, route.isMove) ?? (await heldMoney(from, run.runId));
    if (reason !== undefined) return left(reason);
    const damage = damageOf(source, run);
    if (damage !== undefined) return { outcome: "faulty", why: `it is damaged in ${from.name}: ${damage}` };
    const there = await leaseOf(to, run.runId, world, true);
    if (there === undefined) return left(`another process has it in ${to.name}`);
    return await new Crossover(route, run, source, { from: lease, to: there }).cross();
  } finally {
    await from.release(lease); // of a run that is gone: nothing happens
  }
}

/** Moves that were killed after the run was gone where it was: it is listed as it stands. */
export async function* finishMoves({
  from,
  to,
  world,
}: Route): AsyncGenerator<{ readonly runId: string; readonly summary: RunSummary; readonly done: Outcome }> {
  for await (const note of crossings(to)) {
    const { runId, from: name, summary, entries } = note.crossing;
    if ((await from.read(runId, 0, 1)) !== undefined) continue; // it is still there, and moved as any other
    const leaving = await noteOf(from, leavingKey(runId));
    if (leaving?.value !== to.name) {
      const why = `it was being moved from ${name} when that was ended: move it from there again, or, where it is no more, resume it here`;
      yield { runId, summary, done: left(why) };
      continue;
    }
    const lease = await leaseOf(to, runId, world);
    if (lease !== undefined) {
      try {
        const journal = (await readJournal(to, runId)) ?? [];
        // One that somebody has gone on with by its id is listed as it stands already.
        if (journal.length === entries) await write(to, lease, { summary });
        await to.dropNote(note.key, note.version);
        await from.dropNote(leaving.key, leaving.version);
        yield { runId, summary, done: { outcome: "copied", entries, values: 0 } };
      } finally {
        await to.release(lease);
      }
    } else yield { runId, summary, done: left(`another process has it in ${to.name}`) };
  }
}

/** What is wrong with a run where it is. */
function damageOf({ entries, blobs, runId }: WholeRun, { status }: RunListing): string | undefined {
  const [fault] = faultsOf(entries);
  if (fault !== undefined) return fault.what;
  const bad = Object.entries(blobs).find(([hash, text]) => sha256(text) !== hash);
  if (bad !== undefined) return `a value it refers to is not what its hash says (${bad[0]})`;
  const lost = [...blobsIn(entries)].find(({ hash }) => blobs[hash] === undefined);
  if (lost !== undefined) return `the store has lost a value it refers to (${lost.hash})`;
  const recorded = fold(entries).status;
  return recorded === status
    ? undefined
    : `${runId} is listed as ${status}, and its journal says ${recorded}`;
}
