import type { Duration } from "../core/duration.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { isRunId } from "../core/paths.ts";
import { Newsroom } from "../ports/newsroom.ts";
import type { Lease, LeaseRequest, Signal, Store, Watcher } from "../ports/store.ts";
import { refuseBadRunId } from "../ports/store-rules.ts";
import { type Database, open } from "./postgres/database.ts";
import { storeError } from "./postgres/faults.ts";
import { Gathering } from "./postgres/gathering.ts";
import { commit, read } from "./postgres/journal.ts";
import { drop, make, release, renew, take } from "./postgres/leases.ts";
import { accounts, ledger } from "./postgres/ledger.ts";
import { list } from "./postgres/lists.ts";
import { announce, listen } from "./postgres/news.ts";
import { dropNote, notes, putNote } from "./postgres/notes.ts";
import { settingsOf } from "./postgres/settings.ts";
import { firm } from "./postgres/syncing.ts";

/** How {@link postgres} keeps its promises. What is given here goes before what the URL says. */
export interface PostgresOptions {
  /** The schema for Flujo's tables: made on first use. 1 to 63 letters, digits and underscores. Default `flujo`. */
  readonly schema?: string;
  /** Connections this process may have, at most: 1 to 1,000. Default 10. */
  readonly connections?: number;
  /**
   * `"synced"` (default): what is acknowledged survives a crash of the server and power loss, by the server's own settings.
   * `"relaxed"`: `synchronous_commit = off`; such a crash may undo the last fraction of a second, and harms nothing else.
   */
  readonly durability?: "synced" | "relaxed";
  /** How long an answer is waited for: then the server counts as away, and that connection as over. From `"1s"`, default `"60s"`. */
  readonly patience?: Duration;
  /**
   * Where one connection listens for what other processes do (`LISTEN`), so that nobody has to look all the time: an address of
   * the server itself, where the store's own leads to a pooler that hands out connections by transaction. `false`: nowhere.
   * Default: the store's address; where that carries no news, processes look once a second.
   */
  readonly listen?: string | false;
}

/**
 * A store in a Postgres database (13 or newer), for as many processes on as many machines as like. Needs the package `pg`.
 * But for the one connection that listens it keeps nothing in a session: a pooler may stand between, also one that hands out
 * connections by transaction.
 *
 * ```ts
 * const flujo = new Flujo(greet, { store: postgres("postgres://localhost/app") });
 * ```
 *
 * @param address as libpq takes it: `postgres://user:password@host:5432/database`. Options may stand at its end:
 * `?schema=jobs&connections=20&durability=relaxed&patience=20s`.
 * @throws InvalidOptionError for an address that is none, and options out of their bounds.
 */
export function postgres(address: string, options: PostgresOptions = {}): Store {
  const settings = settingsOf(address, options);
  const { name, listenUrl, durability } = settings;
  let opened: Promise<Database> | undefined;
  let closed = false;

  const use = async <T>(work: (db: Database) => Promise<T>): Promise<T> => {
    if (closed)
      throw new StoreUnavailableError(`${name} is closed`, {
        hint: "Keep the store open until its runs end.",
      });
    newsroom?.works();
    try {
      opened ??= open(settings);
      opened.catch(() => {
        opened = undefined; // the next one tries again
      });
      return await work(await opened);
    } catch (error) {
      newsroom?.doubts();
      throw storeError(error, name);
    }
  };

  // One after the other, as they were asked for: on several connections they might overtake one another.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: (db: Database) => Promise<T>): Promise<T> => {
    const next = last.then(() => use(work));
    last = next.catch(() => {});
    return next;
  };

  const making = new Gathering((requests: readonly LeaseRequest[]) => use((db) => make(db, requests)));
  const releasing = new Gathering((leases: readonly Lease[]) => use((db) => release(db, leases)));

  const say = (said: string): Promise<void> => use((db) => announce(db, said));
  const newsroom =
    listenUrl === undefined
      ? undefined
      : new Newsroom({ open: (heard, ended) => listen(settings, heard, ended), say });

  return {
    name,
    durability,
    ...(newsroom === undefined ? {} : { watch: (watcher: Watcher) => newsroom.watch(watcher) }),
    commit: (appends) => inTurn((db) => commit(db, appends)),
    read: (runId, from, limit) => use((db) => read(db, runId, from, limit)),
    async acquire(request) {
      if (!request.create) return use((db) => take(db, request));
      refuseBadRunId(request.runId);
      return making.ask(request);
    },
    renew: (lease, expiresAt) => use((db) => renew(db, lease, expiresAt)),
    release: (lease) => releasing.ask(lease),
    list: (filter) => use((db) => list(db, filter)),
    ledger: (request) => use((db) => ledger(db, request)),
    accounts: (filter) => use((db) => accounts(db, filter)),
    notes: (filter) => use((db) => notes(db, filter)),
    putNote: (key, value, seen) => use((db) => putNote(db, key, value, seen)),
    dropNote: (key, seen) => use((db) => dropNote(db, key, seen)),

    blob: (hash) =>
      use(async (db) => {
        const [row] = await db.query(`SELECT utf8 FROM ${db.schema}.blob WHERE hash = $1`, [hash]);
        return row?.utf8 instanceof Uint8Array
          ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(row.utf8)
          : undefined;
      }),

    send: (runId, signal) =>
      use(async (db) => {
        if (!isRunId(runId)) return false;
        const sql = `WITH ${firm} SELECT ${db.schema}.send($1, $2, $3) AS sent FROM firm`;
        const [row] = await db.query(sql, [runId, JSON.stringify(signal.id), JSON.stringify(signal)]);
        if (row?.sent === true) await announce(db, runId).catch(() => {}); // it is kept: whoever looks finds it
        return row?.sent !== null;
      }),

    signals: (runId) =>
      use(async (db) => {
        if (!isRunId(runId)) return [];
        const sql = `SELECT body FROM ${db.schema}.signal
          WHERE run = (SELECT num FROM ${db.schema}.run WHERE id = $1) ORDER BY place`;
        return (await db.query(sql, [runId])).map(({ body }) => JSON.parse(body as string) as Signal); // as it was sent
      }),

    cacheGet: (key, now) =>
      use(async (db) => {
        const sql = `SELECT value, expires FROM ${db.schema}.cached WHERE key = $1 AND (expires IS NULL OR expires > $2)`;
        const [row] = await db.query(sql, [key, now]);
        if (row === undefined) return undefined;
        const value = JSON.parse(row.value as string) as Json; // as it was put
        return row.expires === null ? { value } : { value, expiresAt: Number(row.expires) };
      }),

    cachePut: (key, { value, expiresAt }) =>
      use(async (db) => {
        const sql = `INSERT INTO ${db.schema}.cached(key, value, expires) VALUES ($1, $2, $3)
          ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`;
        await db.query(sql, [key, JSON.stringify(value), expiresAt ?? null]);
      }),

    drop: (lease, heard) => use((db) => drop(db, lease, heard)),

    sweep: (hashes, used) =>
      use(async (db) => {
        const sweep = crypto.randomUUID();
        await db.query(`SELECT ${db.schema}.condemn($1, $2)`, [hashes, sweep]);
        const kept = [...(await used())];
        const [row] = await db.query(`SELECT ${db.schema}.execute($1, $2) AS removed`, [sweep, kept]);
        return Number(row?.removed);
      }),

    async close() {
      closed = true;
      newsroom?.close();
      const db = await opened?.catch(() => undefined);
      opened = undefined;
      await db?.close();
    },
  };
}
