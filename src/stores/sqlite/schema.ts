/**
 * The tables of a Flujo database.
 *
 * The entries of one append lie in one row, a JSON array: a row costs its insert, whatever it holds. Its key is its run's
 * number times 2^32, plus the seq of its last entry: one integer, so that a run's rows lie together in order, and the row
 * that holds a certain entry is the first one from that entry's key on.
 */
import { views } from "./views.ts";

/** "FLUJ", in the file's header: what tells our databases from others. */
export const applicationId = 0x464c554a;

/** Kept in `user_version`. A database with a higher one is refused. */
export const formatVersion = 8;

/** Since format 2. Most accounts have no money held: those that have are found without looking at the others. */
export const ledgerTables = `
  CREATE TABLE accounts(
    scope TEXT PRIMARY KEY,
    holds INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX accounts_with_holds ON accounts(scope) WHERE holds > 0;
`;

/** Since format 3. */
export const noteTable = `
  CREATE TABLE notes(key TEXT PRIMARY KEY, version TEXT NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Since format 4. Most runs wait for no moment: those that do are found without looking at the others. */
export const wakeIndex = "CREATE INDEX runs_by_waking ON run(wake_at, id) WHERE wake_at IS NOT NULL;";

/** Since format 5. What nobody attends to is found without looking at all the other runs. */
export const attentionIndexes = `
  CREATE INDEX runs_by_lease ON run(expires, id) WHERE status = 'running';
  CREATE INDEX runs_with_word ON run(id) WHERE heard < sent;
`;

/** Since format 6. Values that a sweep is about to remove, by the name of the sweep. Nearly always empty. */
export const condemnedTable = `
  CREATE TABLE condemned(hash TEXT NOT NULL, sweep TEXT NOT NULL, PRIMARY KEY(hash, sweep)) STRICT, WITHOUT ROWID;
`;

/**
 * Since format 8. Lists of what has changed, of one pipeline, and of what has not completed, pass over no other runs. Most
 * runs have completed: they are in no index by status.
 */
export const listIndexes = `
  CREATE INDEX runs_by_change ON run(updated) WHERE pipeline IS NOT NULL;
  CREATE INDEX runs_by_pipeline ON run(pipeline, created, id) WHERE pipeline IS NOT NULL;
  CREATE INDEX runs_by_status ON run(status, created, id) WHERE status <> 'completed';
`;

export const tables = `
  CREATE TABLE run(
    num INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    fence INTEGER NOT NULL,
    owner TEXT,               -- NULL: released
    expires INTEGER NOT NULL,
    pipeline TEXT,            -- NULL, as the columns below: no summary yet
    fingerprint TEXT,
    status TEXT,
    created INTEGER,
    updated INTEGER,
    pico_usd TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    calls INTEGER,
    wake_at INTEGER,          -- NULL: nothing wakes it by itself
    heard INTEGER,            -- signals seen by a waiting run; NULL: it does not wait
    sent INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_by_age ON run(created DESC, id DESC);
  ${wakeIndex}
  ${attentionIndexes}
  ${listIndexes}
  CREATE TABLE entry(key INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE blobs(hash TEXT PRIMARY KEY, utf8 BLOB NOT NULL) STRICT; -- Node 22.13 ends a TEXT at its first NUL
  CREATE TABLE signals(
    run INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY(run, place),
    UNIQUE(run, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cache(key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER) STRICT;
  ${ledgerTables}
  ${noteTable}
  ${condemnedTable}
  ${views}
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;
