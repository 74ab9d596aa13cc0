import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import { StoreCorruptError, StoreNewerError } from "../../core/errors.ts";
import { busyTimeoutMs, isBusy } from "./faults.ts";
import {
  applicationId,
  attentionIndexes,
  condemnedTable,
  formatVersion,
  ledgerTables,
  listIndexes,
  noteTable,
  tables,
  wakeIndex,
} from "./schema.ts";
import { messagesView, views } from "./views.ts";

type Row = Record<string, SQLOutputValue>;

/** An open database whose statements are prepared once each. */
export interface Database {
  /**
   * How many rows changed. Here and below: parameters are plain `?`, since Node 22.13 does not bind `?1`, and each
   * statement is kept, so that there must be few different ones.
   */
  run(sql: string, ...values: SQLInputValue[]): number;
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  /** One transaction, begun as a writer's; rolled back when `work` throws. */
  write<T>(work: () => T): T;
  /**
   * Writes without waiting for the disk: for leases. Should the power fail, a lease that is lost had protected nothing
   * acknowledged, since the next synced commit takes along all that stands before it in the log.
   */
  unsynced<T>(work: () => T): T;
  close(): void;
}

/** Opens a database, making its folder and its tables where they are missing. A newer one is left as it is. */
export function open(path: string, durability: "synced" | "relaxed"): Database {
  mkdirSync(dirname(path), { recursive: true });
  const { DatabaseSync } = quietly(() => process.getBuiltinModule("node:sqlite"));
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    const isNew = inspect(db, path);
    useWal(db);
    db.exec(`PRAGMA synchronous = ${durability === "synced" ? "FULL" : "NORMAL"}`);
    if (isNew) makeTables(db, path);
    else upgrade(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return prepared(db, durability);
}

/** Older Nodes warn that `node:sqlite` is experimental; that one warning is kept from the user, no other. */
export function quietly<T>(load: () => T): T {
  const emitWarning = process.emitWarning;
  const filtered = (...warning: [string | Error, ...unknown[]]): void => {
    if (!/^SQLite is an experimental feature/.test(String(warning[0])))
      Reflect.apply(emitWarning, process, warning);
  };
  process.emitWarning = filtered;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whether the database has no tables yet. Only reads. */
export function inspect(db: DatabaseSync, path: string): boolean {
  const application = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  if (application === applicationId) {
    if (Number(version) <= formatVersion) return false;
    throw new StoreNewerError(
      `${path} was written by a newer Flujo (format ${version}, this one knows ${formatVersion})`,
      {
        hint: "Update Flujo; nothing was changed.",
      },
    );
  }
  const tables = db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables;
  if (application === 0 && version === 0 && tables === 0) return true;
  throw new StoreCorruptError(`${path} is a SQLite database, but none of Flujo's`, {
    hint: "Choose another file with --store or FLUJO_STORE; nothing was changed.",
  });
}

const pragma = (db: DatabaseSync, name: string): SQLOutputValue | undefined =>
  db.prepare(`PRAGMA ${name}`).get()?.[name];

/** SQLite does not always wait by itself when two processes change the journal mode of a new file at once. */
function useWal(db: DatabaseSync): void {
  const pauseMs = 10;
  for (let waited = 0; ; waited += pauseMs) {
    try {
      if (pragma(db, "journal_mode") !== "wal") db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || waited >= busyTimeoutMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

/** Another process may have made them in the meantime. */
function makeTables(db: DatabaseSync, path: string): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    if (inspect(db, path)) db.exec(tables);
    db.exec("COMMIT");
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** Brings an older database up to date, once: another process may do the same at this moment. */
function upgrade(db: DatabaseSync): void {
  if (pragma(db, "user_version") === formatVersion) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    const version = Number(pragma(db, "user_version"));
    if (version < 7) db.exec(namesForViews); // first: what comes below knows these names alone
    if (version < 2) db.exec(ledgerTables);
    if (version < 3) db.exec(noteTable);
    if (version < 4) db.exec(`ALTER TABLE run ADD COLUMN wake_at INTEGER; ${wakeIndex}`);
    if (version < 5) db.exec(`${countSignals} ${attentionIndexes}`);
    if (version < 6) db.exec(condemnedTable);
    if (version < 7) db.exec(views);
    else if (version < 8) db.exec(`DROP VIEW messages; ${messagesView}`);
    if (version < 8) db.exec(listIndexes);
    db.exec(`PRAGMA user_version = ${formatVersion}`);
    db.exec("COMMIT");
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/**
 * The tables leave their plurals to the views. Of what somebody else has made over the old views nothing is looked at: it
 * must not keep the file from being opened.
 */
const namesForViews = `
  PRAGMA legacy_alter_table = ON;
  ${["runs", "entries", "spend", "operations", "messages"].map((name) => `DROP VIEW IF EXISTS lens_${name};`).join(" ")}
  ALTER TABLE runs RENAME TO run;
  ALTER TABLE entries RENAME TO entry;
  PRAGMA legacy_alter_table = OFF;
`;

/** What a waiting run had heard was not recorded: it is taken for nothing, and whoever looks goes on with it once. */
const countSignals = `
  ALTER TABLE run ADD COLUMN heard INTEGER;
  ALTER TABLE run ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
  UPDATE run SET heard = 0 WHERE status = 'waiting';
  UPDATE run SET sent = (SELECT count(*) FROM signals WHERE run = num) WHERE num IN (SELECT run FROM signals);
`;

/** After some errors SQLite has rolled back by itself, and says that there is nothing to roll back. */
function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {}
}

function prepared(db: DatabaseSync, durability: "synced" | "relaxed"): Database {
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const statement = (sql: string) => {
    let known = statements.get(sql);
    if (known === undefined) {
      known = db.prepare(sql);
      statements.set(sql, known);
    }
    return known;
  };
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).changes),
    get: (sql, ...values) => statement(sql).get(...values),
    all: (sql, ...values) => statement(sql).all(...values),
    write(work) {
      statement("BEGIN IMMEDIATE").run();
      try {
        const result = work();
        statement("COMMIT").run();
        return result;
      } catch (error) {
        rollBack(db);
        throw error;
      }
    },
    unsynced(work) {
      if (durability === "relaxed") return work();
      statement("PRAGMA synchronous = NORMAL").run();
      try {
        return work();
      } finally {
        statement("PRAGMA synchronous = FULL").run();
      }
    },
    close() {
      try {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {} // another process is reading: the log stays for the next one to fold in
      db.close();
    },
  };
}
