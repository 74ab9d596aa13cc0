/** One run's way from one store to another. */
import { isDeepStrictEqual } from "node:util";
import { blobsIn } from "../core/blob-refs.ts";
import { sha256 } from "../core/fingerprint.ts";
import { fold, type RunStatus } from "../core/fold.ts";
import type { Append, Lease, RunListing, RunSummary, Signal, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { noteArrival } from "./arrival.ts";
import { crossingOf, crossings, forgetLeaving, leavingKey, noteCrossing } from "./crossing.ts";
import { noteOf } from "./every-note.ts";
import { readJournal } from "./journal.ts";
import { leaveToSweep } from "./prune.ts";
import { faultsOf } from "./verify.ts";
import { type WholeRun, wholeRun } from "./whole.ts";

export interface Route {
  readonly from: Store;
  readonly to: Store;
  readonly world: Pick<World, "owner" | "now" | "isGone">;
  /** Each run is removed where it was once it is verified where it goes. */
  readonly isMove: boolean;
  /** Awaited before a run is removed where it was: takes along what else belongs to it. */
  readonly onLeave?: ((runId: string) => Promise<void>) | undefined;
}

export type Outcome = Taken | Missed;

/** The run is in the other store, as it is recorded. `there`: it was before. */
interface Taken {
  readonly outcome: "copied" | "there";
  readonly entries: number;
  readonly values: number;
}

/** `left`: it is not in the other store, or not gone where it was. `faulty`: what was read is not what must be there. */
interface Missed {
  readonly outcome: "left" | "faulty";
  readonly why: string;
}

const ttlMs = 60_000;
/** How often a run that is sent something just then is looked at again before it is left where it is. */
const mostTries = 10;

const over: readonly RunStatus[] = ["completed", "failed", "cancelled"];

/** Why a run that stands so is not taken along; undefined: it is. */
export function reasonToLeave(status: RunStatus, isMove: boolean): string | undefined {
  if (status === "running")
    return "it is under way, or was when its process died: let it come to stand first (flujo resume)";
  if (isMove || over.includes(status)) return undefined;
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

/** Whether a run is there already: the same, another one of its id, or none. */
export async function standingIn(to: Store, source: WholeRun): Promise<"same" | "other" | "none"> {
  const entries = (await readJournal(to, source.runId)) ?? [];
  if (entries.length === 0) return "none";
  return isSame(entries, source.entries) ? "same" : "other";
}

export async function wholeIn(store: Store, runId: string): Promise<WholeRun | undefined> {
  const entries = await readJournal(store, runId);
  return entries && (await wholeRun(store, runId, entries));
}

interface Leases {
  readonly from: Lease;
  to: Lease;
}

/** One run under both leases. */
class Crossover {
  readonly #route: Route;
  readonly #summary: RunSummary;
  readonly #source: WholeRun;
  readonly #leases: Leases;
  /**
   * A waiting run is listed as halted until it is gone where it was: nobody goes on by himself with one that is halted, so that
   * no crash leaves a run that both stores go on with.
   */
  readonly #isVeiled: boolean;

  constructor(route: Route, run: RunListing, source: WholeRun, leases: Leases) {
    this.#route = route;
    this.#source = source;
    this.#leases = leases;
    this.#summary = summaryOf(run);
    this.#isVeiled = route.isMove && !over.includes(run.status);
  }

  async cross(): Promise<Outcome> {
    try {
      return await this.#cross();
    } finally {
      await this.#route.to.release(this.#leases.to); // of a run that is gone again: nothing happens
    }
  }

  async #cross(): Promise<Outcome> {
    const { from, to, isMove } = this.#route;
    const standing = await standingIn(to, this.#source);
    if (standing === "other" && !(await this.#isStale())) return left(anotherRun(to));
    if (standing === "other" && !(await this.#anew())) return left(`another process has it in ${to.name}`);
    const isNew = standing !== "same";
    if (isNew && !(await this.#write())) return left(`another process has taken it in ${to.name}`);
    if (!isNew) await this.#sendSignals();
    const difference = await this.#difference();
    if (difference !== undefined) {
      if (isNew) await this.#undo();
      return { outcome: "faulty", why: `read back from ${to.name}, ${difference}` };
    }
    if (isMove && !(await this.#leave())) {
      if (isNew) await this.#undo();
      return left(`another process has taken it in ${from.name}, or it is sent something all the time`);
    }
    if (this.#isVeiled) {
      await write(to, this.#leases.to, { summary: this.#summary });
      await this.#dropNote();
      await forgetLeaving(from, this.#source.runId);
    }
    const { entries, blobs } = this.#source;
    return {
      outcome: isNew ? "copied" : "there",
      entries: entries.length,
      values: Object.keys(blobs).length,
    };
  }

  /** What is there was left by a move that was killed, and has been gone on with only where it came from. */
  async #isStale(): Promise<boolean> {
    const { from, to } = this.#route;
    const { runId, entries } = this.#source;
    const note = await crossingOf(to, runId);
    if (note?.crossing.from !== from.name) return false;
    const there = (await readJournal(to, runId)) ?? [];
    const sent = await to.signals(runId);
    const known = new Set(this.#source.signals.map(({ id }) => id));
    return isSame(there, entries.slice(0, there.length)) && sent.every(({ id }) => known.has(id));
  }

  /** Removes what is stale, and takes the id again. */
  async #anew(): Promise<boolean> {
    const { to, world } = this.#route;
    if (!(await to.drop(this.#leases.to))) return false;
    const lease = await leaseOf(to, this.#source.runId, world, true);
    if (lease === undefined) return false;
    this.#leases.to = lease;
    return true;
  }

  /** The journal comes in one commit: what is there is all of it, or nothing that lists show. */
  async #write(): Promise<boolean> {
    const { from, to } = this.#route;
    const { entries, blobs, runId } = this.#source;
    await noteArrival(to, runId, entries);
    if (this.#isVeiled)
      await noteCrossing(to, { runId, from: from.name, summary: this.#summary, entries: entries.length });
    await this.#sendSignals();
    const { wakeAt: _, heard: __, ...rest } = this.#summary;
    const summary: RunSummary = this.#isVeiled ? { ...rest, status: "halted" } : this.#summary;
    const kept = Object.entries(blobs).map(([hash, text]) => ({ hash, text }));
    return write(to, this.#leases.to, { entries, blobs: kept, summary });
  }

  /** Those that are there already change nothing. */
  async #sendSignals(signals: readonly Signal[] = this.#source.signals): Promise<void> {
    for (const signal of signals) await this.#route.to.send(this.#source.runId, signal);
  }

  /** What is not there as it was sent. */
  async #difference(): Promise<string | undefined> {
    const { entries, blobs, signals, runId } = this.#source;
    const read = await wholeIn(this.#route.to, runId);
    if (read === undefined) return "it is not there";
    if (read.entries.length !== entries.length)
      return `it has ${read.entries.length} entries, not ${entries.length}`;
    const at = entries.findIndex((entry, i) => !isSame(entry, read.entries[i]));
    if (at >= 0) return `entry ${at} is another one`;
    const lost = Object.keys(blobs).find((hash) => read.blobs[hash] !== blobs[hash]);
    if (lost !== undefined) return `a value it refers to is another one (${lost})`;
    const { heard = 0 } = this.#summary;
    const known = new Set(signals.map(({ id }) => id));
    const sent = read.signals.filter(({ id }) => known.has(id));
    if (!isSame(sent, signals) || !isSame(read.signals.slice(0, heard), signals.slice(0, heard)))
      return "its signals are others";
    return undefined;
  }

  /** Removes the run where it was, with nothing that was sent to it and has not come along. */
  async #leave(): Promise<boolean> {
    const { from, to, world } = this.#route;
    const { runId, blobs } = this.#source;
    const until = world.now() + ttlMs;
    if (!(await to.renew(this.#leases.to, until)) || !(await from.renew(this.#leases.from, until)))
      return false;
    await this.#route.onLeave?.(runId);
    await leaveToSweep(from, Object.keys(blobs));
    if (this.#isVeiled) {
      const seen = (await noteOf(from, leavingKey(runId)))?.version;
      await from.putNote(leavingKey(runId), to.name, seen);
    } else await forgetLeaving(from, runId);
    for (let tries = 0; tries < mostTries; tries++) {
      const sent = await from.signals(runId);
      await this.#sendSignals(sent);
      if (await from.drop(this.#leases.from, sent.length)) return true;
    }
    return false;
  }

  async #dropNote(): Promise<void> {
    const { to } = this.#route;
    const note = await crossingOf(to, this.#source.runId);
    if (note !== undefined) await to.dropNote(note.key, note.version);
  }

  async #undo(): Promise<void> {
    await this.#route.to.drop(this.#leases.to);
    if (this.#isVeiled) await this.#dropNote();
  }
}

export const anotherRun = ({ name }: Store): string =>
  `${name} has a run of this id with another journal: nothing was overwritten`;

const left = (why: string): Missed => ({ outcome: "left", why });

/** The lease of a run, which is made where `create` says so; undefined while somebody else has it. */
async function leaseOf(
  store: Store,
  runId: string,
  { owner, now, isGone }: Route["world"],
  create = false,
): Promise<Lease | undefined> {
  const request = { runId, owner, now: now(), ttlMs };
  let answer = await store.acquire(create ? { ...request, create } : request);
  if (answer.outcome === "exists") answer = await store.acquire(request);
  if (answer.outcome === "held" && isGone(answer.lease.owner))
    answer = await store.acquire({ ...request, supersede: answer.lease.fence });
  return answer.outcome === "granted" ? answer.lease : undefined;
}

/** False: somebody else has the run. */
async function write(
  store: Store,
  { runId, fence }: Lease,
  more: Partial<Pick<Append, "entries" | "blobs" | "summary">>,
): Promise<boolean> {
  const [outcome] = await store.commit([{ runId, fence, entries: [], blobs: [], ...more }]);
  return outcome === "appended";
}

/** How a run is listed now. */
async function listingIn(store: Store, { runId, createdAt }: RunListing): Promise<RunListing | undefined> {
  const made = { createdFrom: createdAt, createdBefore: createdAt + 1 };
  const found = await store.list({ idPrefix: runId, ...made, limit: Number.MAX_SAFE_INTEGER });
  return found.find((run) => run.runId === runId);
}

function summaryOf({ runId: _, lease: __, unheard: ___, ...summary }: RunListing): RunSummary {
  return summary;
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

/** As JSON: one store keeps the very objects it was given, another one reads them anew. */
const isSame = (one: unknown, other: unknown): boolean => isDeepStrictEqual(plain(one), plain(other));

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
