import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../tests/servers/databases.ts";
import { gateTo } from "../../tests/servers/gate.ts";
import { type RedisServer, redisServer } from "../../tests/servers/redis.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { bullmq } from "./bullmq.ts";

const hour = 3_600_000;

databases("redis", "BullMQ", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server.stop());

  testDispatcher(
    "BullMQ",
    async () => {
      const gate = await gateTo(server.url);
      const prefix = `{${randomUUID()}}`;
      const options = { prefix, pollMs: 50, restMs: 500, lockMs: 6_000 };
      return {
        join: () => bullmq(gate.url, options),
        told: () => bullmq(gate.url, { ...options, pollMs: hour, restMs: hour }),
        async away() {
          await gate.shut();
          return () => gate.open();
        },
        async forget() {
          const client = new Redis(server.url);
          for (const lock of await client.keys(`${prefix}:*:lock`)) await client.del(lock);
          client.disconnect();
        },
        dispose: () => gate.shut(),
      };
    },
    { describe, it },
  );

  it("takes jobs again after a network that swallowed what was said, and told nobody", async () => {
    const prefix = `{${randomUUID()}}`;
    const gate = await gateTo(server.url);
    const far = bullmq(gate.url, { prefix, pollMs: 50, restMs: 500, patience: "1s" });
    const near = bullmq(server.url, { prefix });
    const taken: string[] = [];
    const troubles: unknown[] = [];
    await far.work({
      queues: ["default"],
      concurrency: 5,
      take: async ({ runId }) => {
        taken.push(runId);
        return "done";
      },
      onTrouble: (trouble) => void troubles.push(trouble),
    });
    await near.submit({ runId: "before", pipeline: "p", fingerprint: "f" });
    await expect.poll(() => taken).toEqual(["before"]);
    gate.swallow();
    await expect.poll(() => troubles.length).toBe(1);
    await near.submit({ runId: "after", pipeline: "p", fingerprint: "f" });
    await gate.open();
    await expect.poll(() => taken).toContain("after");
    await Promise.all([far.close(), near.close()]);
    await gate.shut();
  });

  it("shows no password", () => {
    expect(bullmq("redis://ana:secret@cache:6379/1").name).toBe("BullMQ on redis://ana@cache:6379/1");
  });
});
