import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry } from "../core/entries.ts";
import { StoreCorruptError, StoreNewerError, StoreUnavailableError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Append, Lease, RunSummary, Store } from "../ports/store.ts";
import { testStore } from "../testing/test-store.ts";
import { storeError } from "./sqlite/faults.ts";
import { sqlite } from "./sqlite.ts";

for (const durability of ["synced", "relaxed"] as const) {
  testStore(
    `sqlite, ${durability}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "flujo-sqlite-"));
      return {
        store: sqlite(join(folder, "new", "flujo.db"), { durability }),
        reopen: async () => sqlite(join(folder, "new", "flujo.db"), { durability }),
        dispose: async () => rmSync(folder, { recursive: true }),
      };
    },
    { describe, it },
  );
}

let folder: string;
let path: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-sqlite-"));
  path = join(folder, "flujo.db");
  store = sqlite(path);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000, create: true };

function append(seq: number, ...values: Json[]): Append {
  const entries: Entry[] = values.map((output, i) => ({
    type: "operation-completed",
    path: "/t",
    kind: "run",
    output,
    took: 0,
    seq: seq + i,
    at: 0,
  }));
  return { runId: "r", fence: 1, entries, blobs: [] };
}

const waiting: RunSummary = {
  pipeline: "p",
  fingerprint: "f",
  status: "waiting",
  createdAt: 0,
  updatedAt: 0,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
};

/** The error `work` throws, as SQLite throws it. */
function thrown(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Takes away what came with the eighth format, with the seventh, the sixth, the fifth, and the fourth. */
const asOfSeventh = ["change", "pipeline", "status"].map((name) => `DROP INDEX runs_by_${name};`).join(" ");
const views = ["runs", "entries", "spend", "operations", "messages"];
const asOfSixth = `${asOfSeventh} ${views.map((name) => `DROP VIEW ${name};`).join(" ")}
  ALTER TABLE run RENAME TO runs; ALTER TABLE entry RENAME TO entries;`;
const asOfFifth = `${asOfSixth} DROP TABLE condemned;`;
const asOfFourth = `${asOfFifth} DROP INDEX runs_by_lease; DROP INDEX runs_with_word;
  ALTER TABLE runs DROP COLUMN heard; ALTER TABLE runs DROP COLUMN sent;`;
const asOfThird = `${asOfFourth} DROP INDEX runs_by_waking; ALTER TABLE runs DROP COLUMN wake_at;`;

describe("a database that cannot be used", () => {
  it("is refused untouched when a newer Flujo wrote it", async () => {
    await store.acquire(request);
    await store.close();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 9");
    db.close();
    const before = readFileSync(path);
    const newer = sqlite(path);
    await expect(newer.list({})).rejects.toThrow(StoreNewerError);
    await expect(newer.acquire(request)).rejects.toThrow(/format 9, this one knows 8/);
    expect(readFileSync(path)).toEqual(before);
  });

  it("is brought up to date when it is of the first format, with all that is in it", async () => {
    await store.acquire(request);
    await store.commit([append(0, "kept")]);
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(`DROP TABLE accounts; DROP TABLE notes; ${asOfThird} PRAGMA user_version = 1`);
    db.close();
    const [one, two] = [sqlite(path), sqlite(path)];
    expect(await one.read("r", 0, 9)).toHaveLength(1);
    await one.ledger({ kind: "amend", scope: "day", set: { calls: 1 } });
    expect(await two.accounts({})).toMatchObject([{ scope: "day", limits: { calls: 1 } }]);
    await one.close();
    await two.close();
  });

  it("is brought up to date when it is of the second format", async () => {
    await store.acquire(request);
    await store.ledger({ kind: "amend", scope: "day", set: { calls: 1 } });
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(`DROP TABLE notes; ${asOfThird} PRAGMA user_version = 2`);
    db.close();
    const updated = sqlite(path);
    expect(await updated.putNote("k", 1, undefined)).toEqual(expect.any(String));
    expect(await updated.accounts({})).toMatchObject([{ scope: "day" }]);
    await updated.close();
  });

  it("is brought up to date when it is of the fourth format: what runs had heard by then is not known", async () => {
    const { lease } = (await store.acquire(request)) as { readonly lease: Lease }; // it is new
    const standing = { ...append(0, "asked"), summary: waiting };
    await store.commit([standing]);
    await store.send("r", { id: "s", path: "/p/ask", data: 1, at: 0 });
    await store.release(lease);
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(`${asOfFourth} PRAGMA user_version = 4`);
    db.close();
    const updated = sqlite(path);
    expect(await updated.list({ dueBefore: 0 })).toMatchObject([{ runId: "r", unheard: 1 }]);
    await updated.close();
  });

  it("is brought up to date when it is of the sixth format: by names alone, whatever others have made of its views", async () => {
    await store.acquire(request);
    const text = "x".repeat(1_000);
    for (let seq = 0; seq < 1_000; seq++) await store.commit([append(seq, text)]);
    await store.close();
    const before = new DatabaseSync(path);
    before.exec(`${asOfSixth} CREATE VIEW lens_runs AS SELECT id AS run_id FROM runs;
      CREATE VIEW theirs AS SELECT * FROM lens_runs; PRAGMA user_version = 6`);
    const write = before.prepare("INSERT INTO entries(key, body) VALUES(1, '[]')");
    before.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const updated = sqlite(path);
    expect(await updated.read("r", 999, 9)).toHaveLength(1);
    expect(statSync(`${path}-wal`).size).toBeLessThan(statSync(path).size / 10);
    expect(() => write.run()).toThrow("cannot modify entries because it is a view"); // an older Flujo writes nothing more
    expect(before.prepare("SELECT count(*) AS n FROM entries").get()).toEqual({ n: 1_000 });
    expect(before.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    before.close();
    await updated.close();
  });

  it("is brought up to date when it is of the seventh format: lists have their indexes, and messages their view", async () => {
    await store.acquire(request);
    await store.commit([{ ...append(0, "asked"), summary: waiting }]);
    await store.close();
    const db = new DatabaseSync(path);
    db.exec(
      `${asOfSeventh} DROP VIEW messages; CREATE VIEW messages AS SELECT 1 AS one; PRAGMA user_version = 7`,
    );
    db.close();
    const updated = sqlite(path);
    expect(await updated.list({ status: ["waiting"] })).toHaveLength(1);
    expect(await updated.list({ updatedFrom: 0, pipeline: "p" })).toHaveLength(1);
    const made = new DatabaseSync(path);
    expect(made.prepare("SELECT text FROM messages").all()).toEqual([]);
    made.close();
    await updated.close();
  });

  it("is refused untouched when it is someone else's", async () => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE theirs(x)");
    db.close();
    const before = readFileSync(path);
    await expect(store.acquire(request)).rejects.toThrow(StoreCorruptError);
    expect(readFileSync(path)).toEqual(before);
  });

  it("is said to be damaged when it is no database", async () => {
    writeFileSync(path, "no database at all. ".repeat(500));
    await expect(store.list({})).rejects.toMatchObject({
      code: "store-corrupt",
      message: expect.stringContaining(path),
    });
  });

  it("is said to be damaged when it is cut short", async () => {
    await store.acquire(request);
    for (let seq = 0; seq < 40; seq++) await store.commit([append(seq, "x".repeat(3_000))]);
    await store.close();
    truncateSync(path, 8_192);
    const damaged = sqlite(path);
    await expect(damaged.read("r", 0, 100)).rejects.toThrow(StoreCorruptError);
    await damaged.close();
  });

  it("is said to be unavailable when a file stands in place of its folder, or a folder in its own", async () => {
    writeFileSync(join(folder, "file"), "");
    for (const blocked of [join(folder, "file", "flujo.db"), folder]) {
      await expect(sqlite(blocked).acquire(request)).rejects.toMatchObject({
        code: "store-unavailable",
        hint: expect.stringContaining("FLUJO_STORE"),
      });
    }
  });

  it("becomes a letter when the disk is full", () => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE t(x); PRAGMA max_page_count = 3");
    const error = storeError(
      thrown(() => db.exec(`INSERT INTO t VALUES(zeroblob(100000))`)),
      "sqlite:x",
    );
    db.close();
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining("the disk is full"), retryable: true });
  });

  it("becomes a letter when it may only be read", async () => {
    await store.acquire(request);
    const db = new DatabaseSync(path, { readOnly: true });
    const error = storeError(
      thrown(() => db.exec("DELETE FROM run")),
      "sqlite:x",
    );
    db.close();
    expect(error).toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining("cannot be written"),
    });
  });

  it("becomes a letter when another process writes for too long", async () => {
    await store.acquire(request);
    const [first, second] = [new DatabaseSync(path), new DatabaseSync(path)];
    first.exec("BEGIN IMMEDIATE");
    const error = storeError(
      thrown(() => second.exec("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE")),
      "sqlite:x",
    );
    first.close();
    second.close();
    expect(error).toMatchObject({ code: "store-unavailable", retryable: true });
  });

  it.each(["EACCES", "EROFS", "ENOSPC", "ENOTDIR"])("becomes a letter for %s", (code) => {
    const error = storeError(Object.assign(new Error(code), { code }), "sqlite:x");
    expect(error).toMatchObject({ code: "store-unavailable", hint: expect.stringMatching(/\.$/) });
  });

  it("leaves other errors as they are", () => {
    const error = new TypeError("a mistake of ours");
    expect(storeError(error, "sqlite:x")).toBe(error);
  });
});

describe("sqlite", () => {
  it("keeps nothing of a transaction that fails in the middle, and goes on", async () => {
    await store.acquire(request);
    await store.commit([append(0, "a")]);
    const db = new DatabaseSync(path);
    db.exec(
      "CREATE TRIGGER t BEFORE INSERT ON entry WHEN new.body LIKE '%cursed%' BEGIN SELECT RAISE(FAIL, 'no'); END",
    );
    await expect(store.commit([append(1, "b", "cursed")])).rejects.toThrow();
    await expect(store.commit([append(1, "cursed")])).rejects.toThrow();
    db.exec("DROP TRIGGER t");
    db.close();
    expect(await store.commit([append(1, "b")])).toEqual(["appended"]);
    expect(await store.read("r", 0, 9)).toEqual([...append(0, "a", "b").entries]);
  });

  it("costs at most 40 bytes an entry beside its JSON", async () => {
    await store.acquire(request);
    const count = 5_000;
    let json = 0;
    for (let seq = 0; seq < count; seq += 500) {
      const batch = append(seq, ...Array.from({ length: 500 }, (_, i) => `value ${i} ${"x".repeat(100)}`));
      json += batch.entries.reduce((sum, entry) => sum + JSON.stringify(entry).length, 0);
      await store.commit([batch]);
    }
    await store.close();
    expect((statSync(path).size - json) / count).toBeLessThan(40);
  });

  it("reads any part of what was appended together", async () => {
    await store.acquire(request);
    const count = 700; // more than one row holds
    const all = append(0, ...Array.from({ length: count }, (_, i) => i)).entries;
    await store.commit([{ ...append(0), entries: all.slice(0, 1) }]);
    await store.commit([{ ...append(0), entries: all.slice(1, 690) }]);
    await store.commit([{ ...append(0), entries: all.slice(690) }]);
    for (const from of [0, 1, 2, 255, 256, 257, 400, 689, 690, 699, 700, 5_000]) {
      for (const limit of [0, 1, 2, 256, 300, 10_000])
        expect(await store.read("r", from, limit)).toEqual(all.slice(from, from + limit));
    }
  });

  it("stores a row once, even for two stores that share a lease", async () => {
    await store.acquire(request);
    const twin = sqlite(path);
    await store.commit([append(0, "a")]);
    await twin.commit([append(1, "b")]);
    await expect(store.commit([append(1, "again")])).rejects.toThrow(StoreCorruptError);
    expect(await store.commit([append(2, "c")])).toEqual(["appended"]);
    expect(await store.read("r", 0, 9)).toEqual([...append(0, "a", "b", "c").entries]);
    await twin.close();
  });

  it("grants leases that are asked for together each by itself: one that is refused keeps none of the others", async () => {
    const [a, bad, again, b, none] = await Promise.allSettled([
      store.acquire(request),
      store.acquire({ ...request, runId: "../r" }),
      store.acquire(request),
      store.acquire({ ...request, runId: "s" }),
      store.acquire({ ...request, runId: "t", create: false }),
    ]);
    const granted = { status: "fulfilled", value: { outcome: "granted" } };
    expect([a, b]).toMatchObject([granted, granted]);
    expect(again).toMatchObject({ value: { outcome: "exists" } });
    expect(bad).toMatchObject({ status: "rejected", reason: { code: "invalid-run-id" } });
    expect(none).toMatchObject({ value: { outcome: "unknown" } });
    expect(await store.commit([append(0, "a")])).toEqual(["appended"]);
  });

  it("grants none of them, and takes none back, when it cannot write", async () => {
    const answer = await store.acquire(request);
    const lock = new DatabaseSync(path);
    lock.exec("CREATE TRIGGER broken BEFORE UPDATE ON run BEGIN SELECT raise(ABORT, 'broken'); END");
    const { lease } = answer as { lease: Lease };
    const [released, taken] = await Promise.allSettled([
      store.release(lease),
      store.acquire({ ...request, runId: "s" }),
    ]);
    expect([released?.status, taken?.status]).toEqual(["rejected", "rejected"]);
    lock.exec("DROP TRIGGER broken");
    lock.close();
    expect(await store.acquire({ ...request, create: false })).toMatchObject({ outcome: "held" });
    expect(await store.acquire({ ...request, runId: "s" })).toMatchObject({ outcome: "granted" });
  });

  it("touches nothing before its first use, and says when it is closed", async () => {
    const unused = sqlite(join(folder, "unused", "flujo.db"));
    expect(unused).toMatchObject({
      name: `sqlite:${join(folder, "unused", "flujo.db")}`,
      durability: "synced",
    });
    expect(statSync(join(folder, "unused"), { throwIfNoEntry: false })).toBeUndefined();
    await unused.close();
    await expect(unused.list({})).rejects.toThrow(/is closed/);
  });

  it("leaves one file behind when it is closed", async () => {
    await store.acquire(request);
    await store.close();
    for (const log of ["-wal", "-shm"])
      expect(statSync(path + log, { throwIfNoEntry: false })).toBeUndefined();
  });
});
