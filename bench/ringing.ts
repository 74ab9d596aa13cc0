/**
 * What engines are asked by workers that wait, and for each job: `node bench/ringing.ts [WORKERS] [JOBS]`. Workers are of one
 * process, and take no runs: no store is asked. One job comes every 300 milliseconds.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { bullmq } from "../src/dispatch/bullmq.ts";
import { pgBoss } from "../src/dispatch/pg-boss.ts";
import { restate } from "../src/dispatch/restate.ts";
import type { Dispatcher } from "../src/ports/dispatcher.ts";
import { postgresServer } from "../tests/servers/postgres.ts";
import { redisServer } from "../tests/servers/redis.ts";
import { hasRestate, restateServer } from "../tests/servers/restate.ts";

const workers = Number(process.argv[2] ?? 4);
const jobs = Number(process.argv[3] ?? 100);
const everyMs = 300;
const settleMs = 12_000;
const idleMs = 30_000;

/** An engine, and how often it was asked something up to now. */
interface Asked {
  readonly name: string;
  readonly what: string;
  readonly open: () => Dispatcher;
  readonly count: () => Promise<number>;
}

async function measure({ name, what, open, count }: Asked): Promise<void> {
  const came = new Map<string, (at: number) => void>();
  const all = Array.from({ length: workers }, open);
  for (const one of all)
    await one.work({
      queues: ["default"],
      concurrency: 100,
      onTrouble: (trouble) => trouble && console.error(trouble),
      take: async ({ runId }) => {
        came.get(runId)?.(performance.now());
        return "done";
      },
    });
  const web = open();
  await pause(settleMs);
  let before = await count();
  await pause(idleMs);
  const idle = ((await count()) - before) / (idleMs / 1_000) / workers;
  before = await count();
  const took: number[] = [];
  const began = performance.now();
  for (let i = 0; i < jobs; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    came.set(`r${i}`, resolve);
    const from = performance.now();
    await web.submit({ runId: `r${i}`, pipeline: "p", fingerprint: "f" });
    took.push((await promise) - from);
    await pause(everyMs);
  }
  const meanwhile = (idle * workers * (performance.now() - began)) / 1_000;
  const each = ((await count()) - before - meanwhile) / jobs;
  took.sort((a, b) => a - b);
  const at = (part: number): string => (took[Math.floor(part * took.length)] ?? Number.NaN).toFixed(1);
  console.log(
    `${name}, ${workers} workers: idle ${idle.toFixed(2)} ${what} a second and worker; ${each.toFixed(1)} for a job; from submit to taken p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  await Promise.all([web, ...all].map((one) => one.close()));
}

const database = await postgresServer({ fsync: "on" });
const admin = new pg.Client(database.url);
await admin.connect();
await measure({
  name: "pg-boss",
  what: "transactions",
  open: () => pgBoss(database.url),
  async count() {
    await pause(1_000); // the server counts a little later
    const { rows } = await admin.query(
      "SELECT xact_commit::int AS n FROM pg_stat_database WHERE datname = current_database()",
    );
    return rows[0].n as number; // a column of one row
  },
});
await admin.end();
await database.stop();

const cache = await redisServer();
const client = new Redis(cache.url);
await measure({
  name: "BullMQ",
  what: "commands and scripts",
  open: () => bullmq(cache.url),
  async count() {
    const stats = await client.info("commandstats");
    const asked = [...stats.matchAll(/cmdstat_(evalsha|eval|bzpopmin):calls=(\d+)/g)];
    return asked.reduce((sum, [, , calls]) => sum + Number(calls), 0);
  },
});
client.disconnect();
await cache.stop();

if (hasRestate) {
  const server = await restateServer();
  let asked = 0;
  const send = globalThis.fetch;
  globalThis.fetch = (...args) => {
    asked += 1;
    return send(...args);
  };
  await server.meet();
  await measure({
    name: "Restate",
    what: "requests",
    open: () => restate(server.url),
    count: async () => asked,
  });
  await server.stop();
}
