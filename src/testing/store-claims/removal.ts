/** What is removed, and what must not go with it. */
import assert from "node:assert/strict";
import { append, type Claims, create, fill, hash, ids, outputs, request, signal, summary } from "./bench.ts";

export const removalClaims: Claims = {
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

  async "a run that was sent more than whoever drops it knows of stays, and so does what it was sent"({
    store,
  }) {
    const lease = await create(store);
    await store.commit([{ ...append(lease, 0, "a"), summary: summary() }]);
    await store.send("r", signal("s", 1));
    assert.equal(await store.drop(lease, 0), false);
    assert.deepEqual(await outputs(store), ["a"]);
    assert.equal((await store.signals("r")).length, 1);
    assert.equal(await store.drop(lease, 1), true);
    assert.equal(await store.send("r", signal("t", 2)), false);
    assert.equal(await store.read("r", 0, 10), undefined);
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
