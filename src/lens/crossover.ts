/** One run in both stores, under the leases of both. */
import { isDeepStrictEqual } from "node:util";
import type { Lease, RunListing, RunSummary, Signal, Store } from "../ports/store.ts";
import { noteArrival } from "./arrival.ts";
import { crossingOf, forgetLeaving, leavingKey, noteCrossing } from "./crossing.ts";
import { noteOf } from "./every-note.ts";
import { readJournal } from "./journal.ts";
import { leaseOf, ttlMs, write } from "./leased.ts";
import { leaveToSweep } from "./prune.ts";
import { isOver, left, type Outcome, type Route } from "./route.ts";
import { type WholeRun, wholeRun } from "./whole.ts";

/** How often a run that is sent something just then is looked at again before it is left where it is. */
const mostTries = 10;

interface Leases {
  readonly from: Lease;
  to: Lease;
}

export class Crossover {
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
    this.#isVeiled = route.isMove && !isOver(run.status);
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
    const difference = (await this.#difference()) ?? (isNew ? await this.#otherListing() : undefined);
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
    const kept = Object.entries(blobs).map(([hash, text]) => ({ hash, text }));
    return write(to, this.#leases.to, { entries, blobs: kept, summary: this.#shown() });
  }

  /** As what is there is listed until it is gone where it was. */
  #shown(): RunSummary {
    const { wakeAt: _, heard: __, ...rest } = this.#summary;
    return this.#isVeiled ? { ...rest, status: "halted" } : this.#summary;
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

  /** Whether lists show another one than was written. */
  async #otherListing(): Promise<string | undefined> {
    const shown = this.#shown();
    const listed = await listingIn(this.#route.to, { runId: this.#source.runId, createdAt: shown.createdAt });
    return listed && isSame(summaryOf(listed), shown) ? undefined : "it is not listed as it is";
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

/** How a run is listed now. */
export async function listingIn(
  store: Store,
  { runId, createdAt }: Pick<RunListing, "runId" | "createdAt">,
): Promise<RunListing | undefined> {
  const made = { createdFrom: createdAt, createdBefore: createdAt + 1 };
  const found = await store.list({ idPrefix: runId, ...made, limit: Number.MAX_SAFE_INTEGER });
  return found.find((run) => run.runId === runId);
}

export const anotherRun = ({ name }: Store): string =>
  `${name} has a run of this id with another journal: nothing was overwritten`;

function summaryOf({ runId: _, lease: __, unheard: ___, ...summary }: RunListing): RunSummary {
  return summary;
}

/** As JSON: one store keeps the very objects it was given, another one reads them anew. */
const isSame = (one: unknown, other: unknown): boolean => isDeepStrictEqual(plain(one), plain(other));

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
