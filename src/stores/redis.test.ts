import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../tests/servers/databases.ts";
import { gateTo } from "../../tests/servers/gate.ts";
import { freePort } from "../../tests/servers/postgres.ts";
import { hasOwnRedis, type RedisServer, redisServer } from "../../tests/servers/redis.ts";
import type { Entry } from "../core/entries.ts";
import { InvalidOptionError, StoreNewerError, StoreUnavailableError } from "../core/errors.ts";
import type { Append, RunSummary, Store } from "../ports/store.ts";
import { testStore } from "../testing/test-store.ts";
import { type RedisOptions, redis } from "./redis.ts";

const newPrefix = (): string => `t-${randomUUID()}`;

databases("redis", "a store in Redis", () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await redisServer();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  const toClose: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of toClose.splice(0)) await one.close();
  });
  const open = (url = server.url, options: RedisOptions = { prefix: newPrefix() }): Store => {
    const store = redis(url, options);
    toClose.push(store);
    return store;
  };
  /** A server with settings of its own. */
  const another = async (settings: { readonly [name: string]: string }): Promise<RedisServer> => {
    const made = await redisServer(settings);
    toClose.push({ close: () => made.stop() });
    return made;
  };

  testStore(
    "redis",
    async () => {
      const options = { prefix: newPrefix() };
      return { store: redis(server.url, options), reopen: async () => redis(server.url, options) };
    },
    { describe, it },
  );

  it("refuses what a newer Flujo has made, and changes nothing", async () => {
    const prefix = newPrefix();
    await open(server.url, { prefix }).list({});
    await admin.set(`{${prefix}}:format`, 99);
    await expect(open(server.url, { prefix }).list({})).rejects.toThrow(StoreNewerError);
    expect(await admin.get(`{${prefix}}:format`)).toBe("99");
  });

  it("is brought up to date when it is of the first format, by several at once, and where one was killed at it", async () => {
    const prefix = newPrefix();
    const key = (name: string): string => `{${prefix}}:${name}`;
    await fill(open(server.url, { prefix }), 1_200);
    const rare = (store: Store): Promise<string[]> =>
      store.list({ pipeline: "rare" }).then((runs) => runs.map(({ runId }) => runId));
    const all = Array.from({ length: 20 }, (_, i) => `r${19 - i}`);
    const unsort = async (id: string): Promise<void> => {
      const place = await admin.hget(key(`run:${id}`), "by-pipeline");
      await admin.zrem(key("runs:pipeline"), place ?? "");
      await admin.hdel(key(`run:${id}`), "by-pipeline");
    };
    for (let i = 0; i < 1_200; i += 1) if (i < 10 || i > 600) await unsort(`r${i}`);
    await admin.set(key("format"), 1);
    const updated = [open(server.url, { prefix }), open(server.url, { prefix })];
    expect(await Promise.all(updated.map(rare))).toEqual([all, all]);
    expect(await admin.get(key("format"))).toBe("2");
    expect(await admin.zcard(key("runs:pipeline"))).toBe(1_200);

    // What a process of the first format has made and removed that had not ended yet.
    for (const id of ["r3", "r700"]) await unsort(id);
    await admin.zrem(key("runs:age"), "0000000000000005:r5");
    await admin.del(key("run:r5"));
    expect(await rare(open(server.url, { prefix }))).toEqual(all.filter((id) => id !== "r5"));
    expect(await admin.zcard(key("runs:pipeline"))).toBe(1_199);
  });

  it("keeps all its keys in one slot, and stores with other prefixes apart", async () => {
    const [mine, yours] = [newPrefix(), newPrefix()];
    for (const prefix of [mine, yours]) await fill(open(server.url, { prefix }), 2);
    const keys = await admin.keys(`*${mine}*`);
    expect(keys.length).toBeGreaterThan(6);
    expect(keys.filter((key) => !key.startsWith(`{${mine}}:`))).toEqual([]);
  });

  it("takes nobody for the owner whose lease went down with a primary, and whose fence another one has now", async () => {
    const prefix = newPrefix();
    const store = open(server.url, { prefix });
    const answer = await store.acquire({ ...request, create: true });
    if (answer.outcome !== "granted") throw new Error(answer.outcome);
    await admin.hset(`{${prefix}}:run:r`, "owner", "you"); // as the replica has granted it
    expect(await store.renew(answer.lease, 9_000)).toBe(false);
    expect(await store.drop(answer.lease)).toBe(false);
    await store.release(answer.lease);
    const held = await store.acquire({ ...request, create: false });
    expect(held).toMatchObject({ outcome: "held", lease: { owner: "you", fence: 1, expiresAt: 1_000 } });
  });

  it("says what is wrong with an address, and keeps the password to itself", async () => {
    for (const address of ["", "localhost", "http://localhost/0", "redis://localhost/app"])
      expect(() => redis(address)).toThrow(InvalidOptionError);
    expect(() => redis(server.url, { prefix: "a{b}" })).toThrow(/is no prefix for keys/);
    expect(() => redis("redis://localhost/0?cluster=2")).toThrow(/it takes true or false/);
    expect(() => redis("redis://localhost/3?cluster=true")).toThrow(/a cluster has no database 3/);
    const address = `redis://me:secret@127.0.0.1:${await freePort()}/1?prefix=jobs`;
    const nobody = open(address, {});
    expect(nobody.name).toBe(address.replace(":secret", ""));
    const refused = await nobody.list({}).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect(refused).toMatchObject({ retryable: true, message: /does not answer.*ECONNREFUSED/ });
    expect(inspect(refused, { depth: 9, showHidden: true })).not.toContain("secret");
  });

  it("finds what it looks for by an index, also among many runs", async () => {
    const store = open();
    await fill(store, 3_000);
    const calls = async (): Promise<{ readonly [command: string]: number }> => {
      const matches = (await admin.info("commandstats")).matchAll(/cmdstat_(\S+?):calls=(\d+)/g);
      return Object.fromEntries([...matches].map(([, name = "", count]) => [name, Number(count)]));
    };
    const before = await calls();
    const now = 1_500;
    expect(await store.list({ limit: 10 })).toHaveLength(10);
    expect(await store.list({ limit: 10, after: { createdAt: now, runId: "r1500" } })).toHaveLength(10);
    expect(await store.list({ limit: 10, createdBefore: now, createdFrom: 1_400 })).toHaveLength(10);
    expect(await store.list({ status: ["failed", "halted"] })).toHaveLength(0);
    expect(await store.list({ status: ["waiting", "failed"], createdBefore: now, limit: 10 })).toHaveLength(
      10,
    );
    expect(await store.list({ updatedFrom: 2_990 })).toHaveLength(10);
    expect(await store.list({ idPrefix: "r299" })).toHaveLength(11);
    expect(await store.list({ dueBefore: now, limit: 10 })).toHaveLength(10);
    expect(await store.list({ leaseEndsBefore: now, limit: 10 })).toHaveLength(10);
    expect(await store.list({ pipeline: "rare", limit: 10 })).toHaveLength(10);
    expect(await store.list({ pipeline: ["rare", "none"], status: ["completed", "running"] })).toHaveLength(
      18,
    );
    expect(await store.list({ pipeline: "p", createdFrom: 15, createdBefore: 25 })).toHaveLength(5);
    const after = await calls();
    expect((after.hmget ?? 0) - (before.hmget ?? 0)).toBeLessThanOrEqual(140);
    for (const command of ["keys", "scan", "hgetall", "hscan", "zscan"])
      expect([command, after[command]]).toEqual([command, before[command]]);
  });

  it("shows each run once among many that a filter leaves out, page by page", async () => {
    const store = open();
    await fill(store, 1_300);
    const waiting = await store.list({ status: ["waiting"], limit: 2_000 });
    expect(new Set(waiting.map(({ runId }) => runId)).size).toBe(130);
    const some = await store.list({ status: ["waiting", "running"], limit: 250 });
    const places = some.map(({ createdAt }) => createdAt);
    expect(places).toEqual(Array.from({ length: 250 }, (_, i) => 1_291 - 10 * Math.floor(i / 2) - (i % 2)));
    expect(await store.list({ status: ["waiting"], idPrefix: "r1", limit: 5 })).toHaveLength(5);
    expect(await store.list({ dueBefore: 9_999, limit: 2_000 })).toHaveLength(130);
  });

  it("removes no value that a commit brings while it sweeps", async () => {
    const prefix = newPrefix();
    const [store, other] = [open(server.url, { prefix }), open(server.url, { prefix })];
    const blob = { hash: "h", text: "kept" };
    await store.acquire({ ...request, create: true });
    await store.commit([{ ...append(0, "a"), blobs: [blob] }]);
    for (let seq = 1; seq < 60; seq += 1) {
      // Whoever sweeps keeps what is referred to by then. A commit that comes later brings the value again.
      const used = async () => new Set(((await other.read("r", 0, 100)) ?? []).length > seq ? ["h"] : []);
      await Promise.all([other.sweep(["h"], used), store.commit([{ ...append(seq, "b"), blobs: [blob] }])]);
      expect(await store.blob("h")).toBe("kept");
    }
  });

  it("takes a commit of 50,000 entries, whole", async () => {
    const store = open();
    await store.acquire({ ...request, create: true });
    const entries = Array.from({ length: 50_000 }, (_, seq) => entry(seq, `${seq}`));
    expect(await store.commit([{ ...append(0, ""), entries }])).toEqual(["appended"]);
    expect((await store.read("r", 49_999, 9))?.map(({ seq }) => seq)).toEqual([49_999]);
  });

  it("keeps no process alive that has nothing left to do", async () => {
    const door = fileURLToPath(new URL("./redis.ts", import.meta.url));
    const code = `const { redis } = await import(${JSON.stringify(door)});
      await redis(${JSON.stringify(server.url)}, { prefix: ${JSON.stringify(newPrefix())} }).list({});
      console.log("done");`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
    expect(stdout).toBe("done\n");
  });

  it("comes back by itself from a network that swallows what is said, and tells nobody", async () => {
    const gate = await gateTo(server.url);
    const store = redis(gate.url, { prefix: newPrefix(), patience: "1s" });
    toClose.push(store, { close: () => gate.shut() });
    await store.acquire({ ...request, create: true });
    gate.swallow();
    const lost = await store.commit([append(0, "a")]).catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: "store-unavailable", retryable: true });
    await gate.open();
    expect(await retried(() => store.read("r", 0, 9))).toEqual([]);
    expect(await retried(() => store.commit([append(0, "b")]))).toEqual(["appended"]);
  });

  it("may hear late of what was sent by who has given up: a fence shuts it out", async () => {
    const gate = await gateTo(server.url);
    const prefix = newPrefix();
    const store = redis(gate.url, { prefix, patience: "1s" });
    const other = open(server.url, { prefix });
    toClose.push(store, { close: () => gate.shut() });
    await store.acquire({ ...request, create: true });
    gate.hold();
    await expect(store.commit([append(0, "late")])).rejects.toThrow(StoreUnavailableError);
    const { runId } = request;
    const mine = await other.acquire({ ...request, supersede: 1 });
    expect(mine).toMatchObject({ outcome: "granted", lease: { fence: 2 } });
    await gate.open();
    expect(await retried(() => store.commit([append(0, "later")]))).toEqual(["fenced"]);
    expect(await other.read(runId, 0, 9)).toEqual([]);
  });

  describe.runIf(hasOwnRedis)("with settings of the server's own", () => {
    it("goes on after its server has been killed and started again; what was acknowledged is there", async () => {
      const synced = await another({ appendonly: "yes", appendfsync: "always" });
      const store = open(synced.url);
      await store.acquire({ ...request, create: true });
      expect(store.durability).toBe("synced");
      expect(await store.commit([append(0, "a")])).toEqual(["appended"]);
      await synced.restart();
      let acknowledged = 1;
      let restarted: Promise<void> | undefined;
      for (let seq = 1; seq < 200; seq += 1) {
        if (seq === 100) restarted = synced.restart();
        const known = (await retried(() => store.read("r", 0, 1_000)))?.length ?? 0;
        expect(known).toBeGreaterThanOrEqual(acknowledged);
        // What was written without being acknowledged is found, as by a run's next owner.
        const done = await store.commit([append(known, `${known}`)]).catch((error: unknown) => error);
        if (done instanceof Error) expect(done).toBeInstanceOf(StoreUnavailableError);
        else acknowledged = known + 1;
      }
      await restarted;
      const entries = await retried(() => store.read("r", 0, 1_000));
      expect(entries?.length).toBeGreaterThanOrEqual(acknowledged);
      expect(entries?.map(({ seq }) => seq)).toEqual(entries?.map((_, i) => i));
    });

    it("promises no more than the server does", async () => {
      const log = { appendonly: "yes" };
      for (const settings of [
        {},
        { ...log, appendfsync: "everysec" },
        { ...log, appendfsync: "always", "no-appendfsync-on-rewrite": "yes" },
      ]) {
        const store = open((await another(settings)).url);
        await store.list({});
        expect(store.durability).toBe("relaxed");
      }
    });

    it("refuses a server that throws away what it keeps, and takes one that says it is full", async () => {
      const cache = await another({ maxmemory: "50mb", "maxmemory-policy": "allkeys-lru" });
      await expect(open(cache.url).list({})).rejects.toThrow(/throws away what it keeps/);
      const small = await another({ maxmemory: "3mb", "maxmemory-policy": "noeviction" });
      const store = open(small.url);
      await store.acquire({ ...request, create: true });
      const big = { hash: "big", text: "x".repeat(4_000_000) };
      const error = await store.commit([{ ...append(0, "a"), blobs: [big] }]).catch((e: unknown) => e);
      // The server takes a script that begins within its limit to its end, and refuses the next one.
      const next = await store.commit([append(error instanceof Error ? 0 : 1, "b")]).catch((e: unknown) => e);
      expect(next).toMatchObject({ code: "store-unavailable", retryable: true, message: /memory is full/ });
      expect(await store.read("r", 0, 9)).toHaveLength(error instanceof Error ? 0 : 1);
    });

    it("says who is not let in, and what a user has to be allowed", async () => {
      const shut = await another({ requirepass: "secret" });
      const address = (user: string): string => shut.url.replace("redis://", `redis://${user}@`);
      await expect(open(shut.url).list({})).rejects.toMatchObject({
        message: /lets nobody in/,
        retryable: false,
      });
      const wrong = await open(address("default:wrong"))
        .list({})
        .catch((error: unknown) => error);
      expect(wrong).toMatchObject({ code: "store-unavailable", retryable: false });
      expect(inspect(wrong, { depth: 9, showHidden: true })).not.toContain("default:wrong");
      const root = new Redis(address("default:secret"));
      toClose.push({ close: () => root.disconnect() });
      await root.call(
        "ACL",
        "SETUSER",
        "few",
        "on",
        ">few",
        "~{flujo}:*",
        "+@all",
        "-@admin",
        "-@dangerous",
        "+info",
      );
      await fill(open(address("few:few"), {}), 3);
      const foreign = open(address("few:few"), { prefix: "other" });
      await expect(foreign.list({})).rejects.toThrow(/the user may not do that/);
    });

    it("says of a replica that it takes no writes", async () => {
      const primary = await another({});
      const { hostname, port } = new URL(primary.url);
      const replica = await another({ replicaof: `${hostname} ${port}` });
      const error = await open(replica.url)
        .acquire({ ...request, create: true })
        .catch((e: unknown) => e);
      expect(error).toMatchObject({ code: "store-unavailable", retryable: true });
    });

    it("works in a cluster, and says when that is down", async () => {
      const node = await another({ "cluster-enabled": "yes", "cluster-announce-ip": "127.0.0.1" });
      const root = new Redis(node.url);
      toClose.push({ close: () => root.disconnect() });
      const prefix = newPrefix();
      await expect(open(node.url, { prefix }).list({})).rejects.toThrow(/the cluster is down/);
      await root.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
      await retried(async () => {
        if (!String(await root.call("CLUSTER", "INFO")).includes("cluster_state:ok"))
          throw new StoreUnavailableError("not yet");
      });
      const store = open(node.url, { prefix, cluster: true });
      await fill(store, 30);
      expect(await store.list({ limit: 5 })).toHaveLength(5);
      await node.stop();
      const gone = await store.list({}).catch((error: unknown) => error);
      expect(gone).toMatchObject({ code: "store-unavailable", retryable: true });
    });
  });
});

const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000 };

const summary: RunSummary = {
  pipeline: "p",
  fingerprint: "f",
  status: "running",
  createdAt: 77,
  updatedAt: 78,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
};

const entry = (seq: number, output: string): Entry => ({
  type: "operation-completed",
  path: "/t",
  kind: "run",
  output,
  took: 0,
  seq,
  at: 0,
});

const append = (seq: number, output: string): Append => ({
  runId: "r",
  fence: 1,
  entries: [entry(seq, output)],
  blobs: [],
});

/** Runs r0, r1, …, one a millisecond; of ten one waits, one runs, and the others are done. The first 20 are of another pipeline. */
async function fill(store: Store, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => `r${i}`);
  await Promise.all(ids.map((runId) => store.acquire({ ...request, runId, create: true })));
  await store.commit(
    ids.map((runId, i) => {
      const status = i % 10 === 0 ? "waiting" : i % 10 === 1 ? "running" : "completed";
      const wakes = status === "waiting" ? { wakeAt: i } : {};
      return {
        ...append(0, "a"),
        runId,
        summary: {
          ...summary,
          pipeline: i < 20 ? "rare" : "p",
          status,
          createdAt: i,
          updatedAt: i,
          ...wakes,
        },
      };
    }),
  );
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
