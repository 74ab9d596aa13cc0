import { type Duration, milliseconds } from "../../core/duration.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { RedisOptions } from "../redis.ts";

/** What a store in Redis is opened with. */
export interface Settings extends Required<Omit<RedisOptions, "patience">> {
  /** For the driver: without our own options. */
  readonly url: string;
  /** For messages: without the password. */
  readonly name: string;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
}

const databasePath = /^\/?\d*$/;

/** @throws InvalidOptionError */
export function settingsOf(address: string, options: RedisOptions): Settings {
  const url = URL.parse(address);
  if (url === null || !/^rediss?:$/.test(url.protocol) || !databasePath.test(url.pathname)) {
    throw new InvalidOptionError("the address of the Redis server is none", {
      hint: "Write redis://user:password@host:6379/0, or rediss:// for TLS",
    });
  }
  const said = url.searchParams.get("prefix") ?? undefined;
  url.searchParams.delete("prefix");
  const patience = options.patience ?? url.searchParams.get("patience") ?? "60s";
  url.searchParams.delete("patience");
  const isCluster = url.searchParams.get("cluster") ?? undefined;
  url.searchParams.delete("cluster");
  const prefix = options.prefix ?? said ?? "flujo";
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) {
    throw new InvalidOptionError(`${JSON.stringify(prefix)} is no prefix for keys`, {
      hint: "Use 1 to 64 letters, digits, '.', '_' or '-'.",
    });
  }
  if (isCluster !== undefined && isCluster !== "true" && isCluster !== "false") {
    throw new InvalidOptionError(`cluster is ${JSON.stringify(isCluster)}; it takes true or false`);
  }
  const cluster = options.cluster ?? isCluster === "true";
  const number = url.pathname.replace("/", "");
  if (cluster && Number(number) !== 0) {
    throw new InvalidOptionError(`a cluster has no database ${number}`, {
      hint: "Its only one is 0; a prefix of its own keeps a store apart.",
    });
  }
  const patienceMs = milliseconds(patience as Duration); // which refuses what is none
  if (patienceMs < 1_000)
    throw new InvalidOptionError(`patience is ${patience}; it takes a duration from 1s`);
  const { protocol, username, host } = url;
  const user = username === "" ? "" : `${username}@`;
  const suffix = prefix === "flujo" ? "" : `?prefix=${prefix}`;
  const name = `${protocol}//${user}${host}${number === "" ? "" : `/${number}`}${suffix}`;
  return { url: url.href, name, prefix, cluster, patienceMs };
}
