/** What a process asks of a store so that its history says much: runs are taken from one another, accounts are filled up. */
import { setTimeout as pause } from "node:timers/promises";
import { type Posting, type Tally, tallyOf } from "../../../src/core/account.ts";
import type { Entry } from "../../../src/core/entries.ts";
import { FlujoError } from "../../../src/core/errors.ts";
import type { Append, Lease, LeaseRequest, Store } from "../../../src/ports/store.ts";
import type { Chance } from "../../../src/testing/chance.ts";

export interface Worker {
  readonly store: Store;
  /** Unlike any other's. */
  readonly name: string;
  readonly chance: Chance;
  /** Turns of each of its two lanes. */
  readonly turns: number;
  /** One that has died, whose money it settles first. */
  readonly heirOf?: string | undefined;
}

/** The runs that all take from one another. */
export const contested = ["run-0", "run-1", "run-2"] as const;
const whole = 1_000_000;
const ttlMs = 60_000;

export async function begin(store: Store): Promise<void> {
  for (const runId of contested)
    await store.acquire({ runId, owner: "first", now: 0, ttlMs: 0, create: true });
}

/** Both lanes at once, until their turns are over. */
export async function work(worker: Worker): Promise<void> {
  const other = worker.chance.fork();
  await Promise.all([write(worker), spend({ ...worker, chance: other })]);
}

/** A server that is away makes no difference but that nobody knows what became of what was asked. */
async function unlessAway<T>(asked: Promise<T>): Promise<T | "away"> {
  try {
    return await asked;
  } catch (error) {
    const code = FlujoError.isInstance(error) ? error.code : "";
    if (code === "store-corrupt") return "away"; // somebody else has written
    if (code !== "store-unavailable") throw error;
    await pause(100);
    return "away";
  }
}

interface Owned {
  readonly fence: number;
  /** Where the journal goes on, as far as its owner knows. */
  readonly next: number;
}

/** Takes runs, writes to them, alone and two in one commit, and reads them, also when they are another's. */
async function write({ store, name, chance, turns }: Worker): Promise<void> {
  const owned = new Map<string, Owned>();
  let count = 0;
  for (let turn = 0; turn < turns; turn++) {
    const runId = chance.pick(contested);
    const own = owned.get(runId);
    if (own === undefined ? chance.flip() : chance.flip(0.15)) {
      const lease = await unlessAway(seize(store, runId, name));
      owned.delete(runId);
      if (lease === "away" || lease === undefined) continue;
      const entries = await unlessAway(store.read(runId, 0, whole));
      if (entries !== "away") owned.set(runId, { fence: lease.fence, next: entries?.length ?? 0 });
    } else if (chance.flip(0.1)) {
      // One after the other: what came with one commit is seen in all, or in those that are read before.
      for (const one of contested) await unlessAway(store.read(one, 0, whole));
    } else if (own === undefined || chance.flip(0.3)) {
      const entries = await unlessAway(store.read(runId, 0, whole));
      if (own !== undefined && entries !== "away") owned.set(runId, { ...own, next: entries?.length ?? 0 });
    } else {
      const also = contested.filter((one) => one !== runId && owned.has(one) && chance.flip(0.6));
      const appends = [runId, ...also].map((id): Append => {
        const { fence, next } = owned.get(id) as Owned; // one of those it has
        const entries = Array.from({ length: chance.whole(1, 3) }, (_, k) =>
          entry(next + k, `${name}:${count++}`),
        );
        return { runId: id, fence, entries, blobs: [] };
      });
      const outcomes = await unlessAway(store.commit(appends));
      for (const [i, { runId: id, fence, entries }] of appends.entries()) {
        const last = entries.at(-1)?.seq ?? 0;
        if (outcomes !== "away" && outcomes[i] === "appended") owned.set(id, { fence, next: last + 1 });
        else if (outcomes !== "away" || chance.flip()) owned.delete(id); // or it writes on, and may be surprised
      }
    }
    await pause(chance.whole(0, 2));
  }
}

async function seize(store: Store, runId: string, owner: string, create = false): Promise<Lease | undefined> {
  const request: LeaseRequest = { runId, owner, now: 0, ttlMs, ...(create ? { create } : {}) };
  const answer = await store.acquire(request);
  if (answer.outcome === "granted") return answer.lease;
  if (answer.outcome !== "held") return undefined;
  const again = await store.acquire({ ...request, supersede: answer.lease.fence });
  return again.outcome === "granted" ? again.lease : undefined;
}

const entry = (seq: number, output: string): Entry => ({
  ...{ type: "operation-completed", path: "/t", kind: "run", output, took: 0 },
  ...{ seq, at: 0 },
});

const cap = "60";

/** Holds money on one account or two, and settles it with an append of a run of its own, or gives its place up. */
async function spend({ store, name, chance, turns, heirOf }: Worker): Promise<void> {
  if (heirOf !== undefined) await settleAllOf(store, heirOf, name);
  const runId = `own-${name}`;
  let own: Owned | undefined;
  for (let turn = 0; turn < turns; turn++) {
    // Where nobody knows what was written last, the lease is taken anew, and the journal read.
    const isKnown = own !== undefined;
    own ??= await take(store, runId, name);
    if (own === undefined) continue;
    const era = Math.floor(turn / 40); // accounts are full after a while
    const [a, b] = [`a-${era}`, `b-${era}`];
    const scopes = chance.pick([[a], [b], [a, b]]);
    if (!isKnown || chance.flip(0.15)) await unlessAway(store.accounts({ scopes: [a, b] }));
    if (chance.flip(0.03))
      await unlessAway(
        store.ledger({ kind: "amend", scope: a, set: { picoUsd: String(chance.whole(40, 90)) } }),
      );
    own = await buy({ store, runId, own, scopes, chance, id: `${name}:${turn}` });
    await pause(chance.whole(0, 2));
  }
}

async function take(store: Store, runId: string, name: string): Promise<Owned | undefined> {
  const lease = await unlessAway(
    seize(store, runId, name, true).then((made) => made ?? seize(store, runId, name)),
  );
  if (lease === "away" || lease === undefined) return undefined;
  const entries = await unlessAway(store.read(runId, 0, whole));
  return entries === "away" ? undefined : { fence: lease.fence, next: entries?.length ?? 0 };
}

interface Purchase {
  readonly store: Store;
  readonly runId: string;
  readonly own: Owned;
  readonly scopes: readonly string[];
  readonly chance: Chance;
  readonly id: string;
}

/** Returns how the run stands then; undefined when nobody knows. */
async function buy({ store, runId, own, scopes, chance, id }: Purchase): Promise<Owned | undefined> {
  const wanted = chance.whole(1, 12);
  const hold = () =>
    store.ledger({
      ...{ kind: "hold", id, runId, fence: own.fence, path: "/p", now: Date.now(), patienceMs: 60_000 },
      quote: {
        ...{ model: "test:m", inputTokens: 0, outputTokens: { wanted, least: chance.pick([1, wanted]) } },
        rates: { input: 0n, output: 1n },
      },
      accounts: scopes.map((scope) => ({ scope, limits: { picoUsd: cap }, alertAt: [50] })),
    });
  let answer = await unlessAway(hold());
  for (let i = 0; i < 3 && answer !== "away" && answer.outcome === "wait"; i++) {
    await pause(chance.whole(1, 10));
    answer = await unlessAway(hold());
  }
  if (answer === "away" || answer.outcome === "wait")
    await unlessAway(store.ledger({ kind: "leave", ids: [id], scopes }));
  if (answer === "away") return undefined;
  if (answer.outcome !== "granted") return own;
  const cost = chance.whole(0, answer.outputTokens);
  const postings = scopes.map((scope): Posting => ({ scope, hold: id, amount: spent(cost) }));
  const append = { runId, fence: own.fence, entries: [entry(own.next, id)], blobs: [], postings };
  const outcomes = await unlessAway(store.commit([append]));
  return outcomes !== "away" && outcomes[0] === "appended" ? { ...own, next: own.next + 1 } : undefined;
}

const spent = (cost: number): Tally =>
  tallyOf({ picoUsd: BigInt(cost), inputTokens: 0, outputTokens: cost, calls: 1, toolCalls: 0 });

/** As the next owner of a run does: its lease first, so that nothing comes after; then all that it holds counts. */
async function settleAllOf(store: Store, dead: string, name: string): Promise<void> {
  const runId = `own-${dead}`;
  for (;;) {
    const own = await take(store, runId, name);
    const accounts = await unlessAway(store.accounts({ heldBy: runId }));
    if (accounts === "away") continue;
    if (own === undefined) {
      if ((await unlessAway(store.read(runId, 0, whole))) === undefined) return; // it died before it began
      continue;
    }
    const postings = accounts.flatMap(({ scope, holds }) =>
      holds
        .filter((held) => held.runId === runId)
        .map(({ id, amount }): Posting => ({ scope, hold: id, amount })),
    );
    const append = {
      runId,
      fence: own.fence,
      entries: [entry(own.next, `${name}:heir`)],
      blobs: [],
      postings,
    };
    const outcomes = await unlessAway(store.commit([append]));
    if (outcomes !== "away" && outcomes[0] === "appended") return;
  }
}
