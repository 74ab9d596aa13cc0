import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { redis } from "../../src/stores/redis.ts";
import { grounded } from "../../src/testing/grounded.ts";
import { simulateShared } from "../../src/testing/simulation/shared.ts";
import { simulate } from "../../src/testing/simulation.ts";
import type { VirtualWorld } from "../../src/testing/virtual-world.ts";
import { databases } from "../servers/databases.ts";
import { poolerOf } from "../servers/pooler.ts";
import { type PostgresServer, postgresServer } from "../servers/postgres.ts";
import { type RedisServer, redisServer } from "../servers/redis.ts";

const seeds = Array.from({ length: 8 }, (_, i) => i + 1);

const newName = (): string => `s_${randomUUID().replaceAll("-", "")}`;
const onPostgres = (address: string): Store => postgres(address, { schema: newName(), connections: 2 });
const onRedis = (address: string): Store => redis(address, { prefix: newName() });

/** Claims about stores behind an address. */
function simulated(open: () => Store, some: readonly number[]): void {
  const opened: Store[] = [];
  afterAll(async () => {
    await Promise.all(opened.map((store) => store.close()));
  });
  const make = (world: VirtualWorld): Store => {
    const store = open();
    opened.push(store);
    return grounded(store, world);
  };

  it.each(some)("keeps every promise at seed %i", async (seed) => {
    expect((await simulate({ seed, store: make })).violations).toEqual([]);
  });

  it.each(some)("keeps every promise of shared budgets at seed %i", async (seed) => {
    expect((await simulateShared({ seed, store: make })).violations).toEqual([]);
  });
}

databases("postgres", "the simulation on Postgres", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server?.stop());
  simulated(() => onPostgres(server.url), seeds);

  databases("pooler", "through a pooler that hands out connections by the transaction", () => {
    let pooler: Awaited<ReturnType<typeof poolerOf>>;
    beforeAll(async () => {
      pooler = await poolerOf(server.url);
    });
    afterAll(() => pooler?.stop());
    simulated(() => onPostgres(pooler.url), [1, 2]);
  });
});

databases("redis", "the simulation on Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server?.stop());
  simulated(() => onRedis(server.url), seeds);
});
