import type { Client as PgClient, Pool, PoolClient, PoolConfig, QueryResult } from "pg";
import { StoreNewerError, StoreUnavailableError } from "../../core/errors.ts";
import { importPackage } from "../../ports/optional-package.ts";
import { isLate, isTransient } from "./faults.ts";
import { formatVersion, quoted, steps } from "./schema.ts";
import type { Settings } from "./settings.ts";

export type Row = Record<string, unknown>;

/** Statements on a database that has Flujo's tables. */
export interface Database {
  /** Of the schema, as SQL has it. */
  readonly schema: string;
  /** What processes tell one another on: the schema's name, as it is. */
  readonly channel: string;
  readonly durability: "synced" | "relaxed";
  /** One statement, and the transaction it is. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** One transaction; rolled back when `work` throws. Done again, from its beginning, when others were in its way. */
  transaction<T>(work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A connection in a transaction. */
export interface Client {
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** How long to wait for a connection. */
const connectMs = 10_000;
/** How often a transaction is begun again that the server has ended for the sake of others. */
const mostTries = 5;

/** Opens a database; makes Flujo's tables where they are missing, and brings older ones up to date. */
export async function open(settings: Settings): Promise<Database> {
  const schema = quoted(settings.schema);
  const { durability } = settings;
  const pool = await poolOf(settings);
  try {
    await bringUpToDate(pool, schema, settings);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    schema,
    channel: settings.schema,
    durability,
    query: (sql, values = []) => again(async () => rowsOf(await pool.query(sql, [...values]))),
    transaction: (work) => again(() => inTransaction(pool, work)),
    close: () => pool.end(),
  };
}

const driver = async (): Promise<typeof import("pg")> =>
  (await importPackage("pg")).default as typeof import("pg"); // that package's own

/** Connections to a server, whatever it holds. */
export async function poolOf(settings: Settings): Promise<Pool> {
  const { Pool: Pools } = await driver();
  const pool = new Pools(poolSettings(settings));
  pool.on("error", () => {}); // a connection nobody uses has broken: the next one to ask gets another
  pool.on("connect", (client) => client.on("error", () => {})); // between two statements of a transaction: the next one is told
  return pool;
}

/** One connection to where a store listens, which is not open yet. */
export async function listenerOf(settings: Settings): Promise<PgClient> {
  const { Client: Connection } = await driver();
  return new Connection({ ...common(settings), connectionString: settings.listenUrl });
}

const poolSettings = (settings: Settings): PoolConfig => ({
  ...common(settings),
  max: settings.connections,
  allowExitOnIdle: true, // an open store keeps no process alive
});

const common = ({ url, patienceMs }: Settings) => ({
  connectionString: url,
  connectionTimeoutMillis: connectMs,
  query_timeout: patienceMs,
  keepAlive: true,
  application_name: "flujo",
});

const rowsOf = ({ rows }: QueryResult): Row[] => rows as Row[]; // without a mode of its own, pg gives objects

/** Tries again what has certainly not been done. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || attempt >= mostTries) throw error;
    }
  }
}

async function inTransaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await work({
      query: async (sql, values = []) => rowsOf(await client.query(sql, [...values])),
    });
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    // Where no answer comes none would come to a ROLLBACK: without its connection the server rolls back by itself.
    if (isLate(error)) client.release(true);
    else await rollBack(client);
    throw error;
  }
}

/** A connection on which that fails is no use to anybody. */
async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}

/** Only reads where there is nothing to be done. Several processes may come at once: one of them does it. */
async function bringUpToDate(pool: Pool, schema: string, settings: Settings): Promise<void> {
  if ((await formatIn(pool, schema, settings)) === formatVersion) return;
  await inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`flujo format ${schema}`]);
    const format = await formatIn(client, schema, settings);
    if (format === formatVersion) return;
    if (format === 0) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`CREATE TABLE ${schema}.format(version int NOT NULL)`);
      await client.query(`INSERT INTO ${schema}.format VALUES (0)`);
    }
    for (const step of steps.slice(format)) await client.query(step(schema));
    await client.query(`UPDATE ${schema}.format SET version = ${formatVersion}`);
  });
}

interface Asked {
  query(sql: string, values?: unknown[]): Promise<QueryResult | Row[]>;
}

/** The format of the tables; 0 where there are none. */
async function formatIn(db: Asked, schema: string, { name, schema: plain }: Settings): Promise<number> {
  const rows = async (sql: string, values?: unknown[]): Promise<Row[]> => {
    const answer = await db.query(sql, values);
    return Array.isArray(answer) ? answer : rowsOf(answer);
  };
  // Not by to_regclass, which may remember what was there before another process has made them.
  const tables = await rows("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = $1", [plain]);
  if (!tables.some(({ tablename }) => tablename === "format")) {
    if (tables.length === 0) return 0;
    throw new StoreUnavailableError(`${name}: the schema ${plain} has tables that are not Flujo's`, {
      hint: "Name another one at the end of the URI: ?schema=flujo",
    });
  }
  const [row] = await rows(`SELECT version FROM ${schema}.format`);
  const version = Number(row?.version);
  if (version <= formatVersion) return version;
  throw new StoreNewerError(
    `${name} was written by a newer Flujo (format ${version}, this one knows ${formatVersion})`,
    { hint: "Update Flujo; nothing was changed." },
  );
}
