import { it } from "vitest";
import { postgres } from "../../src/stores/postgres.ts";
import { redis } from "../../src/stores/redis.ts";
import { databases } from "../servers/databases.ts";
import { postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";
import { survives } from "./survives.ts";

const claim =
  "killed twice and started again, is done to its end, and nothing that was recorded is done again";

databases("postgres", "a run on Postgres, whose server is", () => {
  it(claim, async () => {
    const server = await postgresServer();
    await survives(server, postgres(server.url), [server.restart, server.restart]);
  });
});

databases("redis", "a run on Redis, whose server is", () => {
  it(claim, async () => {
    const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
    await survives(server, redis(server.url), [server.restart, server.restart]);
  });
});
