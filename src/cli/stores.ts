import { existsSync } from "node:fs";
import { InvalidOptionError, UnknownRunError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";

/** What to do where a store has not what was looked for. */
export const otherStore =
  "--store or FLUJO_STORE names another one; a relative path begins in the folder you are in.";

/** Where journals are, when nobody says. */
export const defaultStore = "sqlite:.flujo/flujo.db";

/**
 * The store of a URI: `sqlite:PATH`, `file:DIR`, `postgres://…`, `redis://…`, `memory:`. What it needs is loaded now, what it
 * keeps when it is used.
 *
 * @throws InvalidOptionError
 */
export async function openStore(uri: string): Promise<Store> {
  const { scheme, place } = parts(uri);
  if (scheme === "sqlite") return (await import("../stores/sqlite.ts")).sqlite(place);
  if (scheme === "file") return (await import("../stores/file.ts")).file(place);
  if (scheme === "postgres") return (await import("../stores/postgres.ts")).postgres(uri);
  if (scheme === "redis") return (await import("../stores/redis.ts")).redis(uri);
  return (await import("../stores/memory.ts")).memory();
}

/** For messages: without a password. */
export const nameOf = (store: string | Store): string =>
  typeof store === "string" ? store.replace(/(:\/\/[^:@/]*):[^@/]*@/, "$1@") : store.name;

/** Whether there is anything where the URI points, so that looking makes nothing. A store object may hold anything. */
export function isThere(uri: string | Store): boolean {
  if (typeof uri !== "string") return true;
  const { scheme, place } = parts(uri);
  return scheme === "postgres" || scheme === "redis" || (scheme !== "memory" && existsSync(place));
}

/** @throws UnknownRunError when there is no store yet, and hence no run in it. */
export async function openKnown(uri: string | Store, runId: string): Promise<Store> {
  if (!isThere(uri)) {
    throw new UnknownRunError(`there is no run ${runId}: the store ${nameOf(uri)} is empty or not there`, {
      hint: otherStore,
    });
  }
  return typeof uri === "string" ? openStore(uri) : uri;
}

/** @throws InvalidOptionError */
export function parts(uri: string): { readonly scheme: string; readonly place: string } {
  if (/^postgres(ql)?:\/\//.test(uri)) return { scheme: "postgres", place: uri };
  if (/^rediss?:\/\//.test(uri)) return { scheme: "redis", place: uri };
  const match = /^(sqlite|file|memory):(.*)$/s.exec(uri);
  const [, scheme = "", place = ""] = match ?? [];
  if (match === null || (place === "") !== (scheme === "memory")) {
    throw new InvalidOptionError(`"${nameOf(uri)}" names no store`, {
      hint: "Write sqlite:PATH, file:DIR, postgres://HOST/DATABASE, redis://HOST or memory:, as sqlite:.flujo/flujo.db",
    });
  }
  return { scheme, place };
}
