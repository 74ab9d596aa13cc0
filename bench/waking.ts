/**
 * How long a submitted run waits for a worker that has nothing else to do, told of it and not, from the call of `submit` to the
 * beginning of its first step; and what the server is asked meanwhile: `node bench/waking.ts [RUNS]`.
 */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Lookout } from "../src/dispatch/lookout.ts";
import { Flujo, pipeline, step } from "../src/index.ts";
import { nodeWorld } from "../src/node-world.ts";
import type { Store } from "../src/ports/store.ts";
import { postgres } from "../src/stores/postgres.ts";
import { redis } from "../src/stores/redis.ts";
import { postgresServer } from "../tests/servers/postgres.ts";
import { redisServer } from "../tests/servers/redis.ts";

const runs = Number(process.argv[2] ?? 50);
const idleMs = 20_000;

async function waits(open: () => Store): Promise<readonly number[]> {
  const begun = new Map<string, () => void>();
  const made = pipeline(
    "made",
    step("begin", (_: number, ctx) => begun.get(ctx.runId)?.()),
  );
  const [here, there] = [open(), open()];
  await using worker = new Flujo(made, { store: here, takeOver: false });
  await using web = new Flujo(made, { store: there, takeOver: false });
  const tell = { refused: console.error, foreign: console.error, store: console.error };
  const pipelines = new Map([["made", (runId: string) => worker.adopt(runId, "taken-over").result()]]);
  const lookout = new Lookout({ store: here, world: nodeWorld(), pipelines, tell });
  lookout.start();
  await pause(2_000); // it listens by now
  const took: number[] = [];
  for (let i = 0; i < runs; i++) {
    await pause(Math.random() * 1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    begun.set(`r${i}`, resolve);
    const began = performance.now();
    await web.submit(i, { runId: `r${i}` });
    await promise;
    took.push(performance.now() - began);
  }
  await pause(idleMs);
  await lookout.stop();
  await Promise.all([here.close(), there.close()]);
  return took.toSorted((a, b) => a - b);
}

const told = (name: string, took: readonly number[]): void => {
  const at = (part: number): string =>
    `${took[Math.floor(part * (took.length - 1))]?.toFixed(0)} ms`.padStart(8);
  console.log(`${name.padEnd(34)} p50 ${at(0.5)}  p99 ${at(0.99)}  most ${at(1)}`);
};

const database = await postgresServer({ fsync: "on" });
const admin = new pg.Client(database.url);
await admin.connect();
const done = async (): Promise<number> => {
  const { rows } = await admin.query(
    "SELECT xact_commit::int AS n FROM pg_stat_database WHERE datname = current_database()",
  );
  return rows[0].n as number; // a column of one row
};
for (const [name, listen] of [
  ["Postgres, told by NOTIFY", undefined],
  ["Postgres, not told", false],
] as const) {
  const schema = `s${Date.now()}`;
  const took = await waits(() =>
    postgres(database.url, { schema, ...(listen === undefined ? {} : { listen }) }),
  );
  told(name, took);
}
const idle = postgres(database.url, { schema: "idle" });
for (const [name, open] of [
  ["told", () => postgres(database.url, { schema: "idle" })],
  ["not told", () => postgres(database.url, { schema: "idle", listen: false })],
] as const) {
  const store = open();
  const tell = { refused: console.error, foreign: console.error, store: console.error };
  const lookout = new Lookout({
    store,
    world: nodeWorld(),
    pipelines: new Map([["none", async () => {}]]),
    tell,
  });
  lookout.start();
  await pause(3_000);
  const before = await done();
  await pause(idleMs);
  await pause(1_000); // the server counts a little later
  console.log(
    `an idle worker, ${name}: ${(((await done()) - before) / (idleMs / 1_000)).toFixed(1)} transactions a second`,
  );
  await lookout.stop();
  await store.close();
}
await idle.close();
await admin.end();
await database.stop();

const server = await redisServer();
const prefix = `s${Date.now()}`;
told("Redis, told by PUBLISH", await waits(() => redis(server.url, { prefix })));
await server.stop();
