import { carries } from "../../ports/newsroom.ts";
import { poolOf } from "./database.ts";
import { storeError } from "./faults.ts";
import { announce, listen } from "./news.ts";
import { quoted } from "./schema.ts";
import type { Settings } from "./settings.ts";
import type { Row } from "./transaction.ts";

/** A server as it says it is. */
export interface DatabaseFacts {
  /** `150004` is 15.4. */
  readonly version: number;
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  readonly synchronousCommit: string;
  /** How the database keeps texts: `UTF8`. */
  readonly encoding: string;
  /** What a transaction sees that does not say what it wants to: `read committed`. */
  readonly isolation: string;
  /** Whether it follows another server, and takes no writes. */
  readonly isStandby: boolean;
  /** How many connections it takes, and how many it has now. */
  readonly mostConnections: number;
  readonly connections: number;
  /** Whether it keeps a connection for the length of a transaction. A pooler in statement mode does not. */
  readonly hasTransactions: boolean;
  /** Milliseconds since 1970, by its clock. */
  readonly now: number;
  /** The format of the tables; absent: there are none yet. */
  readonly format?: number;
}

const question = `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS synced,
  current_setting('server_encoding') AS encoding, current_setting('default_transaction_isolation') AS isolation, pg_is_in_recovery() AS standby,
  current_setting('max_connections')::int AS most, (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS have,
  extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`;

/** Only reads. */
export async function checkUp(settings: Settings): Promise<DatabaseFacts> {
  const { schema, name } = settings;
  const pool = await poolOf({ ...settings, connections: 1 });
  const rows = async (sql: string, ...values: unknown[]): Promise<Row[]> =>
    (await pool.query(sql, values)).rows as Row[]; // without a mode of its own, pg gives objects
  try {
    const [row = {}] = await rows(question);
    const isThere = await rows(
      "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'format'",
      schema,
    );
    const [kept] = isThere.length > 0 ? await rows(`SELECT version FROM ${quoted(schema)}.format`) : [];
    return {
      version: Number(row.version),
      fsync: row.fsync === "on",
      fullPageWrites: row.pages === "on",
      synchronousCommit: String(row.synced),
      encoding: String(row.encoding),
      isolation: String(row.isolation),
      isStandby: row.standby === true,
      mostConnections: Number(row.most),
      connections: Number(row.have),
      hasTransactions: await pool.query("BEGIN").then(
        () => pool.query("ROLLBACK").then(() => true),
        () => false,
      ),
      now: Number(row.now),
      ...(kept === undefined ? {} : { format: Number(kept.version) }),
    };
  } catch (error) {
    throw storeError(error, name);
  } finally {
    await pool.end();
  }
}

const echoMs = 3_000;

/** Whether processes hear at once what others tell them. Undefined: they are told not to listen. */
export async function hears(settings: Settings): Promise<boolean | undefined> {
  const { listenUrl, schema: channel, name } = settings;
  if (listenUrl === undefined) return undefined;
  const pool = await poolOf({ ...settings, connections: 1 });
  const query = async (sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await pool.query(sql, [...values])).rows as Row[]; // as above
  try {
    return await carries(
      {
        open: (heard, ended) => listen(settings, heard, ended),
        say: (said) => announce({ query, channel }, said),
      },
      echoMs,
    );
  } catch (error) {
    throw storeError(error, name);
  } finally {
    await pool.end();
  }
}
