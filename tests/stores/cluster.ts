/**
 * The contract of a store and the simulation on a real cluster of Redis, by hand: `node tests/stores/cluster.ts [SEEDS]`. Half a minute with
 * eight seeds; of other servers, which are started in its place, first on the PATH, too.
 */
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Store } from "../../src/ports/store.ts";
import { redis } from "../../src/stores/redis.ts";
import { grounded } from "../../src/testing/grounded.ts";
import { simulateShared } from "../../src/testing/simulation/shared.ts";
import { simulate } from "../../src/testing/simulation.ts";
import { testStore } from "../../src/testing/test-store.ts";
import type { VirtualWorld } from "../../src/testing/virtual-world.ts";
import { type RedisCluster, redisCluster } from "../servers/redis-cluster.ts";

const seeds = Number(process.argv[2] ?? 8);

describe("on a cluster", () => {
  let cluster: RedisCluster;
  const opened: Store[] = [];
  before(async () => {
    cluster = await redisCluster();
  });
  after(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await cluster.stop();
  });

  const open = (prefix: string = randomUUID()): Store => {
    const store = redis(cluster.url, { prefix });
    opened.push(store);
    return store;
  };

  testStore(
    "redis",
    async () => {
      const prefix = randomUUID();
      return { store: open(prefix), reopen: async () => open(prefix) };
    },
    { describe, it },
  );

  const make = (world: VirtualWorld): Store => grounded(open(), world);
  for (let seed = 1; seed <= seeds; seed += 1) {
    it(`keeps every promise at seed ${seed}`, async () => {
      const { violations } = await simulate({ seed, store: make });
      const shared = await simulateShared({ seed, store: make });
      if (violations.length + shared.violations.length > 0)
        throw new Error([...violations, ...shared.violations].map(String).join("\n"));
    });
  }
});
