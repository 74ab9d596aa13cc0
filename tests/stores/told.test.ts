import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Newsroom } from "../../src/ports/newsroom.ts";
import type { Store } from "../../src/ports/store.ts";
import { listen } from "../../src/stores/postgres/news.ts";
import { settingsOf } from "../../src/stores/postgres/settings.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { redis } from "../../src/stores/redis.ts";
import { databases } from "../servers/databases.ts";
import { gateTo } from "../servers/gate.ts";
import { poolerOf } from "../servers/pooler.ts";
import { type PostgresServer, postgresServer } from "../servers/postgres.ts";
import { hasOwnRedis, type RedisServer, redisServer } from "../servers/redis.ts";

const listening = fileURLToPath(new URL("./listening.ts", import.meta.url));
const run = promisify(execFile);

const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000, create: true } as const;
const signal = { id: "s", path: "/p/ask", data: 1, at: 0 } as const;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}

function watching(store: Store) {
  const told: string[] = [];
  const lives: boolean[] = [];
  store.watch?.({ news: (runId) => told.push(runId), live: (isLive) => lives.push(isLive) });
  return { told, lives };
}

/** Over a server that is started again while a store watches. */
async function afterRestart(watcher: Store, other: Store, restart: () => Promise<void>): Promise<void> {
  const { told, lives } = watching(watcher);
  await until(() => lives.length === 1);
  await restart();
  await until(() => lives.length === 3);
  expect(lives).toEqual([true, false, true]);
  for (let made = false; !made; )
    made = await other.acquire(request).then(
      () => true,
      () => false,
    );
  await other.send("r", signal);
  await until(() => told.includes("r"));
  await Promise.all([watcher.close(), other.close()]);
}

databases("postgres", "a Postgres store that tells what comes about", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server.stop());
  const schema = (): string => `t_${randomUUID().replaceAll("-", "")}`;

  it("tells it again after its server was killed and started again", async () => {
    const options = { schema: schema() };
    await afterRestart(postgres(server.url, options), postgres(server.url, options), () => server.restart());
  });

  it("is not relied on within seconds of work when a network swallows what comes on its line alone, and opened again", async () => {
    const way = await gateTo(server.url);
    const store = postgres(server.url, { schema: schema(), listen: way.url });
    const { lives } = watching(store);
    await until(() => lives.length === 1);
    way.swallow();
    const working = (async () => {
      while (lives.length === 1) await store.signals("r");
    })();
    await until(() => lives.length === 2); // by itself it would be half a minute
    await working;
    await way.open();
    await until(() => lives.length === 3);
    expect(lives).toEqual([true, false, true]);
    await store.close();
    await way.shut();
  });

  it("keeps no process alive", async () => {
    const { stdout } = await run(process.execPath, [listening, `${server.url}?schema=${schema()}`]);
    expect(stdout).toBe("told\n");
  });

  it("does not where it is told not to listen", async () => {
    const store = postgres(`${server.url}?listen=off`);
    expect(store.watch).toBeUndefined();
    await store.close();
  });

  it("says what is wrong with an address to listen at", () => {
    expect(() => postgres(`${server.url}?listen=on`)).toThrow(/to listen at/);
  });
});

databases("pooler", "a Postgres store behind a pooler that hands out connections by transaction", () => {
  let server: PostgresServer;
  let pooler: { readonly url: string; stop(): Promise<void> };
  beforeAll(async () => {
    server = await postgresServer();
    pooler = await poolerOf(server.url);
  });
  afterAll(async () => {
    await pooler?.stop();
    await server?.stop();
  });

  it("finds out that what it hears through the pooler is nothing", async () => {
    const store = postgres(pooler.url);
    await store.acquire(request);
    let opened = 0;
    const lives: boolean[] = [];
    const room = new Newsroom(
      {
        open(heard, ended) {
          opened += 1;
          return listen(settingsOf(pooler.url, {}), heard, ended);
        },
        say: async () => void (await store.send("r", { ...signal, id: `${opened}` })),
      },
      { echoMs: 100, rarelyMs: 10 },
    );
    room.watch({ news: () => {}, live: (isLive) => lives.push(isLive) });
    await until(() => opened > 3);
    expect(lives).toEqual([]);
    room.close();
    await store.close();
  });

  it("tells all that comes about when it is given the server's own address to listen at", async () => {
    const address = `${pooler.url}?schema=direct&listen=${encodeURIComponent(server.url)}`;
    const [store, other] = [postgres(address), postgres(`${pooler.url}?schema=direct`)];
    const { told, lives } = watching(store);
    await until(() => lives.length === 1);
    await other.acquire(request);
    await other.send("r", signal);
    await until(() => told.includes("r"));
    await Promise.all([store.close(), other.close()]);
  });
});

databases("redis", "a Redis store that tells what comes about", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server.stop());

  it.runIf(hasOwnRedis)("tells it again after its server was killed and started again", async () => {
    const options = { prefix: randomUUID() };
    await afterRestart(redis(server.url, options), redis(server.url, options), () => server.restart());
  });

  it("keeps no process alive", async () => {
    const { stdout } = await run(process.execPath, [listening, `${server.url}?prefix=${randomUUID()}`]);
    expect(stdout).toBe("told\n");
  });

  it.runIf(hasOwnRedis)("does all else where its user may tell nobody", async () => {
    const admin = new Redis(server.url);
    await admin.call("ACL", "SETUSER", "mute", "on", ">secret", "~*", "resetchannels", "+@all");
    const url = new URL(server.url);
    url.username = "mute";
    url.password = "secret";
    const prefix = randomUUID();
    const [mute, other] = [redis(url.href, { prefix }), redis(server.url, { prefix })];
    const { told, lives } = watching(other);
    await until(() => lives.length === 1);
    const answer = await mute.acquire(request);
    if (answer.outcome === "granted") await mute.release(answer.lease);
    expect(await mute.send("r", signal)).toBe(true);
    expect(await other.signals("r")).toEqual([signal]);
    await other.send("r", { ...signal, id: "second" });
    await until(() => told.length > 0);
    expect(told).toEqual(["r"]); // of the second alone
    await Promise.all([mute.close(), other.close(), admin.call("ACL", "DELUSER", "mute")]);
    admin.disconnect();
  });
});
