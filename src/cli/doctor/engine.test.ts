import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../../tests/servers/databases.ts";
import { poolerOf } from "../../../tests/servers/pooler.ts";
import { freePort, type PostgresServer, postgresServer } from "../../../tests/servers/postgres.ts";
import { hasOwnRedis, type RedisServer, redisServer } from "../../../tests/servers/redis.ts";
import { type RestateServer, restateServer } from "../../../tests/servers/restate.ts";
import { inProcess } from "../../dispatch/in-process.ts";
import { pgBoss } from "../../dispatch/pg-boss.ts";
import { nodeWorld } from "../../node-world.ts";
import { engine } from "./engine.ts";

/** What is not fine, each with something to do about it. */
async function complaints(uri: string): Promise<string[]> {
  const wrong = (await engine(uri)).filter(({ grade }) => grade !== "fine");
  for (const { remedy } of wrong) expect(remedy).toMatch(/\S/);
  return wrong.map(({ about, grade, message }) => `${about} ${grade}: ${message}`);
}

describe("an engine that is looked at", () => {
  it("is one of one's own, or none", async () => {
    expect(await engine(inProcess(nodeWorld()))).toMatchObject([{ grade: "fine", about: "engine" }]);
    await expect(engine("amqp://queue")).rejects.toMatchObject({ code: "invalid-option" });
  });

  it("does not answer", async () => {
    const port = await freePort();
    for (const [about, uri] of [
      ["pg-boss", `postgres://127.0.0.1:${port}/app`],
      ["bullmq", `redis://127.0.0.1:${port}`],
    ] as const)
      expect(await complaints(uri)).toEqual([expect.stringContaining(`${about} fault: `)]);
    expect(await complaints(`restate://127.0.0.1:${port}?admin=${port}`)).toEqual([
      expect.stringContaining("restate fault: Restate on restate://127.0.0.1"),
      expect.stringContaining("restate fault: its admin API cannot be reached"),
    ]);
  });
});

databases("postgres", "pg-boss that is looked at", () => {
  const own = `jobs_${randomUUID().replaceAll("-", "")}`;
  const plain = `plain_${own}`;
  let server: PostgresServer;
  let admin: pg.Client;
  beforeAll(async () => {
    server = await postgresServer();
    await asAdmin(`CREATE DATABASE ${own}`, `CREATE ROLE ${plain} LOGIN`);
    admin = new pg.Client(at());
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.end();
    await asAdmin(`DROP DATABASE ${own}`, `DROP ROLE ${plain}`);
    await server?.stop();
  });
  const asAdmin = async (...statements: readonly string[]): Promise<void> => {
    const client = new pg.Client(server.url);
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const at = (user?: string): string => {
    const url = new URL(server.url);
    if (user !== undefined) url.username = user;
    url.pathname = own;
    return url.href;
  };

  it("has no tables yet, which somebody has to be allowed to make; and none are made by looking", async () => {
    for (let i = 0; i < 2; i++) expect(await complaints(at())).toEqual([]);
    expect(await complaints(at(plain))).toEqual([
      `pg-boss fault: no tables yet, and ${plain} may not make them`,
    ]);
  });

  it("has tables that may not be written, or are of another form than the package knows", async () => {
    const made = pgBoss(at());
    await made.submit({ runId: "r", pipeline: "p", fingerprint: "f" });
    await made.close();
    expect(await complaints(at())).toEqual([]);
    expect(await complaints(at(plain))).toEqual([
      `pg-boss fault: ${plain} may not write the tables in the schema flujo_jobs`,
    ]);
    await admin.query(`GRANT USAGE ON SCHEMA flujo_jobs TO ${plain}`);
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA flujo_jobs TO ${plain}`);
    expect(await complaints(at(plain))).toEqual([]);
    await admin.query("UPDATE flujo_jobs.version SET version = 1");
    expect(await complaints(at())).toEqual([
      expect.stringContaining("pg-boss advice: its tables are of form 1: the next worker brings them to"),
    ]);
    expect(await complaints(at(plain))).toEqual([
      expect.stringMatching(
        /^pg-boss fault: its tables are of form 1, .* and plain_\w+ may not change them$/,
      ),
    ]);
    await admin.query("UPDATE flujo_jobs.version SET version = 9999");
    expect(await complaints(at())).toEqual([
      expect.stringContaining(
        "pg-boss fault: its tables are of form 9999, and the pg-boss that is installed knows",
      ),
    ]);
  });
});

databases("pooler", "pg-boss behind a pooler that is looked at", () => {
  it("hears nothing, unless it is told to listen past it, or nowhere", async () => {
    const server = await postgresServer();
    const pooler = await poolerOf(server.url);
    expect(await complaints(pooler.url)).toEqual([
      "pg-boss advice: LISTEN hears nothing: workers look for jobs twice a second instead",
    ]);
    for (const listen of [encodeURIComponent(server.url), "off"])
      expect(await complaints(`${pooler.url}?listen=${listen}`)).toEqual([]);
    await pooler.stop();
    await server.stop();
  });
});

databases("redis", "BullMQ's Redis that is looked at", () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await redisServer();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  it.runIf(hasOwnRedis)("throws away what it must keep, forgets, or takes nothing", async () => {
    const forgets = "bullmq advice: appendonly no: when it stops, all jobs are lost";
    expect(await complaints(server.url)).toEqual([forgets]);
    await admin.config("SET", "maxmemory-policy", "volatile-lru");
    expect(await complaints(server.url)).toEqual([
      expect.stringContaining("bullmq advice: maxmemory-policy volatile-lru"),
      forgets,
    ]);
    await admin.config("SET", "maxmemory", "100mb");
    expect(await complaints(server.url)).toEqual([
      "bullmq fault: maxmemory-policy volatile-lru: when its memory is full it throws the locks of workers that live away",
      forgets,
    ]);
    await admin.config("SET", "maxmemory-policy", "allkeys-lfu");
    await admin.config("SET", "appendonly", "yes");
    expect(await complaints(server.url)).toEqual([
      "bullmq fault: maxmemory-policy allkeys-lfu: when its memory is full it throws jobs away",
    ]);
    await admin.config("SET", "maxmemory-policy", "noeviction");
    expect(await complaints(server.url)).toEqual([]);
    await admin.call("ACL", "SETUSER", "worker", "on", ">secret", "~{flujo-jobs}:*", "+@all", "-config");
    const url = new URL(server.url);
    url.username = "worker";
    url.password = "secret";
    expect(await complaints(url.href)).toEqual([]); // INFO says as much as is needed
    await admin.replicaof("127.0.0.1", await freePort());
    expect(await complaints(server.url)).toEqual(["bullmq fault: it is a replica, which takes no jobs"]);
    await admin.replicaof("NO", "ONE");
  });
});

databases("restate", "Restate that is looked at", () => {
  let server: RestateServer;
  beforeAll(async () => {
    server = await restateServer();
  });
  afterAll(() => server.stop());
  const set = async (settings: object): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(settings);
    expect((await fetch(`${server.admin}/services/flujo-jobs`, { method: "PATCH", headers, body })).ok).toBe(
      true,
    );
  };

  it("has met no worker, or none that is there; keeps too much, or takes nothing", async () => {
    expect(await complaints(server.url)).toEqual([
      "restate advice: no worker has been there yet: it takes no jobs, and their runs are found in the store",
    ]);
    await server.meet();
    const [place] = await server.placesOf("flujo-jobs");
    const gone = `restate advice: no worker answers at ${place}, where Restate calls its queues, as far as this machine reaches it`;
    expect(await complaints(server.url)).toEqual([gone]);
    await set({ journal_retention: "1 day", idempotency_retention: "12 hours" });
    expect(await complaints(server.url)).toEqual([
      expect.stringMatching(
        /^restate advice: of each look for jobs it keeps journals for \S+ and answers for \S+: /,
      ),
      gone,
    ]);
    await set({ public: false, journal_retention: "0s", idempotency_retention: "0s" });
    expect(await complaints(server.url)).toEqual([
      "restate fault: flujo-jobs is private: its ingress refuses jobs",
      gone,
    ]);
    const port = await freePort();
    expect(await complaints(`restate://${new URL(server.ingress).host}?admin=${port}`)).toEqual([
      expect.stringContaining("restate fault: its admin API cannot be reached"),
    ]);
  });
});
