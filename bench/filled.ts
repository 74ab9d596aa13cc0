/** Stores with very many runs in them: copies of a genuine one named `model`. */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "flujo";
import { postgres } from "flujo/postgres";
import { redis } from "flujo/redis";
import { sqlite } from "flujo/sqlite";
import { postgresServer } from "../tests/servers/postgres.ts";
import { connectionTo } from "./server-figures.ts";

export interface Filled extends AsyncDisposable {
  readonly name: string;
  readonly store: Store;
  /** Puts down those few that are not completed. */
  few(): Promise<void>;
  /** Copies the model: from so many runs to so many. */
  fill(from: number, to: number): Promise<void>;
  /** What it weighs. */
  bytes(): Promise<number>;
}

/** Moments of completed runs lie in the last thirty days; those of the others before. */
const days = 30 * 86_400_000;
const began = Date.now() - days;

/** 100 of each: they wait for somebody; their moment has come; nobody has them; they have failed; all of a rare pipeline. */
const kinds = [
  { id: "waiting", status: "waiting", wake: null },
  { id: "due", status: "waiting", wake: began },
  { id: "abandoned", status: "running", wake: null },
  { id: "failed", status: "failed", wake: null },
] as const;
const fewOfEach = 100;

export async function inPostgres(): Promise<Filled> {
  const server = await postgresServer({ fsync: "on", shared_buffers: "512MB", max_wal_size: "8GB" });
  const pool = connectionTo(server.url);
  const store = postgres(server.url);
  const columns = "fence, expires, fingerprint, pico_usd, input_tokens, output_tokens, calls";
  const analyze = () =>
    pool.query("VACUUM ANALYZE flujo.run").then(() => pool.query("VACUUM ANALYZE flujo.entry"));
  return {
    name: "Postgres",
    store,
    async few() {
      for (const { id, status, wake } of kinds) {
        await pool.query(
          `INSERT INTO flujo.run(id, pipeline, status, created, updated, wake_at, heard, ${columns})
           SELECT $1 || '-' || n, 'rare', $2, $3::bigint - n, $3::bigint - n, $4::bigint, CASE WHEN $2 = 'waiting' THEN 0 END, ${columns}
           FROM flujo.run CROSS JOIN generate_series(1, ${fewOfEach}) AS n WHERE id = 'model'`,
          [id, status, began, wake],
        );
      }
    },
    async fill(from, to) {
      for (let at = from; at < to; at += 50_000) {
        const end = Math.min(at + 50_000, to);
        await pool.query(
          `WITH made AS (
             INSERT INTO flujo.run(id, pipeline, status, created, updated, ${columns})
             SELECT left(md5(n::text), 24), pipeline, status, $1::bigint + n * ${days / 1_000_000}::bigint,
               $1::bigint + n * ${days / 1_000_000}::bigint + 60, ${columns}
             FROM flujo.run CROSS JOIN generate_series($2::int, $3::int) AS n WHERE id = 'model' RETURNING num)
           INSERT INTO flujo.entry SELECT made.num, last, body
             FROM made CROSS JOIN flujo.entry WHERE run = (SELECT num FROM flujo.run WHERE id = 'model')`,
          [began, at, end - 1],
        );
      }
      await analyze();
      await pool.query("CHECKPOINT");
    },
    async bytes() {
      const { rows } = await pool.query("SELECT pg_database_size(current_database())::bigint AS bytes");
      return Number(rows[0].bytes);
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await pool.end();
      await server.stop();
    },
  };
}

export function inSqlite(path: string): Filled {
  const store = sqlite(path);
  const columns = "fence, expires, fingerprint, pico_usd, input_tokens, output_tokens, calls";
  const use = (work: (db: DatabaseSync) => void): void => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN IMMEDIATE");
    work(db);
    db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
  };
  const numbers =
    "WITH RECURSIVE numbers(n) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)";
  return {
    name: "SQLite",
    store,
    few: async () =>
      use((db) => {
        for (const { id, status, wake } of kinds) {
          db.prepare(
            `${numbers} INSERT INTO run(id, pipeline, status, created, updated, wake_at, heard, ${columns})
             SELECT ? || '-' || n, 'rare', ?, ? - n, ? - n, ?, CASE WHEN ? = 'waiting' THEN 0 END, ${columns}
             FROM run, numbers WHERE id = 'model'`,
          ).run(1, fewOfEach + 1, id, status, began, began, wake, status);
        }
      }),
    fill: async (from, to) =>
      use((db) => {
        const last = Number(db.prepare("SELECT max(num) AS num FROM run").get()?.num);
        const spread = days / 1_000_000;
        db.prepare(
          `${numbers} INSERT INTO run(num, id, pipeline, status, created, updated, ${columns})
           SELECT ? + n, lower(hex(randomblob(12))), pipeline, status, ? + n * ?, ? + n * ? + 60, ${columns}
           FROM run, numbers WHERE id = 'model'`,
        ).run(from, to, last + 1 - from, began, spread, began, spread);
        db.prepare(
          `INSERT INTO entry(key, body) SELECT (num << 32) | (entry.key & 0xffffffff), body FROM run, entry
           WHERE num > ? AND entry.key BETWEEN (SELECT num << 32 FROM run WHERE id = 'model')
             AND (SELECT (num << 32) | 0xffffffff FROM run WHERE id = 'model') ORDER BY num, entry.key`,
        ).run(last);
      }),
    bytes: async () => statSync(path).size,
    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
}

/** In Redis the store writes each of them itself: a thousand in one commit. */
export function inRedis(url: string): Filled {
  const store = redis(url);
  const copies = async (
    ids: readonly string[],
    pipeline: string,
    change: object,
    at: (n: number) => number,
  ) => {
    const entries = (await store.read("model", 0, 1_000)) ?? [];
    const [model] = await store.list({ idPrefix: "model" });
    if (model === undefined) throw new Error("there is no model");
    const { runId: _, lease: __, ...summary } = model;
    const now = Date.now();
    const leases = await Promise.all(
      ids.map((runId) => store.acquire({ runId, owner: "filler", now, ttlMs: 60_000, create: true })),
    );
    await store.commit(
      leases.map((answer, n) => {
        if (answer.outcome !== "granted") throw new Error(`${ids[n]} is there`);
        const moments = { createdAt: at(n), updatedAt: at(n) + 60 };
        return {
          ...answer.lease,
          entries,
          blobs: [],
          summary: { ...summary, ...moments, pipeline, ...change },
        };
      }),
    );
    await Promise.all(leases.map((answer) => answer.outcome === "granted" && store.release(answer.lease)));
  };
  return {
    name: "Redis",
    store,
    async few() {
      for (const { id, status, wake } of kinds) {
        const ids = Array.from({ length: fewOfEach }, (_, n) => `${id}-${n + 1}`);
        const change = { status, ...(wake === null ? {} : { wakeAt: wake }) };
        await copies(ids, "rare", change, (n) => began - n - 1);
      }
    },
    async fill(from, to) {
      for (let first = from; first < to; first += 1_000) {
        const ids = Array.from({ length: Math.min(1_000, to - first) }, () => crypto.randomUUID());
        await copies(ids, "work", {}, (n) => began + ((first + n) * days) / 1_000_000);
      }
    },
    async bytes() {
      const { Redis } = await import("ioredis");
      const client = new Redis(url);
      const memory = await client.info("memory");
      await client.quit();
      return Number(/^used_memory:(\d+)/m.exec(memory)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
}
