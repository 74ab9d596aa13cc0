import { type Duration, milliseconds } from "../../core/duration.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import { type RedisAddress, redisAddress } from "../../ports/redis-address.ts";
import type { RedisOptions } from "../redis.ts";

/** What a store in Redis is opened with. */
export interface Settings {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** For messages: without the password. */
  readonly name: string;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
}

/** @throws InvalidOptionError */
export function settingsOf(uri: string, options: RedisOptions): Settings {
  const address = redisAddress(uri, "the Redis server", options);
  const { searchParams: said } = address.url;
  const prefix = options.prefix ?? said.get("prefix") ?? "flujo";
  const patience = options.patience ?? said.get("patience") ?? "60s";
  for (const ours of ["prefix", "patience"]) said.delete(ours);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) {
    throw new InvalidOptionError(`${JSON.stringify(prefix)} is no prefix for keys`, {
      hint: "Use 1 to 64 letters, digits, '.', '_' or '-'.",
    });
  }
  const patienceMs = milliseconds(patience as Duration); // which refuses what is none
  if (patienceMs < 1_000)
    throw new InvalidOptionError(`patience is ${patience}; it takes a duration from 1s`);
  const name = `${address.shown}${prefix === "flujo" ? "" : `?prefix=${prefix}`}`;
  return { address, prefix, name, patienceMs };
}
