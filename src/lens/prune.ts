/** Removing runs that are over, with the values that only they referred to. */
import { randomUUID } from "node:crypto";
import { blobsIn } from "../core/blob-refs.ts";
import { fold } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import { type RunStatus, undoneIn } from "../core/run-record.ts";
import type { Lease, RunListing, Store } from "../ports/store.ts";
import { forgetLeaving, leavingKey } from "./crossing.ts";
import { everyNote, noteOf } from "./every-note.ts";
import { everyJournal, everyRun, type Selection } from "./every-run.ts";
import { readJournal } from "./journal.ts";

/** Runs that have come to an end, or stand where they need not be gone on with. Others are never removed. */
export const prunable: readonly RunStatus[] = ["completed", "cancelled", "failed", "halted"];

export interface PruneOptions extends Selection {
  /** Only runs whose last entry is older: milliseconds since 1970. */
  readonly before: number;
  /** Who removes, for the leases, and the time. */
  readonly owner: string;
  readonly now: () => number;
  /** Only says what would be removed. */
  readonly isDry: boolean;
  /** Why a run is to be kept all the same; undefined: it is not. */
  readonly reasonToKeep?: (runId: string) => string | undefined;
}

/** As `flujo lens prune --json` prints it. */
export interface Pruned {
  /** Whether anything was removed, or this is what would be. */
  readonly isDry: boolean;
  readonly runs: readonly PrunedRun[];
  /** Runs that were meant, and are kept. */
  readonly kept: readonly { readonly runId: string; readonly why: string }[];
  /** Values kept aside that went with them, since no other run refers to them. */
  readonly values: number;
}

export interface PrunedRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  /** ISO dates. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Runs whose leases are held at once. */
const together = 200;
const ttlMs = 60_000;
/** Says which values runs that are about to be removed refer to, should the process die before they are looked at. */
const notePrefix = "prune/";

/**
 * Removes the selected runs that are over. Each is leased first and read again, so that one that somebody has gone on with
 * meanwhile stays. What shared budgets were charged for them stays charged.
 */
export async function prune(store: Store, options: PruneOptions): Promise<Pruned> {
  const { before, isDry, reasonToKeep, owner, now, ...selection } = options;
  const runs: PrunedRun[] = [];
  const kept: { readonly runId: string; readonly why: string }[] = [];
  const work = new Removal(store, owner, now);
  let batch: RunListing[] = [];
  const flush = async (): Promise<void> => {
    for (const { runId, why } of isDry ? [] : await work.remove(batch, before)) kept.push({ runId, why });
    const stayed = new Set(kept.map(({ runId }) => runId));
    for (const run of batch) if (!stayed.has(run.runId)) runs.push(lineOf(run));
    batch = [];
  };
  for await (const run of everyRun(store, { status: prunable, ...selection })) {
    if (run.updatedAt >= before || !prunable.includes(run.status)) continue;
    const why = (await heldMoney(store, run.runId)) ?? reasonToKeep?.(run.runId);
    if (why !== undefined) kept.push({ runId: run.runId, why });
    else batch.push(run);
    if (batch.length >= together) await flush();
  }
  await flush();
  return { isDry, runs, kept, values: isDry ? 0 : await work.sweep() };
}

const lineOf = ({ runId, pipeline, status, createdAt, updatedAt }: RunListing): PrunedRun => ({
  ...{ runId, pipeline, status },
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
});

/** What is held is settled by whoever goes on with the run: without its journal nobody could. */
async function heldMoney(store: Store, runId: string): Promise<string | undefined> {
  const [account] = await store.accounts({ heldBy: runId, limit: 1 });
  return account && `money is held for it on ${account.scope}`;
}

interface Kept {
  readonly runId: string;
  readonly why: string;
}

/** To be called before runs that refer to these values are removed: the next sweep looks whether any other run does. */
export async function leaveToSweep(store: Store, hashes: readonly string[]): Promise<void> {
  if (hashes.length > 0) await store.putNote(notePrefix + randomUUID(), hashes as Json, undefined);
}

class Removal {
  readonly #store: Store;
  readonly #owner: string;
  readonly #now: () => number;
  /** What removed runs referred to. */
  readonly #hashes = new Set<string>();
  readonly #notes: string[] = [];

  constructor(store: Store, owner: string, now: () => number) {
    this.#store = store;
    this.#owner = owner;
    this.#now = now;
  }

  /** Removes these runs, but for those that it tells. */
  async remove(batch: readonly RunListing[], before: number): Promise<Kept[]> {
    const kept: Kept[] = [];
    const leases: Lease[] = [];
    const hashes: string[] = [];
    for (const { runId } of batch) {
      const found = await this.#lease(runId, before);
      if ("why" in found) kept.push(found);
      else {
        leases.push(found.lease);
        hashes.push(...found.hashes);
      }
    }
    if (leases.length === 0) return kept;
    await leaveToSweep(this.#store, [...new Set(hashes)]);
    for await (const { key } of everyNote(this.#store, leavingKey("")))
      if (leases.some(({ runId }) => key === leavingKey(runId)))
        await forgetLeaving(this.#store, key.slice(leavingKey("").length));
    for (const lease of leases)
      if (!(await this.#store.drop(lease)))
        kept.push({ runId: lease.runId, why: "another process has taken it" });
    return kept;
  }

  /** Removes the values of removed runs that no run refers to, those of earlier removals that did not come so far included. */
  async sweep(): Promise<number> {
    for await (const { key, value } of everyNote(this.#store, notePrefix)) {
      this.#notes.push(key);
      for (const hash of value as readonly string[]) this.#hashes.add(hash); // as leaveToSweep wrote it
    }
    if (this.#hashes.size === 0) return 0;
    const removed = await this.#store.sweep([...this.#hashes], () => this.#used());
    for (const key of new Set(this.#notes)) {
      const note = await noteOf(this.#store, key);
      if (note !== undefined) await this.#store.dropNote(key, note.version);
    }
    return removed;
  }

  async #lease(
    runId: string,
    before: number,
  ): Promise<Kept | { readonly lease: Lease; readonly hashes: string[] }> {
    const asked = { runId, owner: this.#owner, now: this.#now(), ttlMs };
    const answer = await this.#store.acquire(asked);
    if (answer.outcome !== "granted") return { runId, why: "another process advances it" };
    const entries = (await readJournal(this.#store, runId)) ?? [];
    const run = fold(entries);
    const { status, updatedAt } = run;
    const owes = undoneIn(run)?.left ?? [];
    if (prunable.includes(status) && updatedAt < before && owes.length === 0)
      return { lease: answer.lease, hashes: [...blobsIn(entries)].map(({ hash }) => hash) };
    await this.#store.release(answer.lease);
    return { runId, why: owes.length > 0 ? `${owes[0]} is not undone yet` : "somebody has gone on with it" };
  }

  /** Of the values of removed runs, those that others refer to. */
  async #used(): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for await (const { entries } of everyJournal(this.#store))
      for (const { hash } of blobsIn(entries)) if (this.#hashes.has(hash)) used.add(hash);
    return used;
  }
}
