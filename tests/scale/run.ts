/** The long one: `npm run build && node tests/scale/run.ts [RUNS] [KILLS] [RESTARTS] [SEED]`. Prints its figures. */
import { chance } from "../../src/testing/chance.ts";
import { postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";
import { series } from "./fleet.ts";

const [runs = 1_000, kills = 60, restarts = 15, seed = Date.now()] = process.argv.slice(2).map(Number);
const redis = await redisServer();
const engines = { "the store alone": undefined, "pg-boss": (url: string) => url, BullMQ: () => redis.url };
for (const [name, engine] of Object.entries(engines)) {
  const server = await postgresServer();
  try {
    const plan = { runs, workers: 4, kills, killEveryMs: 1_000, restarts, chance: chance(seed) };
    console.log(name, {
      seed,
      ...(await series(server, { ...plan, ...(engine === undefined ? {} : { engine }) })),
    });
  } finally {
    await server.stop();
  }
}
await redis.stop();
