/** Redis servers of the tests' own that stand in for one another: a cluster, or a primary and its replica with a Sentinel beside them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./postgres.ts";
import { program, type RedisServer, redisServer } from "./redis.ts";

const slots = 16_384;
/** After so many milliseconds without a word a server is taken for dead by the others. */
const deadMs = 1_000;

/** A server, and a way to tell it things. */
interface Node extends RedisServer {
  readonly port: number;
  readonly client: Redis;
}

async function node(settings: { readonly [name: string]: string }): Promise<Node> {
  const server = await redisServer({ "repl-diskless-sync-delay": "0", ...settings }); // else a replica waits for others
  const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {}); // it may be killed
  return {
    ...server,
    port: Number(new URL(server.url).port),
    client,
    async stop() {
      client.disconnect();
      await server.stop();
    },
  };
}

/** Ends a primary at once, when its replica has all that was acknowledged: what it had not received yet would be lost. */
async function killed({ client, stop }: Node): Promise<void> {
  await client.call("CLIENT", "PAUSE", 60_000, "WRITE");
  await client.wait(1, 0);
  await stop();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await pause(20);
}

export interface RedisCluster {
  /** As `redis()` takes it: with the addresses of all nodes. */
  readonly url: string;
  /**
   * Moves the slot of a key, with all that is in it, to another primary, key by key.
   *
   * @param meanwhile is waited for when the first one has been moved.
   */
  move(key: string, meanwhile?: () => Promise<void>): Promise<void>;
  /** Ends the primary of a key. Its replica takes over. */
  kill(key: string): Promise<void>;
  stop(): Promise<void>;
}

/** Three primaries with a replica each. */
export async function redisCluster(): Promise<RedisCluster> {
  const settings = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": `${deadMs}`,
    "cluster-replica-validity-factor": "0", // however long it has heard nothing: the machine may be busy
  };
  const nodes = await Promise.all(Array.from({ length: 6 }, () => node(settings)));
  const ids = await Promise.all(nodes.map(({ client }) => client.cluster("MYID")));
  const [first, ...others] = nodes as [Node, ...Node[]];
  const alive = new Set(nodes);
  const [, busPort] = (await first.client.config("GET", "cluster-port")) as string[];
  for (const { client } of others)
    await client.call("CLUSTER", "MEET", "127.0.0.1", first.port, busPort ?? "");
  const ranges = [0, 1, 2].map((i) => [Math.floor((i * slots) / 3), Math.floor(((i + 1) * slots) / 3) - 1]);
  for (const [i, [from = 0, to = 0]] of ranges.entries())
    await nodes[i]?.client.call("CLUSTER", "ADDSLOTSRANGE", from, to);
  const infoOf = ({ client }: Node): Promise<string> => client.cluster("INFO");
  const allSay = (word: string): Promise<void> =>
    until(async () => (await Promise.all(nodes.map(infoOf))).every((info) => info.includes(word)));
  await allSay("cluster_known_nodes:6");
  for (const i of [3, 4, 5]) {
    const { client } = nodes[i] as Node; // there are six
    await until(async () => (await client.call("CLUSTER", "REPLICATE", ids[i - 3] ?? "")) === "OK");
    await until(async () => (await client.info("replication")).includes("master_link_status:up"));
  }
  await allSay("cluster_state:ok");

  const primaryOf = async (key: string): Promise<number> => {
    const slot = await first.client
      .cluster("KEYSLOT", key)
      .catch(() => others[0]?.client.cluster("KEYSLOT", key));
    for (const [i, one] of nodes.entries()) {
      if (!alive.has(one)) continue;
      const shards = await one.client.cluster("SLOTS");
      const owner = shards.find(([from, to]) => from <= Number(slot) && Number(slot) <= to)?.[2]?.[2];
      if (owner === ids[i]) return i;
    }
    throw new Error(`no node has ${key}`);
  };

  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}?cluster=true`,
    async move(key, meanwhile = async () => {}) {
      const from = await primaryOf(key);
      const to = (from + 1) % 3;
      const [source, target] = [nodes[from] as Node, nodes[to] as Node]; // there are six
      const slot = await source.client.cluster("KEYSLOT", key);
      await target.client.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[from] ?? "");
      await source.client.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to] ?? "");
      for (let moved = 0; ; moved += 1) {
        if (moved === 1) await meanwhile();
        const keys = (await source.client.call("CLUSTER", "GETKEYSINSLOT", slot, 1)) as string[];
        if (keys.length === 0) break;
        await source.client.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", ...keys);
        await pause(20); // so that somebody comes between
      }
      for (const { client } of [target, source])
        await client.call("CLUSTER", "SETSLOT", slot, "NODE", ids[to] ?? "");
    },
    async kill(key) {
      const dead = nodes[await primaryOf(key)] as Node; // it is one of them
      alive.delete(dead);
      await killed(dead);
    },
    stop: async () => void (await Promise.all([...alive].map((one) => one.stop()))),
  };
}

export interface WatchedRedis {
  /** As `redis()` takes it: with the address of a Sentinel, and before it one where nobody is. */
  readonly url: string;
  /** Ends the primary. The replica takes over. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A primary and a replica, and a Sentinel that has one stand in for the other. */
export async function watchedRedis(): Promise<WatchedRedis> {
  const primary = await node({});
  const replica = await node({ replicaof: `127.0.0.1 ${primary.port}` });
  await until(async () => (await replica.client.info("replication")).includes("master_link_status:up"));
  const folder = mkdtempSync(join(tmpdir(), "flujo-sentinel-"));
  const [port, nowhere] = [await freePort(), await freePort()];
  const conf = [
    ...[`port ${port}`, "bind 127.0.0.1", `dir ${folder}`],
    `sentinel monitor store 127.0.0.1 ${primary.port} 1`,
    `sentinel down-after-milliseconds store ${deadMs}`,
  ];
  writeFileSync(join(folder, "sentinel.conf"), conf.join("\n"));
  const sentinel = spawn(program ?? "", [join(folder, "sentinel.conf"), "--sentinel"], { stdio: "ignore" });
  const asked = new Redis({ port, lazyConnect: true, retryStrategy: () => 20 });
  asked.on("error", () => {}); // it is not there yet
  await until(async () => String(await asked.call("SENTINEL", "MASTER", "store")).includes("num-slaves,1"));
  asked.disconnect();
  return {
    url: `redis://127.0.0.1:${nowhere},127.0.0.1:${port}/0?sentinel=store`,
    kill: () => killed(primary),
    async stop() {
      const gone = once(sentinel, "exit");
      sentinel.kill("SIGKILL");
      await gone;
      await Promise.all([primary.stop(), replica.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
