/** Many at once, and several processes on the same data. */
import assert from "node:assert/strict";
import type { LeaseAnswer, Store } from "../../ports/store.ts";
import {
  append,
  type Claims,
  create,
  entries,
  granted,
  hash,
  ids,
  outputs,
  request,
  signal,
  start,
  summary,
  ttlMs,
} from "./bench.ts";

export const crowdClaims: Claims = {
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

export const sharedClaims: Claims = {
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
