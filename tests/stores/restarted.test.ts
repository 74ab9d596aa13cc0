import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { FlujoError } from "../../src/core/errors.ts";
import { Flujo, pipeline, type RunResult, step } from "../../src/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { redis } from "../../src/stores/redis.ts";
import { databases } from "../servers/databases.ts";
import { postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";

const claim =
  "killed twice and started again, is done to its end, and nothing that was recorded is done again";

databases("postgres", "a run on Postgres, whose server is", () => {
  it(claim, async () => {
    const server = await postgresServer();
    await survives(server, postgres(server.url));
  });
});

databases("redis", "a run on Redis, whose server is", () => {
  it(claim, async () => {
    const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
    await survives(server, redis(server.url));
  });
});

interface Server {
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const operations = 60;
const ends = [20, 40];

async function survives(server: Server, store: Store): Promise<void> {
  onTestFinished(async () => {
    await store.close();
    await server.stop();
  });
  const did: number[] = [];
  const restarts: Promise<void>[] = [];
  const work = pipeline(
    "work",
    step("all", async (_input: number, ctx) => {
      let sum = 0;
      for (let i = 0; i < operations; i += 1) {
        sum += await ctx.run(`add ${i}`, async () => {
          did.push(i);
          if (ends[restarts.length] === i) restarts.push(server.restart());
          return i;
        });
      }
      return sum;
    }),
  );
  await using flujo = new Flujo(work, { store, lease: "1s" });
  const recorded = async (): Promise<number> =>
    ((await store.read("r", 0, 1_000)) ?? []).filter(({ type }) => type === "operation-completed").length;

  let result = await unlessAway(() => flujo.run(0, { runId: "r" }));
  while (result === undefined) {
    const known = await unlessAway(recorded);
    const before = did.length;
    if (known !== undefined) result = await unlessAway(() => flujo.resume("r").result());
    for (const again of did.slice(before)) expect(again).toBeGreaterThanOrEqual(known ?? 0);
    if (result === undefined) await pause(20);
  }
  await Promise.all(restarts);
  expect(result).toMatchObject({ status: "completed", output: (operations * (operations - 1)) / 2 });
  expect(restarts).toHaveLength(ends.length);
  // Of each restart, one operation at most was under way.
  expect(did.length).toBeLessThanOrEqual(operations + ends.length);
}

/** Undefined while the server is away, or the lease of who saw it go has not ended. */
async function unlessAway<T extends number | RunResult<number>>(
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = FlujoError.isInstance(error) ? error.code : "";
    if (code !== "store-unavailable" && code !== "lease-held") throw error;
    return undefined;
  }
}
