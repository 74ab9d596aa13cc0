/**
 * The long one: `npm run build && node tests/scale/run.ts [RUNS] [--store postgres|redis] [--engine none|pg-boss|bullmq|restate]
 * [--kills N] [--restarts N] [--cuts N] [--every MS] [--seed N]`. Without a store or an engine: all of them. Prints its figures.
 */
import { parseArgs } from "node:util";
import { chance } from "../../src/testing/chance.ts";
import { postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";
import { restateServer } from "../servers/restate.ts";
import { series } from "./series.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: "string" },
    engine: { type: "string" },
    kills: { type: "string", default: "60" },
    restarts: { type: "string", default: "15" },
    cuts: { type: "string", default: "60" },
    every: { type: "string", default: "1500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [runs = "1000"] = positionals;

// Each of what can be lost without the work of a disk is as it is out there. Connections that are swallowed stay open at their far end.
const synced = { appendonly: "yes", appendfsync: "always" };
const servers = {
  postgres: () => postgresServer({ max_connections: "500" }),
  redis: () => redisServer(synced),
};
const knownRestate = async () => {
  const server = await restateServer();
  await server.meet();
  return server;
};
const engines = {
  ...{ none: undefined, "pg-boss": servers.postgres },
  ...{ bullmq: () => redisServer(), restate: knownRestate },
};

for (const [storeName, openStore] of Object.entries(servers)) {
  if (values.store !== undefined && values.store !== storeName) continue;
  for (const [engineName, openEngine] of Object.entries(engines)) {
    if (values.engine !== undefined && values.engine !== engineName) continue;
    const store = await openStore();
    const engine = await openEngine?.();
    try {
      const plan = {
        ...{
          runs: Number(runs),
          workers: 4,
          everyMs: Number(values.every),
          chance: chance(Number(values.seed)),
        },
        ...{ kills: Number(values.kills), restarts: Number(values.restarts), cuts: Number(values.cuts) },
      };
      const figures = await series({ store, ...(engine === undefined ? {} : { engine }) }, plan);
      console.log(storeName, engineName, { seed: values.seed, ...figures });
    } finally {
      await store.stop();
      await engine?.stop();
    }
  }
}
