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

  it("shows no password", () => {
    expect(bullmq("redis://ana:secret@cache:6379/1").name).toBe("BullMQ on redis://ana@cache:6379/1");
  });
});
