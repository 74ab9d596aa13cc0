import type { Duration } from "../core/duration.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { isRunId } from "../core/paths.ts";
import { Newsroom } from "../ports/newsroom.ts";
import type { CacheRecord, Durability, Signal, Store } from "../ports/store.ts";
import { type Connection, open } from "./redis/connection.ts";
import { storeError } from "./redis/faults.ts";
import { bringUpToDate } from "./redis/format.ts";
import { commit, read } from "./redis/journal.ts";
import { durabilityOf, mayForget } from "./redis/keeping.ts";
import { keysOf } from "./redis/keys.ts";
import { acquire, drop, release, renew } from "./redis/leases.ts";
import { accounts, ledger } from "./redis/ledger.ts";
import { list } from "./redis/lists.ts";
import { announce, listen } from "./redis/news.ts";
import { dropNote, notes, putNote } from "./redis/notes.ts";
import * as scripts from "./redis/scripts.ts";
import { settingsOf } from "./redis/settings.ts";
import { sweep } from "./redis/sweep.ts";

/** Where {@link redis} keeps a store. What is given here goes before what the URL says. */
export interface RedisOptions {
  /** What all keys of the store begin with: 1 to 64 letters, digits, `.`, `_` and `-`. Default `flujo`. */
  readonly prefix?: string;
  /** Whether the hosts are nodes of a cluster; the store is in one slot of it. Default false. */
  readonly cluster?: boolean;
  /** The name under which the hosts, which are Sentinels, know the primary. Default: the one host is the server itself. */
  readonly sentinel?: string;
  /** How long an answer is waited for: then the server counts as away, and that connection as over. From `"1s"`, default `"60s"`. */
  readonly patience?: Duration;
}

/**
 * A store in Redis (7 or newer) or Valkey, for as many processes on as many machines as like. Needs the package `ioredis`.
 *
 * How safe what is acknowledged is depends on the server: see docs/scale.md, and ask `flujo doctor`. `durability` is
 * `"synced"` once the server has said that it syncs its log before it answers (`appendfsync always`), else `"relaxed"`.
 *
 * ```ts
 * const flujo = new Flujo(greet, { store: redis("redis://localhost:6379/0", { prefix: "app" }) });
 * ```
 *
 * @param address `redis://user:password@host:6379/0`, or `rediss://` for TLS; nodes of a cluster, or Sentinels, with commas between them.
 * Options may stand at its end: `redis://one:6379,two:6379?cluster=true&prefix=app&patience=20s`, `redis://one:26379,two:26379/0?sentinel=NAME`.
 * @throws InvalidOptionError for an address that is none, and options out of their bounds.
 */
export function redis(address: string, options: RedisOptions = {}): Store {
  const settings = settingsOf(address, options);
  const { name } = settings;
  let opened: Promise<Connection> | undefined;
  let durability: Durability = "relaxed";
  let closed = false;

  const connect = async (ended: () => void): Promise<Connection> => {
    const db = await open(settings, ended);
    try {
      if (mayForget(db.keeping)) {
        throw new StoreUnavailableError(`${name} throws away what it keeps when its memory is full`, {
          hint: "It would take journals, too. Set its maxmemory-policy to noeviction, or use a server that is no cache.",
        });
      }
      await bringUpToDate(db, name);
    } catch (error) {
      db.close();
      throw error;
    }
    durability = durabilityOf(db.keeping);
    return db;
  };

  /** Where it fails or ends, the next one tries again. */
  const begin = (): Promise<Connection> => {
    const forget = (): void => {
      if (opened === begun) opened = undefined;
    };
    const begun = connect(forget);
    begun.catch(forget);
    return begun;
  };

  const use = async <T>(work: (db: Connection) => Promise<T>): Promise<T> => {
    if (closed)
      throw new StoreUnavailableError(`${name} is closed`, {
        hint: "Keep the store open until its runs end.",
      });
    newsroom.works();
    try {
      opened ??= begin();
      return await work(await opened);
    } catch (error) {
      newsroom.doubts();
      throw storeError(error, name);
    }
  };

  // One after the other, as they were asked for: commits keep their order, and nothing of one process is in its own way.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: (db: Connection) => Promise<T>): Promise<T> => {
    const next = last.then(() => use(work));
    last = next.catch(() => {});
    return next;
  };

  const newsroom = new Newsroom({
    open: (heard, ended) => listen(settings, keysOf(settings.prefix).news, heard, ended),
    say: (said) => use((db) => announce(db, said)),
  });

  return {
    name,
    watch: (watcher) => newsroom.watch(watcher),
    get durability() {
      return durability;
    },
    commit: (appends) => inTurn((db) => commit(db, appends)),
    read: (runId, from, limit) => use((db) => read(db, runId, from, limit)),
    acquire: (request) => use((db) => acquire(db, request)),
    renew: (lease, expiresAt) => use((db) => renew(db, lease, expiresAt)),
    release: (lease) => use((db) => release(db, lease)),
    list: (filter) => use((db) => list(db, filter)),
    ledger: (request) => inTurn((db) => ledger(db, request)),
    accounts: (filter) => use((db) => accounts(db, filter)),
    notes: (filter) => use((db) => notes(db, filter)),
    putNote: (key, value, seen) => use((db) => putNote(db, key, value, seen)),
    dropNote: (key, seen) => use((db) => dropNote(db, key, seen)),
    drop: (lease, heard) => use((db) => drop(db, lease, heard)),
    sweep: (hashes, used) => use((db) => sweep(db, hashes, used)),

    blob: (hash) =>
      use(async (db) => {
        const text = await db.call("GET", db.keys.value(hash));
        return typeof text === "string" ? text : undefined;
      }),

    send: (runId, signal) =>
      use(async (db) => {
        if (!isRunId(runId)) return false;
        const { run, signals, sent, word, news } = db.keys;
        const keys = [run(runId), signals(runId), sent(runId), word];
        const args = [runId, JSON.stringify(signal.id), JSON.stringify(signal), news];
        return (await db.script(scripts.send, keys, args)) === 1;
      }),

    signals: (runId) =>
      use(async (db) => {
        if (!isRunId(runId)) return [];
        const sent = await db.call("LRANGE", db.keys.signals(runId), 0, -1);
        return (sent as readonly string[]).map((text) => JSON.parse(text) as Signal); // as they were sent
      }),

    cacheGet: (key, now) =>
      use(async (db) => {
        const text = await db.call("GET", db.keys.cached(key));
        if (typeof text !== "string") return undefined;
        const record = JSON.parse(text) as { readonly value: Json; readonly expiresAt?: number }; // as it was put
        return record.expiresAt !== undefined && record.expiresAt <= now ? undefined : record;
      }),

    cachePut: (key, record: CacheRecord) =>
      use(async (db) => {
        await db.call("SET", db.keys.cached(key), JSON.stringify(record));
      }),

    async close() {
      closed = true;
      newsroom.close();
      const db = await opened?.catch(() => undefined);
      opened = undefined;
      db?.close();
    },
  };
}
