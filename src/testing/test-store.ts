import assert from "node:assert/strict";
import type { Entry } from "../core/entries.ts";
import { StoreCorruptError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type {
  Append,
  CacheRecord,
  Lease,
  LeaseAnswer,
  LeaseRequest,
  RunStatus,
  RunSummary,
  Signal,
  Store,
} from "../ports/store.ts";
import { type Bench, type Claims, ledgerClaims, sharedLedgerClaims } from "./test-ledger.ts";

/** A store to be tested, empty. */
export interface StoreUnderTest {
  readonly store: Store;
  /** A second store on the same data, as another process would open it. Leave it out where data cannot be shared. */
  readonly reopen?: () => Promise<Store>;
  /** Called after each test, whatever came of it. The stores are closed by then. */
  readonly dispose?: () => Promise<void>;
}

/** The two words every test runner knows: vitest, `node:test`, jest, mocha. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

const start = 1_700_000_000_000;
const ttlMs = 30_000;

/**
 * The contract of a store, as tests. Whatever passes is one.
 *
 *     import { describe, it } from "node:test";
 *     import { testStore } from "flujo/testing";
 *
 *     testStore("my store", async () => ({ store: await myStore() }), { describe, it });
 *
 * @param make is called once for each test.
 */
export function testStore(name: string, make: () => Promise<StoreUnderTest>, runner: TestRunner): void {
  const claims: readonly [section: string, claims: Claims][] = [
    ["journal", journal],
    ["fence", fence],
    ["lease", lease],
    ["list", list],
    ["blobs, signals, cache", besides],
    ["notes", noted],
    ["removal", removal],
    ["content", content],
    ["many at once", crowd],
    ["another process", shared],
    ["shared ledger", ledgerClaims],
    ["shared ledger, another process", sharedLedgerClaims],
  ];
  runner.describe(`${name}: the contract of a store`, () => {
    for (const [section, tests] of claims) {
      runner.describe(section, () => {
        for (const [claim, test] of Object.entries(tests)) runner.it(claim, () => run(make, test));
      });
    }
  });
}

async function run(
  make: () => Promise<StoreUnderTest>,
  test: (bench: Bench) => Promise<void>,
): Promise<void> {
  const made = await make();
  const opened = [made.store];
  const other = async (): Promise<Store> => {
    if (made.reopen === undefined) return made.store;
    const store = await made.reopen();
    opened.push(store);
    return store;
  };
  try {
    await test({ store: made.store, other });
  } finally {
    for (const store of opened) await store.close();
    await made.dispose?.();
  }
}

const journal: Claims = {
  async "gives back entries in the order they were added"({ store }) {
    const lease = await create(store);
    assert.deepEqual(await store.commit([append(lease, 0, "a", "b")]), ["appended"]);
    assert.deepEqual(await store.commit([append(lease, 2, "c")]), ["appended"]);
    assert.deepEqual(await outputs(store), ["a", "b", "c"]);
    assert.deepEqual(await store.read("r", 0, 10), entries(0, "a", "b", "c"));
  },

  async "reads pages, and nothing past the end"({ store }) {
    const lease = await create(store);
    await store.commit([append(lease, 0, "a", "b", "c"), append(lease, 3, "d")]);
    await store.commit([append(lease, 4, "e")]);
    assert.deepEqual(await store.read("r", 1, 2), entries(1, "b", "c"));
    assert.deepEqual(await store.read("r", 3, 2), entries(3, "d", "e"));
    assert.deepEqual(await store.read("r", 2, 1), entries(2, "c"));
    assert.deepEqual(await store.read("r", 4, 9), entries(4, "e"));
    assert.deepEqual(await store.read("r", 5, 9), []);
    assert.deepEqual(await store.read("r", 99, 9), []);
    assert.deepEqual(await store.read("r", 0, 1), entries(0, "a"));
  },

  async "knows an empty journal from an unknown run"({ store }) {
    await create(store);
    assert.deepEqual(await store.read("r", 0, 10), []);
    assert.equal(await store.read("s", 0, 10), undefined);
    assert.equal(await store.read("../r", 0, 10), undefined);
  },

  async "adds several appends in order, those of one run too"({ store }) {
    const [r, s] = [await create(store, "r"), await create(store, "s")];
    const outcomes = await store.commit([
      append(r, 0, "a"),
      append(s, 0, "x"),
      append(r, 1, "b"),
      append(s, 1, "y"),
    ]);
    assert.deepEqual(outcomes, ["appended", "appended", "appended", "appended"]);
    assert.deepEqual(await outputs(store, "r"), ["a", "b"]);
    assert.deepEqual(await outputs(store, "s"), ["x", "y"]);
  },

  async "takes an empty commit, and an append without entries"({ store }) {
    const lease = await create(store);
    assert.deepEqual(await store.commit([]), []);
    assert.deepEqual(await store.commit([{ ...append(lease, 0), summary: summary({ calls: 7 }) }]), [
      "appended",
    ]);
    assert.deepEqual(await store.commit([append(lease, 0, "a")]), ["appended"]);
    assert.deepEqual(await outputs(store), ["a"]);
    assert.equal((await store.list({}))[0]?.calls, 7);
  },

  async "refuses a gap and a repetition, whole, and goes on afterwards"({ store }) {
    const lease = await create(store);
    await store.commit([append(lease, 0, "a", "b")]);
    await assert.rejects(store.commit([append(lease, 3, "gap")]), StoreCorruptError);
    await assert.rejects(store.commit([append(lease, 1, "again")]), StoreCorruptError);
    await assert.rejects(store.commit([append(lease, 0, "again")]), StoreCorruptError);
    const inside: Append = { ...append(lease, 2), entries: [...entries(2, "c"), ...entries(4, "e")] };
    await assert.rejects(store.commit([inside]), StoreCorruptError);
    assert.deepEqual(await outputs(store), ["a", "b"]);
    assert.deepEqual(await store.commit([append(lease, 2, "c")]), ["appended"]);
    assert.deepEqual(await outputs(store), ["a", "b", "c"]);
  },

  async "keeps nothing of a commit that throws"({ store }) {
    const [r, s] = [await create(store, "r"), await create(store, "s")];
    const good = { ...append(r, 0, "a"), blobs: [{ hash: hash("b"), text: "b" }], summary: summary() };
    await assert.rejects(store.commit([good, append(s, 5, "gap")]), StoreCorruptError);
    assert.deepEqual(await outputs(store, "r"), []);
    assert.deepEqual(await outputs(store, "s"), []);
    assert.deepEqual(await store.list({}), []);
    assert.deepEqual(await store.commit([good, append(s, 0, "x")]), ["appended", "appended"]);
  },

  async "holds 10,000 entries, read page by page"({ store }) {
    const lease = await create(store);
    const count = 10_000;
    for (let seq = 0; seq < count; seq += 500) {
      await store.commit([append(lease, seq, ...Array.from({ length: 500 }, (_, i) => `entry ${seq + i}`))]);
    }
    const read: Entry[] = [];
    for (
      let page = await store.read("r", 0, 700);
      page?.length;
      page = await store.read("r", read.length, 700)
    ) {
      read.push(...page);
    }
    assert.equal(read.length, count);
    assert.deepEqual(
      read.map(output),
      Array.from({ length: count }, (_, i) => `entry ${i}`),
    );
    assert.equal((await store.read("r", 0, count + 1))?.length, count);
  },
};

const fence: Claims = {
  async "refuses a stale owner, alone in its commit"({ store }) {
    const [old, s] = [await create(store, "r"), await create(store, "s")];
    await store.commit([append(old, 0, "a")]);
    const fresh = granted(await store.acquire({ ...request("r"), now: old.expiresAt }));
    assert.deepEqual(await store.commit([append(old, 1, "stale"), append(s, 0, "x")]), [
      "fenced",
      "appended",
    ]);
    assert.deepEqual(await store.commit([append(old, 1, "stale")]), ["fenced"]);
    assert.deepEqual(await outputs(store), ["a"]);
    assert.deepEqual(await store.commit([append(fresh, 1, "b"), append(old, 2, "stale")]), [
      "appended",
      "fenced",
    ]);
    assert.deepEqual(await outputs(store), ["a", "b"]);
    assert.deepEqual(await outputs(store, "s"), ["x"]);
  },

  async "refuses a stale owner whatever its entries are numbered, and its summary and blobs too"({ store }) {
    const old = await create(store);
    await store.commit([{ ...append(old, 0, "a"), summary: summary() }]);
    granted(await store.acquire({ ...request(), supersede: old.fence }));
    for (const seq of [0, 1, 9])
      assert.deepEqual(await store.commit([append(old, seq, "stale")]), ["fenced"]);
    const rich = {
      ...append(old, 1, "z"),
      summary: summary({ calls: 9 }),
      blobs: [{ hash: hash("z"), text: "z" }],
    };
    assert.deepEqual(await store.commit([rich]), ["fenced"]);
    assert.equal(await store.blob(hash("z")), undefined);
    assert.equal((await store.list({}))[0]?.calls, 0);
    assert.deepEqual(await outputs(store), ["a"]);
  },

  async "refuses fences that were never granted, and unknown runs"({ store }) {
    const lease = await create(store);
    assert.deepEqual(await store.commit([append({ ...lease, fence: 2 }, 0, "a")]), ["fenced"]);
    assert.deepEqual(await store.commit([append({ ...lease, fence: 0 }, 0, "a")]), ["fenced"]);
    assert.deepEqual(await store.commit([append({ ...lease, runId: "s" }, 0, "a")]), ["fenced"]);
    assert.deepEqual(await store.commit([append({ ...lease, runId: "../s" }, 0, "a")]), ["fenced"]);
    assert.deepEqual(await outputs(store), []);
  },

  async "lets an owner whose lease has merely expired go on"({ store }) {
    const lease = await create(store, "r", { ttlMs: 0 });
    assert.deepEqual(await store.commit([append(lease, 0, "a")]), ["appended"]);
  },

  async "refuses an owner that gave its lease back"({ store }) {
    const lease = await create(store);
    await store.commit([append(lease, 0, "a")]);
    await store.release(lease);
    assert.deepEqual(await store.commit([append(lease, 1, "late")]), ["fenced"]);
    assert.equal(await store.renew(lease, start + 2 * ttlMs), false);
    const next = granted(await store.acquire(request()));
    assert.deepEqual(await store.commit([append(next, 1, "b")]), ["appended"]);
    assert.deepEqual(await outputs(store), ["a", "b"]);
  },
};

const lease: Claims = {
  async "makes a run once"({ store }) {
    const lease = await create(store);
    assert.deepEqual(lease, { runId: "r", owner: "me", fence: 1, expiresAt: start + ttlMs });
    assert.deepEqual(await store.acquire({ ...request(), create: true }), { outcome: "exists" });
    await store.release(lease);
    assert.deepEqual(await store.acquire({ ...request(), create: true }), { outcome: "exists" });
  },

  async "knows no run that was not made"({ store }) {
    assert.deepEqual(await store.acquire(request()), { outcome: "unknown" });
    assert.equal(await store.read("r", 0, 1), undefined);
    assert.deepEqual(await store.signals("r"), []);
    assert.equal(await store.renew({ ...request(), fence: 1, expiresAt: 0 }, start), false);
    await store.release({ ...request(), fence: 1, expiresAt: 0 });
    assert.deepEqual(await store.list({}), []);
  },

  async "makes no run whose id is none"({ store }) {
    for (const runId of ["", "../x", "a/b", ".", "..", "-x", "a b", "a\0b", "x".repeat(129)]) {
      await assert.rejects(
        store.acquire({ ...request(runId), create: true }),
        { code: "invalid-run-id" },
        runId,
      );
      assert.deepEqual(await store.acquire(request(runId)), { outcome: "unknown" });
    }
    granted(await store.acquire({ ...request("x".repeat(128)), create: true }));
  },

  async "says who holds a lease, until it expires"({ store }) {
    const first = await create(store);
    const asked = { ...request(), owner: "you" };
    assert.deepEqual(await store.acquire(asked), { outcome: "held", lease: first });
    assert.deepEqual(await store.acquire({ ...asked, now: first.expiresAt - 1 }), {
      outcome: "held",
      lease: first,
    });
    const next = granted(await store.acquire({ ...asked, now: first.expiresAt }));
    assert.deepEqual(next, { runId: "r", owner: "you", fence: 2, expiresAt: first.expiresAt + ttlMs });
    assert.deepEqual(await store.acquire({ ...asked, now: first.expiresAt }), {
      outcome: "held",
      lease: next,
    });
  },

  async "is not granted to its own owner twice"({ store }) {
    const lease = await create(store);
    assert.deepEqual(await store.acquire(request()), { outcome: "held", lease });
  },

  async "is granted at once when the one it supersedes is the present one"({ store }) {
    const first = await create(store);
    const second = granted(await store.acquire({ ...request(), supersede: first.fence }));
    assert.equal(second.fence, 2);
    assert.deepEqual(await store.acquire({ ...request(), supersede: first.fence }), {
      outcome: "held",
      lease: second,
    });
  },

  async "is free as soon as it is given back, under a higher fence"({ store }) {
    for (let fence = 1; fence <= 5; fence++) {
      const lease = fence === 1 ? await create(store) : granted(await store.acquire(request()));
      assert.equal(lease.fence, fence);
      await store.release(lease);
    }
  },

  async "is extended by its owner"({ store }) {
    const lease = await create(store);
    assert.equal(await store.renew(lease, start + 5 * ttlMs), true);
    const answer = await store.acquire({ ...request(), now: start + 4 * ttlMs });
    assert.deepEqual(answer, { outcome: "held", lease: { ...lease, expiresAt: start + 5 * ttlMs } });
    assert.equal(await store.renew(lease, start + 6 * ttlMs), true);
    assert.deepEqual(await store.commit([append(lease, 0, "a")]), ["appended"]);
    assert.equal(granted(await store.acquire({ ...request(), now: start + 6 * ttlMs })).fence, 2);
  },

  async "can be extended after it expired, while nobody took it"({ store }) {
    const lease = await create(store, "r", { ttlMs: 0 });
    assert.equal(await store.renew(lease, start + ttlMs), true);
    assert.equal((await store.acquire(request())).outcome, "held");
  },

  async "is neither extended nor given back by a stale owner"({ store }) {
    const old = await create(store);
    const fresh = granted(await store.acquire({ ...request(), supersede: old.fence }));
    assert.equal(await store.renew(old, start + 9 * ttlMs), false);
    await store.release(old);
    assert.deepEqual(await store.acquire(request()), { outcome: "held", lease: fresh });
    assert.deepEqual(await store.commit([append(fresh, 0, "a")]), ["appended"]);
  },
};

const list: Claims = {
  async "shows runs from their first summary on, with the last one and the lease"({ store }) {
    const lease = await create(store);
    await store.commit([append(lease, 0, "a")]);
    assert.deepEqual(await store.list({}), []);
    await store.commit([{ ...append(lease, 1, "b"), summary: summary() }]);
    assert.deepEqual(await store.list({}), [{ ...summary(), runId: "r", lease }]);
    const last = summary({
      status: "completed",
      picoUsd: "123456789012345678901234567890",
      updatedAt: start + 5,
    });
    await store.commit([{ ...append(lease, 2, "c"), summary: last }, append(lease, 3, "d")]);
    await store.release(lease);
    assert.deepEqual(await store.list({}), [{ ...last, runId: "r" }]);
  },

  async "keeps the summary over a change of owner, and after much else"({ store }) {
    const first = await create(store);
    await store.commit([{ ...append(first, 0, "a"), summary: summary({ calls: 3 }) }]);
    await store.commit([append(first, 1, "x".repeat(200_000))]);
    assert.equal((await store.list({}))[0]?.calls, 3);
    const second = granted(await store.acquire({ ...request(), supersede: 1, owner: "you" }));
    assert.deepEqual(await store.list({}), [{ ...summary({ calls: 3 }), runId: "r", lease: second }]);
  },

  async "puts the newest first, and of those of one moment the later id"({ store }) {
    await fill(store, {
      a1: { createdAt: start + 1 },
      a3: { createdAt: start + 3 },
      a2: { createdAt: start + 3 },
    });
    assert.deepEqual(await ids(store, {}), ["a3", "a2", "a1"]);
  },

  async "filters by status, pipeline and id, and stops at the limit"({ store }) {
    await fill(store, {
      "a-1": { createdAt: start + 4, status: "failed" },
      "a-2": { createdAt: start + 3, status: "completed", pipeline: "other" },
      a_3: { createdAt: start + 2, status: "failed", pipeline: "other" },
      "A-4": { createdAt: start + 1, status: "waiting" },
    });
    assert.deepEqual(await ids(store, { status: ["failed"] }), ["a-1", "a_3"]);
    assert.deepEqual(await ids(store, { status: ["waiting", "completed"] }), ["a-2", "A-4"]);
    assert.deepEqual(await ids(store, { status: [] }), []);
    assert.deepEqual(await ids(store, { pipeline: "other" }), ["a-2", "a_3"]);
    assert.deepEqual(await ids(store, { pipeline: ["other", "none"] }), ["a-2", "a_3"]);
    assert.deepEqual(await ids(store, { pipeline: [] }), []);
    assert.deepEqual(await ids(store, { idPrefix: "a-" }), ["a-1", "a-2"]);
    assert.deepEqual(await ids(store, { idPrefix: "a_" }), ["a_3"]);
    assert.deepEqual(await ids(store, { idPrefix: "%" }), []);
    assert.deepEqual(await ids(store, { limit: 2 }), ["a-1", "a-2"]);
    assert.deepEqual(await ids(store, { status: ["failed"], pipeline: "other", idPrefix: "a", limit: 5 }), [
      "a_3",
    ]);
  },

  async "filters by when runs were made and have changed"({ store }) {
    await fill(store, {
      c: { createdAt: start + 3, updatedAt: start + 3 },
      b: { createdAt: start + 2, updatedAt: start + 9 },
      a: { createdAt: start + 1, updatedAt: start + 2 },
    });
    assert.deepEqual(await ids(store, { createdFrom: start + 2 }), ["c", "b"]);
    assert.deepEqual(await ids(store, { createdBefore: start + 3 }), ["b", "a"]);
    assert.deepEqual(await ids(store, { createdFrom: start + 2, createdBefore: start + 3 }), ["b"]);
    assert.deepEqual(await ids(store, { updatedFrom: start + 3 }), ["c", "b"]);
    assert.deepEqual(await ids(store, { updatedFrom: start + 9, status: ["running"] }), ["b"]);
  },

  async "lists page by page, whatever is made meanwhile, each run once"({ store }) {
    const made = ["d", "c", "b", "a", "Z"];
    await fill(store, Object.fromEntries(made.map((id) => [id, { createdAt: start + (id < "c" ? 1 : 2) }])));
    const seen: string[] = [];
    let after: { createdAt: number; runId: string } | undefined;
    do {
      const page = await store.list({ limit: 2, ...(after === undefined ? {} : { after }) });
      after = page.at(-1);
      for (const { runId } of page) {
        seen.push(runId);
        await fill(store, { [`new-${runId}`]: { createdAt: start + 3 } });
      }
    } while (after !== undefined);
    assert.deepEqual(seen, ["d", "c", "b", "a", "Z"]);
    assert.deepEqual(await ids(store, { after: { createdAt: start + 1, runId: "aa" } }), ["a", "Z"]);
    assert.deepEqual(await ids(store, { after: { createdAt: start + 2, runId: "c" }, idPrefix: "Z" }), ["Z"]);
  },

  async "finds the runs that are due, those first that are due first"({ store }) {
    await fill(store, {
      late: { status: "waiting", wakeAt: start + 30 },
      soon: { status: "waiting", wakeAt: start + 10, pipeline: "other" },
      twin: { status: "waiting", wakeAt: start + 10 },
      asks: { status: "waiting" },
      done: { status: "completed" },
    });
    assert.deepEqual(await ids(store, { dueBefore: start + 9 }), []);
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["soon", "twin"]);
    assert.deepEqual(await ids(store, { dueBefore: Number.MAX_SAFE_INTEGER }), ["soon", "twin", "late"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 99, pipeline: "test" }), ["twin", "late"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 99, limit: 1 }), ["soon"]);
    const found = await store.list({ dueBefore: start + 99, status: ["waiting"] });
    assert.deepEqual(
      found.map(({ wakeAt }) => wakeAt),
      [start + 10, start + 10, start + 30],
    );
  },

  async "finds the waiting runs that were sent what they have not heard, before those that are due"({
    store,
  }) {
    await fill(store, {
      due: { status: "waiting", wakeAt: start + 10 },
      told: { status: "waiting", wakeAt: start + 99, heard: 1 },
      asks: { status: "waiting" },
      runs: { status: "running" },
      done: { status: "completed" },
    });
    for (const runId of ["told", "asks", "runs", "done"]) await store.send(runId, signal("a", 1));
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["asks", "due"]);
    await store.send("asks", signal("a", 1));
    await store.send("told", signal("b", 2));
    await store.send("told", signal("c", 3));
    const found = await store.list({ dueBefore: start + 10 });
    assert.deepEqual(
      found.map(({ runId, unheard }) => [runId, unheard]),
      [
        ["asks", 1],
        ["told", 2],
        ["due", undefined],
      ],
    );
    assert.deepEqual(await ids(store, { dueBefore: start + 10, limit: 1 }), ["asks"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 10, pipeline: "other" }), []);
    const lease = granted(await store.acquire({ runId: "asks", owner: "me", now: start + 9 * ttlMs, ttlMs }));
    const heard = { ...append(lease, 1, "heard"), summary: summary({ status: "waiting", heard: 1 }) };
    await store.commit([heard]);
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["told", "due"]);
  },

  async "finds the running runs whose lease ends before a moment, those first that nobody has had for longest"({
    store,
  }) {
    await fill(store, { late: {}, soon: { pipeline: "other" }, given: {}, asks: { status: "waiting" } });
    const leases = new Map((await store.list({})).map((run) => [run.runId, run.lease as Lease])); // `fill` keeps them
    await store.renew(leases.get("late") as Lease, start + 30);
    await store.renew(leases.get("soon") as Lease, start + 20);
    await store.release(leases.get("given") as Lease);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 20 }), ["given"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31 }), ["given", "soon", "late"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31, limit: 2 }), ["given", "soon"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31, pipeline: "other" }), ["soon"]);
  },

  async "forgets when a run was due once its summary says nothing of it"({ store }) {
    const lease = await create(store);
    const waiting = summary({ status: "waiting", wakeAt: start + 10 });
    await store.commit([{ ...append(lease, 0, "a"), summary: waiting }]);
    assert.deepEqual(await store.list({}), [{ ...waiting, runId: "r", lease }]);
    await store.commit([{ ...append(lease, 1, "b"), summary: summary() }]);
    assert.deepEqual(await store.list({}), [{ ...summary(), runId: "r", lease }]);
    assert.deepEqual(await store.list({ dueBefore: start + 99 }), []);
  },

  async "shows 100 runs unless told otherwise"({ store }) {
    await fill(
      store,
      Object.fromEntries(Array.from({ length: 102 }, (_, i) => [`run-${i}`, { createdAt: start + i }])),
    );
    const shown = await ids(store, {});
    assert.equal(shown.length, 100);
    assert.deepEqual([shown[0], shown[99]], ["run-101", "run-2"]);
    assert.equal((await ids(store, { limit: 1_000 })).length, 102);
  },
};

const besides: Claims = {
  async "keeps a blob once by its hash"({ store }) {
    const lease = await create(store);
    const blob = { hash: hash("big"), text: "big \u0000 ñ 日本 🌊" };
    await store.commit([{ ...append(lease, 0, "a"), blobs: [blob] }]);
    await store.commit([{ ...append(lease, 1, "b"), blobs: [blob, blob] }]);
    assert.equal(await store.blob(blob.hash), blob.text);
    assert.equal(await store.blob(hash("none")), undefined);
  },

  async "takes any text as a hash"({ store }) {
    const lease = await create(store);
    const blobs = ["../../x", "sha256:Ab+/=", "a"].map((text) => ({ hash: text, text }));
    await store.commit([{ ...append(lease, 0, "a"), blobs }]);
    for (const { hash, text } of blobs) assert.equal(await store.blob(hash), text);
  },

  async "keeps signals in the order sent, each id once"({ store }) {
    await create(store);
    const sent = ["b", "a", "c/../d", "ñ\0", "2", "10"].map((id, i) => signal(id, { i }));
    for (const one of sent) assert.equal(await store.send("r", one), true);
    assert.equal(await store.send("r", signal("a", "another")), true);
    assert.deepEqual(await store.signals("r"), sent);
    const named = { ...signal("named", 1), by: "ana" };
    await store.send("r", named);
    assert.deepEqual((await store.signals("r")).at(-1), named);
  },

  async "sends no signal to an unknown run"({ store }) {
    assert.equal(await store.send("r", signal("a", 1)), false);
    assert.equal(await store.send("../r", signal("a", 1)), false);
    assert.deepEqual(await store.signals("r"), []);
  },

  async "keeps cached results until they expire, the latest for each key"({ store }) {
    const key = "any key: ../x 🌊";
    assert.equal(await store.cacheGet(key, start), undefined);
    await store.cachePut(key, { value: { a: [1, null] }, expiresAt: start + 10 });
    assert.deepEqual(await store.cacheGet(key, start + 9), {
      value: { a: [1, null] },
      expiresAt: start + 10,
    });
    assert.equal(await store.cacheGet(key, start + 10), undefined);
    const forever: CacheRecord = { value: null };
    await store.cachePut(key, forever);
    assert.deepEqual(await store.cacheGet(key, Number.MAX_SAFE_INTEGER), forever);
    assert.equal(await store.cacheGet("another", start), undefined);
  },
};

const noted: Claims = {
  async "keeps a note, changed and removed only by who has seen its present version"({ store }) {
    const first = await store.putNote("a/b", { n: 1 }, undefined);
    assert.equal(typeof first, "string");
    assert.equal(await store.putNote("a/b", { n: 2 }, undefined), undefined);
    assert.equal(await store.putNote("a/b", { n: 2 }, "another version"), undefined);
    assert.deepEqual(await store.notes({ prefix: "a/b" }), [{ key: "a/b", value: { n: 1 }, version: first }]);
    const second = await store.putNote("a/b", { n: 2 }, first);
    assert.notEqual(second, first);
    assert.equal(await store.putNote("a/b", { n: 3 }, first), undefined);
    assert.equal(await store.dropNote("a/b", first as string), false);
    assert.equal(await store.dropNote("a/b", second as string), true);
    assert.equal(await store.dropNote("a/b", second as string), false);
    assert.deepEqual(await store.notes({ prefix: "" }), []);
  },

  async "never takes a note that was removed and made again for the one that was seen"({ store }) {
    const first = (await store.putNote("k", 1, undefined)) as string;
    await store.dropNote("k", first);
    const again = await store.putNote("k", 1, undefined);
    assert.notEqual(again, first);
    assert.equal(await store.putNote("k", 2, first), undefined);
    assert.equal(await store.dropNote("k", first), false);
  },

  async "lists notes by key, those that begin so, page by page"({ store }) {
    for (const key of ["b/2", "a", "b/10", "b", "b/1", "B/1", "b0", "b/~ %_"])
      await store.putNote(key, null, undefined);
    const keys = async (filter: Parameters<Store["notes"]>[0]): Promise<string[]> =>
      (await store.notes(filter)).map(({ key }) => key);
    assert.deepEqual(await keys({ prefix: "" }), ["B/1", "a", "b", "b/1", "b/10", "b/2", "b/~ %_", "b0"]);
    assert.deepEqual(await keys({ prefix: "b/" }), ["b/1", "b/10", "b/2", "b/~ %_"]);
    assert.deepEqual(await keys({ prefix: "b/1" }), ["b/1", "b/10"]);
    assert.deepEqual(await keys({ prefix: "b/", limit: 2 }), ["b/1", "b/10"]);
    assert.deepEqual(await keys({ prefix: "b/", after: "b/10", limit: 2 }), ["b/2", "b/~ %_"]);
    assert.deepEqual(await keys({ prefix: "c" }), []);
  },

  async "takes any value, and no key but printable ASCII"({ store }) {
    const value = { text: 'ñ 日本 🌊 \0 "', list: [1.5, true, null], deep: { deep: {} } };
    await store.putNote("~ %2F ../x", value, undefined);
    assert.deepEqual((await store.notes({ prefix: "~" }))[0]?.value, value);
    for (const key of ["", "ñ", "a\0", "a\n", "x".repeat(401)])
      await assert.rejects(store.putNote(key, 1, undefined), { code: "invalid-option" }, key);
  },

  async "lets one of many win, here and in another process"({ store, other }) {
    const stores = [store, await other()];
    const seen = await store.putNote("k", 0, undefined);
    const tries = Array.from({ length: 20 }, (_, i) => (stores[i % 2] as Store).putNote("k", i + 1, seen));
    const won = (await Promise.all(tries)).flatMap((version, i) =>
      version === undefined ? [] : [{ version, i }],
    );
    assert.equal(won.length, 1);
    const [{ version, i }] = won as [{ version: string; i: number }]; // counted above
    for (const each of stores) {
      assert.deepEqual(await each.notes({ prefix: "k" }), [{ key: "k", value: i + 1, version }]);
    }
  },
};

const content: Claims = {
  async "gives back every text as it was"({ store }) {
    await echo(store, [
      "ñ 日本 🌊 \u2028\u2029 \ufeff",
      'a\0b\u0001\n\r\t"\\',
      "\ud800 lone \udfff",
      "",
      "'; DROP TABLE runs --",
    ]);
  },

  async "gives back every key as it was"({ store }) {
    const tricky = JSON.parse(
      '{"__proto__":{"a":1},"constructor":2,"":3,"\\u0000":4,"\\ud800":5,"summary":{"calls":1}}',
    );
    await echo(store, [tricky]);
    assert.deepEqual(await store.list({}), []);
  },

  async "gives back numbers and deep values as they were"({ store }) {
    let deep: Json = "bottom";
    for (let i = 0; i < 900; i++) deep = i % 2 ? [deep] : { deep };
    await echo(store, [
      Number.MAX_SAFE_INTEGER,
      5e-324,
      1.7976931348623157e308,
      0.1,
      true,
      null,
      [],
      {},
      deep,
    ]);
  },

  async "takes a value of 10 MB, as an entry and as a blob"({ store }) {
    const lease = await create(store);
    const text = "0123456789ñ日本🌊\n".repeat(600_000);
    await store.commit([{ ...append(lease, 0, "a", text, "z"), blobs: [{ hash: hash("big"), text }] }]);
    assert.deepEqual((await store.read("r", 0, 9))?.map(output), ["a", text, "z"]);
    assert.deepEqual((await store.read("r", 2, 9))?.map(output), ["z"]);
    assert.equal(await store.blob(hash("big")), text);
  },
};

const crowd: Claims = {
  async "makes a run once, however many ask"({ store, other }) {
    const stores = [store, await other()];
    const asked = Array.from({ length: 20 }, (_, i) =>
      (stores[i % 2] as Store).acquire({ ...request(), owner: `owner ${i}`, create: true }),
    );
    const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, [...Array(19).fill("exists"), "granted"]);
  },

  async "grants a free lease to exactly one"({ store, other }) {
    await create(store, "r", { ttlMs: 0 });
    const stores = [store, await other()];
    const asked = Array.from({ length: 20 }, (_, i) =>
      (stores[i % 2] as Store).acquire({ ...request(), owner: `owner ${i}` }),
    );
    const answers = await Promise.all(asked);
    const winners = answers.filter(({ outcome }) => outcome === "granted");
    assert.equal(winners.length, 1);
    const winner = granted(winners[0] as LeaseAnswer);
    assert.equal(winner.fence, 2);
    for (const answer of answers) {
      if (answer.outcome !== "granted") assert.deepEqual(answer, { outcome: "held", lease: winner });
    }
  },

  async "takes many commits of many runs at once"({ store }) {
    const leases = await Promise.all(Array.from({ length: 20 }, (_, i) => create(store, `r${i}`)));
    const commits = leases.flatMap((lease) =>
      Array.from({ length: 10 }, (_, seq) => store.commit([append(lease, seq, `${lease.runId} ${seq}`)])),
    );
    for (const outcome of await Promise.all(commits)) assert.deepEqual(outcome, ["appended"]);
    const together = leases.map((lease) => append(lease, 10, `${lease.runId} 10`));
    assert.deepEqual(
      await store.commit(together),
      leases.map(() => "appended"),
    );
    for (const { runId } of leases) {
      assert.deepEqual(
        await outputs(store, runId),
        Array.from({ length: 11 }, (_, seq) => `${runId} ${seq}`),
      );
    }
  },
};

const shared: Claims = {
  async "sees everything that was acknowledged"({ store, other }) {
    const lease = await create(store);
    const blob = { hash: hash("big"), text: "big" };
    await store.commit([{ ...append(lease, 0, "a"), blobs: [blob], summary: summary() }]);
    await store.send("r", signal("s", 1));
    await store.cachePut("k", { value: 1 });
    const second = await other();
    assert.deepEqual(await outputs(second), ["a"]);
    assert.equal(await second.blob(blob.hash), "big");
    assert.deepEqual(await second.list({}), [{ ...summary(), runId: "r", lease }]);
    assert.deepEqual(await second.signals("r"), [signal("s", 1)]);
    assert.deepEqual(await second.cacheGet("k", start), { value: 1 });
    assert.deepEqual(await second.acquire(request()), { outcome: "held", lease });
    await store.commit([append(lease, 1, "b")]);
    assert.deepEqual(await outputs(second), ["a", "b"]);
    assert.deepEqual(await second.read("r", 1, 9), entries(1, "b"));
  },

  async "takes a run over and shuts the old owner out"({ store, other }) {
    const old = await create(store);
    await store.commit([append(old, 0, "a")]);
    const second = await other();
    for (let round = 0; round < 4; round++) {
      const [mine, yours] = round % 2 ? [store, second] : [second, store];
      const lease = granted(await mine.acquire({ ...request(), supersede: round + 1 }));
      const stale = { ...lease, fence: lease.fence - 1 };
      assert.deepEqual(await yours.commit([append(stale, round + 1, "stale")]), ["fenced"]);
      assert.equal(await yours.renew(stale, start + 9 * ttlMs), false);
      assert.deepEqual(await mine.commit([append(lease, round + 1, `round ${round}`)]), ["appended"]);
    }
    for (const store of [second, await other()]) {
      assert.deepEqual(await outputs(store), ["a", "round 0", "round 1", "round 2", "round 3"]);
      assert.deepEqual(await store.read("r", 3, 1), entries(3, "round 2"));
    }
  },

  async "sees signals from both sides in one order"({ store, other }) {
    await create(store);
    const second = await other();
    const ids = Array.from({ length: 10 }, (_, i) => `signal ${i}`);
    for (const [i, id] of ids.entries()) await (i % 2 ? store : second).send("r", signal(id, i));
    await second.send("r", signal("signal 0", "again"));
    assert.deepEqual(
      (await store.signals("r")).map(({ id }) => id),
      ids,
    );
    assert.deepEqual(await second.signals("r"), await store.signals("r"));
  },

  async "finds everything after the store was closed"({ store, other }) {
    const lease = await create(store);
    await store.commit([{ ...append(lease, 0, "a", "b"), summary: summary() }]);
    const second = await other();
    if (second !== store) await store.close();
    assert.deepEqual(await outputs(second), ["a", "b"]);
    assert.deepEqual(await ids(second, {}), ["r"]);
    const next = granted(await second.acquire({ ...request(), now: lease.expiresAt }));
    assert.deepEqual(await second.commit([append(next, 2, "c")]), ["appended"]);
    assert.deepEqual(await outputs(second), ["a", "b", "c"]);
  },
};

const request = (runId = "r"): LeaseRequest => ({ runId, owner: "me", now: start, ttlMs });

async function create(store: Store, runId = "r", changes: Partial<LeaseRequest> = {}): Promise<Lease> {
  return granted(await store.acquire({ ...request(runId), create: true, ...changes }));
}

function granted(answer: LeaseAnswer): Lease {
  assert.equal(answer.outcome, "granted");
  return (answer as Extract<LeaseAnswer, { outcome: "granted" }>).lease; // asserted above
}

/** One entry for each value, numbered from `seq`. */
function entries(seq: number, ...values: Json[]): Entry[] {
  return values.map((output, i) => ({
    type: "operation-completed",
    path: "/test/step:run#0",
    kind: "run",
    output,
    took: 1,
    seq: seq + i,
    at: start,
  }));
}

const append = (lease: Lease, seq: number, ...values: Json[]): Append => ({
  runId: lease.runId,
  fence: lease.fence,
  entries: entries(seq, ...values),
  blobs: [],
});

const removal: Claims = {
  async "a run that is dropped is gone, with all that was sent to it, and its id is free"({ store }) {
    const lease = await create(store);
    await store.commit([{ ...append(lease, 0, "a"), summary: summary() }]);
    await store.send("r", signal("s", 1));
    await fill(store, { other: {} });
    assert.equal(await store.drop(lease), true);
    assert.equal(await store.read("r", 0, 10), undefined);
    assert.deepEqual(await store.signals("r"), []);
    assert.deepEqual(await ids(store, {}), ["other"]);
    assert.equal((await store.acquire({ ...request(), create: false })).outcome, "unknown");
    assert.deepEqual(await store.commit([append(lease, 1, "b")]), ["fenced"]);
    assert.equal(await store.drop(lease), false);
    const fresh = await create(store);
    await store.commit([append(fresh, 0, "new")]);
    assert.deepEqual(await outputs(store), ["new"]);
    assert.deepEqual(await outputs(store, "other"), ["other"]);
  },

  async "whose lease is not the newest, or was given back, drops nothing"({ store }) {
    const old = await create(store);
    await store.commit([append(old, 0, "a")]);
    await store.release(old);
    assert.equal(await store.drop(old), false);
    const answer = await store.acquire(request());
    assert.equal(answer.outcome, "granted");
    assert.equal(await store.drop(old), false);
    assert.deepEqual(await outputs(store), ["a"]);
  },

  async "a sweep leaves what is used, what a commit brings meanwhile, and what it was not asked about"({
    store,
  }) {
    const lease = await create(store);
    const blobs = ["used", "brought", "litter", "other"].map((text) => ({ hash: hash(text), text }));
    await store.commit([{ ...append(lease, 0, "a"), blobs }]);
    const asked = ["used", "brought", "litter", "never"].map(hash);
    const removed = await store.sweep(asked, async () => {
      const again = blobs.filter(({ text }) => text === "brought");
      await store.commit([{ ...append(lease, 1, "b"), blobs: again }]);
      return new Set([hash("used")]);
    });
    const left = [];
    for (const { hash, text } of blobs) if ((await store.blob(hash)) !== undefined) left.push(text);
    // A store that cannot tell while others write keeps them all.
    assert.deepEqual(
      left,
      removed === 0 ? ["used", "brought", "litter", "other"] : ["used", "brought", "other"],
    );
    assert.ok(removed <= 1);
    assert.equal(await store.sweep([], async () => new Set()), 0);
  },

  async "sweeps side by side do not take for litter what the other has yet to look for"({ store }) {
    const lease = await create(store);
    const [mine, shared] = [hash("mine"), hash("shared")];
    const blobs = [
      { hash: mine, text: "mine" },
      { hash: shared, text: "shared" },
    ];
    await store.commit([{ ...append(lease, 0, "a"), blobs }]);
    await store.sweep([mine, shared], async () => {
      await store.sweep([shared], async () => new Set([shared]));
      return new Set([shared]);
    });
    assert.equal(await store.blob(shared), "shared");
  },
};

const output = (entry: Entry): Json | undefined =>
  entry.type === "operation-completed" ? entry.output : undefined;

async function outputs(store: Store, runId = "r"): Promise<(Json | undefined)[] | undefined> {
  return (await store.read(runId, 0, 1_000))?.map(output);
}

async function echo(store: Store, values: Json[]): Promise<void> {
  const lease = await create(store);
  assert.deepEqual(await store.commit([append(lease, 0, ...values)]), ["appended"]);
  const read = await outputs(store);
  // Compared as text too: deepEqual alone would let an own `__proto__` pass for none.
  assert.equal(JSON.stringify(read), JSON.stringify(values));
  assert.deepEqual(read, values);
}

const summary = (changes: Partial<RunSummary> = {}): RunSummary => ({
  pipeline: "test",
  fingerprint: "f1",
  status: "running" satisfies RunStatus,
  createdAt: start,
  updatedAt: start,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
  ...changes,
});

const signal = (id: string, data: Json): Signal => ({ id, path: "/test/ask", data, at: start });

async function fill(store: Store, runs: { readonly [runId: string]: Partial<RunSummary> }): Promise<void> {
  for (const [runId, changes] of Object.entries(runs)) {
    const lease = await create(store, runId);
    await store.commit([{ ...append(lease, 0, runId), summary: summary(changes) }]);
  }
}

const ids = async (store: Store, filter: Parameters<Store["list"]>[0]): Promise<string[]> =>
  (await store.list(filter)).map(({ runId }) => runId);

/** Text in the form of a hash, without computing one. */
const hash = (text: string): string => Buffer.from(text).toString("hex").padStart(64, "0");
