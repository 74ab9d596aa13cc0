/** Stores that break one promise each: the history of what is asked of them must tell. In one process, in memory. */
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Account, decide, type LedgerRequest } from "../../../src/core/account.ts";
import type { Entry } from "../../../src/core/entries.ts";
import type { AppendOutcome, Store } from "../../../src/ports/store.ts";
import { memory } from "../../../src/stores/memory.ts";
import { chance } from "../../../src/testing/chance.ts";
import { callsIn } from "../../../src/testing/history/call.ts";
import { checkJournals } from "../../../src/testing/history/journals.ts";
import { checkLedger } from "../../../src/testing/history/ledger.ts";
import { recorded } from "../../../src/testing/history/recorded.ts";
import { sharedClock } from "./clock.ts";
import { begin, contested, work } from "./work.ts";

const turns = 40;

/** What four who work at once, on one store, make known of it. */
async function judged(store: Store, seed: number): Promise<readonly string[]> {
  const lines: string[] = [];
  const watched = (process: string): Store =>
    recorded(store, { process, now: sharedClock, write: (line) => lines.push(line) });
  const mine = watched("driver");
  await begin(mine);
  const names = ["p0", "p1", "p2", "p3"];
  await Promise.all(
    names.map((name, i) => work({ store: watched(name), name, chance: chance(seed * 10 + i), turns })),
  );
  for (const runId of [...contested, ...names.map((name) => `own-${name}`)])
    await mine.read(runId, 0, 1_000_000);
  await mine.accounts({ scopes: ["a-0", "b-0"] });
  const history = callsIn([lines.join("")]);
  return [...checkJournals(history), ...checkLedger(history)];
}

/** A store in memory whose calls take some time, so that they come between one another. */
function slow(store: Store = memory()): Store {
  const some = chance(5);
  const late = async <T>(work: () => Promise<T>): Promise<T> => {
    await pause(some.whole(0, 1));
    const answer = await work();
    await pause(some.whole(0, 1));
    return answer;
  };
  return {
    ...store,
    commit: (appends) => late(() => store.commit(appends)),
    read: (runId, from, limit) => late(() => store.read(runId, from, limit)),
    acquire: (request) => late(() => store.acquire(request)),
    ledger: (request) => late(() => store.ledger(request)),
    accounts: (filter) => late(() => store.accounts(filter)),
  };
}

describe("a history of a store in memory", () => {
  it.each([1, 2, 3])("fits some order, of whatever four ask at once: seed %i", async (seed) => {
    expect(await judged(slow(), seed)).toEqual([]);
  });
});

describe("a history tells of a store", () => {
  it.each<[claim: string, make: () => Store, finds: RegExp]>([
    ["that acknowledges an append and forgets it", forgettingAppends, /no order|others say|nobody knows/],
    ["that answers a look from a moment ago", lookingBack, /no order/],
    ["that lets a stale owner write", withoutFence, /no order/],
    ["that does one commit in two steps", inTwoSteps, /no order/],
    ["that grants a lease to two", grantingTwice, /were granted one fence/],
    ["whose ledger decides on what stood a moment ago", () => keeping({ isTorn: true }), /can come next/],
    ["whose ledger heeds no fence", () => keeping({ checksFence: false }), /can come next/],
    ["whose commits settle nothing", () => keeping({ posts: false }), /can come next/],
    ["whose ledger refuses now and then what fits", refusing, /can come next/],
    ["that shows accounts of a moment ago", accountsOfBefore, /can come next/],
  ])("%s", async (_, make, finds) => {
    const found: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      found.push(...(await judged(slow(make()), seed)));
      if (found.some((violation) => finds.test(violation))) return;
    }
    expect.fail(`not found in 20 seeds; found: ${found.slice(0, 5).join("\n")}`);
  });
});

function forgettingAppends(): Store {
  const store = memory();
  let commits = 0;
  return {
    ...store,
    commit: async (appends) =>
      ++commits % 20 === 0 ? appends.map(() => "appended" as const) : store.commit(appends),
  };
}

function lookingBack(): Store {
  const store = memory();
  const before = new Map<string, readonly Entry[] | undefined>();
  let reads = 0;
  return {
    ...store,
    async read(runId, from, limit) {
      const entries = await store.read(runId, from, limit);
      const old = before.get(runId) ?? entries;
      before.set(runId, entries);
      return ++reads % 10 === 0 ? old : entries;
    },
  };
}

function withoutFence(): Store {
  const store = memory();
  const fences = new Map<string, number>();
  return {
    ...store,
    async acquire(request) {
      const answer = await store.acquire(request);
      if (answer.outcome === "granted") fences.set(request.runId, answer.lease.fence);
      return answer;
    },
    commit: (appends) =>
      store.commit(appends.map((append) => ({ ...append, fence: fences.get(append.runId) ?? append.fence }))),
  };
}

function inTwoSteps(): Store {
  const store = memory();
  return {
    ...store,
    async commit(appends) {
      const outcomes: AppendOutcome[] = [];
      for (const append of appends) {
        outcomes.push(...(await store.commit([append])));
        await pause(10);
      }
      return outcomes;
    },
  };
}

function grantingTwice(): Store {
  const store = memory();
  let leases = 0;
  return {
    ...store,
    async acquire(request) {
      const answer = await store.acquire(request);
      const isMistaken = answer.outcome === "held" && ++leases % 5 === 0;
      return isMistaken ? { outcome: "granted", lease: { ...answer.lease, owner: request.owner } } : answer;
    },
  };
}

interface Rules {
  readonly checksFence?: boolean;
  readonly posts?: boolean;
  /** Others may change an account between the look at it and the writing. */
  readonly isTorn?: boolean;
}

/** A store that keeps a ledger of its own. */
function keeping({ checksFence = true, posts = true, isTorn = false }: Rules): Store {
  const store = memory();
  const accounts = new Map<string, Account>();
  const change = async (request: LedgerRequest) => {
    const { answer, changed } = decide((scope) => accounts.get(scope), request);
    if (isTorn) await pause(1);
    for (const account of changed) accounts.set(account.scope, account);
    return answer;
  };
  return {
    ...store,
    async commit(appends) {
      const outcomes = await store.commit(appends.map(({ postings: _, ...append }) => append));
      for (const [i, { postings = [] }] of appends.entries())
        if (posts && outcomes[i] === "appended") await change({ kind: "settle", postings });
      return outcomes;
    },
    async ledger(request) {
      if (request.kind === "hold") {
        // Nobody but its owner has such a run: a fence is stale here when one is made so.
        const { runId, fence } = request;
        const [outcome] = await store.commit([{ runId, fence, entries: [], blobs: [] }]);
        const isStale = outcome === "fenced";
        if (isStale && checksFence) return { outcome: "fenced" };
        if (!isStale && !checksFence) await store.acquire({ runId, owner: "other", now: 1e15, ttlMs: 0 });
      }
      return change(request);
    },
    accounts: async ({ scopes = [] }) =>
      [...accounts.values()]
        .filter(({ scope }) => scopes.includes(scope))
        .sort((a, b) => (a.scope < b.scope ? -1 : 1)),
  };
}

function refusing(): Store {
  const store = memory();
  let asked = 0;
  let last: Awaited<ReturnType<Store["ledger"]>> | undefined;
  return {
    ...store,
    async ledger(request) {
      if (request.kind === "hold" && last !== undefined && ++asked % 10 === 0) return last;
      const answer = await store.ledger(request);
      if (answer.outcome === "refused") last = answer;
      return answer;
    },
  };
}

function accountsOfBefore(): Store {
  const store = memory();
  let before: readonly Account[] = [];
  let looks = 0;
  return {
    ...store,
    async accounts(filter) {
      const now = await store.accounts(filter);
      const old = before;
      before = now;
      return ++looks % 5 === 0 ? old : now;
    },
  };
}
