/** Who may write to a run, and what becomes of those who no longer may. */
import assert from "node:assert/strict";
import {
  append,
  type Claims,
  create,
  granted,
  hash,
  outputs,
  request,
  start,
  summary,
  ttlMs,
} from "./bench.ts";

export const fenceClaims: Claims = {
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
    const other = await create(store, "s");
    assert.deepEqual(await store.commit([rich, append(other, 0, "x")]), ["fenced", "appended"]);
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
    const withMore = {
      ...append(lease, 1, "late"),
      summary: summary(),
      blobs: [{ hash: "h", text: "late" }],
    };
    assert.deepEqual(await store.commit([withMore, append(lease, 2, "later")]), ["fenced", "fenced"]);
    assert.deepEqual(await store.list({}), []);
    assert.equal(await store.renew(lease, start + 2 * ttlMs), false);
    const next = granted(await store.acquire(request()));
    assert.deepEqual(await store.commit([append(next, 1, "b")]), ["appended"]);
    assert.deepEqual(await outputs(store), ["a", "b"]);
  },
};

export const leaseClaims: Claims = {
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
