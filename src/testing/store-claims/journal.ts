/** What a journal has to keep: entries in their order, and values as they were. */
import assert from "node:assert/strict";
import type { Entry } from "../../core/entries.ts";
import { StoreCorruptError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Append, Store } from "../../ports/store.ts";
import { append, type Claims, create, entries, hash, output, outputs, summary } from "./bench.ts";

export const journalClaims: Claims = {
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

export const contentClaims: Claims = {
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

async function echo(store: Store, values: Json[]): Promise<void> {
  const lease = await create(store);
  assert.deepEqual(await store.commit([append(lease, 0, ...values)]), ["appended"]);
  const read = await outputs(store);
  // Compared as text too: deepEqual alone would let an own `__proto__` pass for none.
  assert.equal(JSON.stringify(read), JSON.stringify(values));
  assert.deepEqual(read, values);
}
