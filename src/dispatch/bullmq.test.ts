import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { behind } from "../../tests/dispatch/behind.ts";
import { databases } from "../../tests/servers/databases.ts";
import { type RedisServer, redisServer } from "../../tests/servers/redis.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { bullmq } from "./bullmq.ts";

databases("redis", "BullMQ", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server.stop());

  testDispatcher(
    "BullMQ",
    async () => {
      const prefix = `{${randomUUID()}}`;
      return {
        ...(await behind([server.url], ([url = ""], pace) =>
          bullmq(url, { prefix, lockMs: 6_000, ...pace }),
        )),
        async forget() {
          const client = new Redis(server.url);
          for (const lock of await client.keys(`${prefix}:*:lock`)) await client.del(lock);
          client.disconnect();
        },
      };
    },
    { describe, it },
  );

  it("holds a job for as long as it is at work on it: its lock is renewed", async () => {
    const prefix = `{${randomUUID()}}`;
    const dispatcher = bullmq(server.url, { prefix, lockMs: 3_000 });
    const client = new Redis(server.url);
    const { promise: ended, resolve: end } = Promise.withResolvers<"done">();
    await dispatcher.submit({ runId: "r", pipeline: "p", fingerprint: "f" });
    const work = { queues: ["default"], concurrency: 1, take: () => ended, onTrouble: () => {} };
    const shift = await dispatcher.work(work);
    try {
      let before = Number.POSITIVE_INFINITY;
      const grew = async (): Promise<boolean> => {
        const now = await client.pttl(`${prefix}:default:r:lock`);
        const is = now > before;
        if (now > 0) before = now;
        return is;
      };
      await expect.poll(grew).toBe(true);
    } finally {
      end("done");
      await shift.stop();
      await dispatcher.close();
      client.disconnect();
    }
  });

  it("shows no password", () => {
    expect(bullmq("redis://ana:secret@cache:6379/1").name).toBe("BullMQ on redis://ana@cache:6379/1");
  });
});
