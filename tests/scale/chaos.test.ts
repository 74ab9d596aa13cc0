/** Workers among kills, restarts and cuts. Needs `npm run build`. The long one: `node tests/scale/run.ts`. */
import { expect, test } from "vitest";
import { chance } from "../../src/testing/chance.ts";
import { databases } from "../servers/databases.ts";
import { hasOwnPostgres, postgresServer } from "../servers/postgres.ts";
import { hasOwnRedis, redisServer } from "../servers/redis.ts";
import { restateServer } from "../servers/restate.ts";
import { series } from "./series.ts";
import type { Server } from "./trouble.ts";

const plan = { runs: 40, workers: 4, kills: 3, restarts: 2, cuts: 4, everyMs: 300 } as const;

const claim = "each run ends once, as undisturbed; nothing is done again, lost or overspent";
const about = "four workers, some killed, one stopped past its lease, some cut off from";

databases("postgres", `${about} a database that is restarted`, () => {
  test.each([
    ["finding runs in the store", () => ({})],
    ["handed them by pg-boss", (engine: Server) => ({ engine })],
  ])(`%s: ${claim}`, async (_, how) => {
    const server = await postgresServer();
    try {
      const { recorded, refused } = await series(
        { store: server, ...how(server) },
        { ...plan, chance: chance(7) },
      );
      expect(recorded).toBe(2 * plan.runs - refused);
    } finally {
      await server.stop();
    }
  });
});

databases("restate", `${about} a database or a Restate that is restarted`, () => {
  test.runIf(hasOwnPostgres)(`handed runs by Restate: ${claim}`, async () => {
    const server = await postgresServer();
    const engine = await restateServer();
    try {
      await engine.meet();
      const { recorded, refused } = await series({ store: server, engine }, { ...plan, chance: chance(9) });
      expect(recorded).toBe(2 * plan.runs - refused);
    } finally {
      await server.stop();
      await engine.stop();
    }
  });
});

databases("redis", `${about} a Redis that is restarted`, () => {
  test.runIf(hasOwnRedis)(`handed runs by BullMQ: ${claim}`, async () => {
    const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
    const engine = await redisServer(); // which may forget all it has
    try {
      const { recorded, refused } = await series({ store: server, engine }, { ...plan, chance: chance(8) });
      expect(recorded).toBe(2 * plan.runs - refused);
    } finally {
      await server.stop();
      await engine.stop();
    }
  });
});
