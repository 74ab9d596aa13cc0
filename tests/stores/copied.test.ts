import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pipeline, step } from "../../src/core/compose.ts";
import { humanInTheLoop } from "../../src/core/pauses.ts";
import { Runner } from "../../src/engine/runner.ts";
import { copyRuns } from "../../src/lens/copy.ts";
import { verify } from "../../src/lens/verify.ts";
import { nodeWorld } from "../../src/node-world.ts";
import type { Store } from "../../src/ports/store.ts";
import { memory } from "../../src/stores/memory.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { redis } from "../../src/stores/redis.ts";
import { databases } from "../servers/databases.ts";
import { type PostgresServer, postgresServer } from "../servers/postgres.ts";
import { type RedisServer, redisServer } from "../servers/redis.ts";

const letter = pipeline(
  "letter",
  step("draft", (text: string) => `${text}\u0000🙂`.repeat(5_000))
    .to(humanInTheLoop("ok", { prompt: (text) => `${text.length}?` }))
    .to("end", (answer) => JSON.stringify(answer).length),
);
const world = nodeWorld();
const runnerOn = (store: Store): Runner<string, number, unknown> =>
  new Runner(letter, { store, world, takeOver: false });

const journalsOf = (store: Store, ids: readonly string[]): Promise<unknown[]> =>
  Promise.all(ids.map((runId) => store.read(runId, 0, 1_000)));

/** There and back again: what is recorded stays the same, and a waiting run is ended by its answer. */
async function thereAndBack(there: Store): Promise<void> {
  const home = memory();
  const ids = ["r1", "r2", "r3"];
  for (const runId of ids) await runnerOn(home).run(runId, { runId });
  await runnerOn(home).signal("r1", "/letter/ok", { approved: true }, { by: "ana" });
  await runnerOn(home).resume("r1").result();
  const before = await journalsOf(home, ids);
  const back = memory();
  for (const [from, to] of [
    [home, there],
    [there, back],
  ] as const) {
    const { runs, left, faults } = await copyRuns({ from, to, world, isMove: true, isDry: false });
    expect([runs.length, left, faults]).toEqual([3, [], []]);
    expect(await from.list({})).toEqual([]);
    expect(await journalsOf(to, ids)).toEqual(before);
    expect((await verify(to)).faults).toEqual([]);
  }
  await copyRuns({ from: back, to: there, world, isMove: true, isDry: false });
  await runnerOn(there).signal("r2", "/letter/ok", { approved: true });
  expect(await runnerOn(there).resume("r2").result()).toMatchObject({ status: "completed" });
}

const newName = (): string => `s_${randomUUID().replaceAll("-", "")}`;

databases("postgres", "runs that are moved to Postgres", () => {
  let server: PostgresServer;
  let store: Store;
  beforeAll(async () => {
    server = await postgresServer();
    store = postgres(server.url, { schema: newName(), connections: 2 });
  });
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });
  it("are the same there and back again", () => thereAndBack(store));
});

databases("redis", "runs that are moved to Redis", () => {
  let server: RedisServer;
  let store: Store;
  beforeAll(async () => {
    server = await redisServer();
    store = redis(server.url, { prefix: newName() });
  });
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });
  it("are the same there and back again", () => thereAndBack(store));
});
