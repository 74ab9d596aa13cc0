/** What a store keeps beside journals: blobs, signals, cached results, notes. */
import assert from "node:assert/strict";
import type { CacheRecord, Store } from "../../ports/store.ts";
import { append, type Claims, create, hash, signal, start } from "./bench.ts";

export const besidesClaims: Claims = {
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

export const noteClaims: Claims = {
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
