import { StoreUnavailableError } from "../core/errors.ts";
import type { CacheRecord, Signal, Store } from "../ports/store.ts";
import { storeError } from "./sqlite/faults.ts";
import { Gathering } from "./sqlite/gathering.ts";
import { commit, read } from "./sqlite/journal.ts";
import { acquire, release, renew } from "./sqlite/leases.ts";
import { accounts, ledger } from "./sqlite/ledger.ts";
import { list } from "./sqlite/lists.ts";
import { dropNote, notes, putNote } from "./sqlite/notes.ts";
import { type Database, open } from "./sqlite/open.ts";
import { condemn, drop, removeCondemned } from "./sqlite/removal.ts";

export { checkUp } from "./sqlite/checkup.ts";

/** How {@link sqlite} keeps its promises. */
export interface SqliteOptions {
  /**
   * `"synced"` (default): what is acknowledged survives power loss, at the price of one disk sync a commit.
   * `"relaxed"`: it survives a killed process; power loss may undo the last commits, and harms nothing else.
   */
  readonly durability?: "synced" | "relaxed";
}

const send = `INSERT INTO signals(run, place, id, body)
  SELECT num, (SELECT coalesce(max(place), -1) + 1 FROM signals WHERE run = num), ?, ? FROM run WHERE id = ?
  ON CONFLICT(run, id) DO NOTHING`;
const count = "UPDATE run SET sent = sent + 1 WHERE id = ?";
const sent = "SELECT body FROM signals WHERE run = (SELECT num FROM run WHERE id = ?) ORDER BY place";
const cached = "SELECT value, expires FROM cache WHERE key = ? AND (expires IS NULL OR expires > ?)";
const keep =
  "INSERT INTO cache(key, value, expires) VALUES(?, ?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value, expires = excluded.expires";

/**
 * A store in one SQLite file, which several processes may use at once. The file and its folder are made on first
 * use. A write waits up to 5 seconds for other processes; meanwhile this process waits with it.
 *
 * ```ts
 * const flujo = new Flujo(greet, { store: sqlite(".flujo/flujo.db") });
 * ```
 *
 * @param path a file on a local disk: SQLite's locks do not hold on network shares.
 */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  const name = `sqlite:${path}`;
  const durability = options.durability ?? "synced";
  let db: Database | undefined;
  let closed = false;

  const use = <T>(work: (db: Database) => T): T => {
    if (closed)
      throw new StoreUnavailableError(`${name} is closed`, {
        hint: "Keep the store open until its runs end.",
      });
    try {
      db ??= open(path, durability);
      return work(db);
    } catch (error) {
      throw storeError(error, name);
    }
  };

  const leases = new Gathering(use);

  return {
    name,
    durability,
    commit: async (appends) => use((db) => commit(db, appends)),
    read: async (runId, from, limit) => use((db) => read(db, runId, from, limit)),
    acquire: (request) => leases.write((db) => acquire(db, request)),
    renew: async (lease, expiresAt) => use((db) => db.unsynced(() => renew(db, lease, expiresAt))),
    release: (lease) => leases.write((db) => release(db, lease)),
    list: async (filter) => use((db) => list(db, filter)),
    // Holds need no sync of their own: the reservation that follows each one takes it along. What people change does.
    ledger: async (request) =>
      use((db) => (request.kind === "amend" ? ledger(db, request) : db.unsynced(() => ledger(db, request)))),
    accounts: async (filter) => use((db) => accounts(db, filter)),
    notes: async (filter) => use((db) => notes(db, filter)),
    // As holds: what must be safe before something else is, is made so by the commit of that.
    putNote: async (key, value, seen) => use((db) => db.unsynced(() => putNote(db, key, value, seen))),
    dropNote: async (key, seen) => use((db) => db.unsynced(() => dropNote(db, key, seen))),

    async blob(hash) {
      const utf8 = use((db) => db.get("SELECT utf8 FROM blobs WHERE hash = ?", hash))?.utf8;
      return utf8 instanceof Uint8Array
        ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8)
        : undefined;
    },

    async send(runId, signal) {
      return use((db) =>
        db.write(() => {
          if (db.run(send, signal.id, JSON.stringify(signal), runId) > 0) return db.run(count, runId) > 0;
          return db.get("SELECT 1 FROM run WHERE id = ?", runId) !== undefined;
        }),
      );
    },

    async signals(runId) {
      return use((db) => db.all(sent, runId)).map(({ body }) => JSON.parse(body as string) as Signal); // as it was sent
    },

    async cacheGet(key, now) {
      const row = use((db) => db.get(cached, key, now));
      if (row === undefined) return undefined;
      const value = JSON.parse(row.value as string) as CacheRecord["value"]; // TEXT NOT NULL, as it was put
      return row.expires === null ? { value } : { value, expiresAt: Number(row.expires) };
    },

    async cachePut(key, record) {
      use((db) => db.run(keep, key, JSON.stringify(record.value), record.expiresAt ?? null));
    },

    drop: async (lease, heard) => use((db) => drop(db, lease, heard)),

    async sweep(hashes, used) {
      const name = use((db) => condemn(db, hashes));
      const kept = await used();
      return use((db) => removeCondemned(db, name, kept));
    },

    async close() {
      closed = true;
      db?.close();
      db = undefined;
    },
  };
}
