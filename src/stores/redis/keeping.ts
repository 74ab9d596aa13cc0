import type { Durability } from "../../ports/store.ts";

/** How a server keeps what it is told, as far as it says. */
export interface Keeping {
  readonly version?: string;
  /** Whether there is a log of all writes. */
  readonly log?: boolean;
  /** When that log is synced to the disk. */
  readonly sync?: string;
  /** Whether nothing is synced while the log is written anew. */
  readonly pauses?: boolean;
  /** When a picture of everything is written; empty: never. */
  readonly pictures?: string;
  /** What is thrown away when memory is full. */
  readonly eviction?: string;
  /** Bytes; 0: as much as there is. */
  readonly memory?: number;
  /** Servers that follow this one. */
  readonly replicas?: number;
  readonly role?: string;
}

type Call = (command: string, ...args: string[]) => Promise<unknown>;

/** What the server says. Hosted ones may forbid the question, and say only some of it elsewhere. */
export async function keepingOf(call: Call): Promise<Keeping> {
  const asked = [
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "save",
    "maxmemory-policy",
    "maxmemory",
  ];
  const [config, info] = await Promise.all([
    call("CONFIG", "GET", ...asked).then(pairs, nothing),
    call("INFO").then(lines, nothing),
  ]);
  const log = config.get("appendonly") ?? (info.get("aof_enabled") === "1" ? "yes" : info.get("aof_enabled"));
  const said = {
    version: info.get("valkey_version") ?? info.get("redis_version"),
    log: log === undefined ? undefined : log === "yes",
    sync: config.get("appendfsync"),
    pauses: config.has("appendfsync") ? config.get("no-appendfsync-on-rewrite") === "yes" : undefined,
    pictures: config.get("save"),
    eviction: config.get("maxmemory-policy") ?? info.get("maxmemory_policy"),
    memory: numberIn(config.get("maxmemory") ?? info.get("maxmemory")),
    replicas: numberIn(info.get("connected_slaves")),
    role: info.get("role"),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** `synced` only where the log is synced before anything is acknowledged, and the server says so. */
export const durabilityOf = ({ log, sync, pauses }: Keeping): Durability =>
  log === true && sync === "always" && pauses === false ? "synced" : "relaxed";

/** Journals have no date of expiry: only what takes any key takes them. */
export const mayForget = ({ eviction, memory }: Keeping): boolean =>
  eviction?.startsWith("allkeys-") === true && memory !== 0;

/** Of the nodes of a cluster, each of which may come to have the store, the one that promises least; and the most replicas one has. */
export function leastOf(nodes: readonly Keeping[]): Keeping {
  const [first = {}, ...others] = nodes;
  if (others.length === 0) return first;
  const isPoor = (node: Keeping): boolean => durabilityOf(node) === "relaxed";
  const { role: _, ...least } = nodes.find(mayForget) ?? nodes.find(isPoor) ?? first;
  return { ...least, replicas: Math.max(...nodes.map(({ replicas = 0 }) => replicas)) };
}

const nothing = (): ReadonlyMap<string, string> => new Map();

function pairs(reply: unknown): ReadonlyMap<string, string> {
  const said = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(said.flatMap((name, i) => (i % 2 === 0 ? [[name, said[i + 1] ?? ""] as const] : [])));
}

function lines(reply: unknown): ReadonlyMap<string, string> {
  const matches = String(reply).matchAll(/^([a-z_0-9]+):(.*?)\r?$/gm);
  return new Map([...matches].map(([, name = "", value = ""]) => [name, value]));
}

const numberIn = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);
