import type { Pool, QueryResult } from "pg";
import { StoreNewerError, StoreUnavailableError } from "../../core/errors.ts";
import { formatVersion, steps } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { type Client, inTransaction, isolation, type Row, rowsOf } from "./transaction.ts";

/** How long tables may take to be brought up to date, in milliseconds: indexes of many millions of runs are made then. */
const updateMs = 3_600_000;
/**
 * Only reads where there is nothing to be done. Several processes may come at once: one of them does it.
 *
 * @returns whether a statement alone sees what has to be seen, without a transaction that says so.
 */
export async function bringUpToDate(pool: Pool, schema: string, settings: Settings): Promise<boolean> {
  const found = await factsOf(pool, schema, settings);
  const isUsual = found.isolation.toUpperCase() === isolation;
  if (found.format === formatVersion) return isUsual;
  const update = async (client: Client): Promise<void> => {
    await client.query("SET LOCAL statement_timeout = 0");
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`flujo format ${schema}`]);
    const { format, encoding } = await factsOf(client, schema, settings);
    if (format === formatVersion) return;
    if (format === 0) {
      refuseEncoding(encoding, settings.name);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`CREATE TABLE ${schema}.format(version int NOT NULL)`);
      await client.query(`INSERT INTO ${schema}.format VALUES (0)`);
    }
    for (const step of steps.slice(format)) await client.query(step(schema));
    await client.query(`UPDATE ${schema}.format SET version = ${formatVersion}`);
  };
  await inTransaction(pool, update, updateMs);
  return isUsual;
}

/** Journals hold any text there is. */
function refuseEncoding(encoding: string, name: string): void {
  if (encoding === "UTF8") return;
  throw new StoreUnavailableError(
    `${name}: the database keeps texts as ${encoding}, which cannot hold all of them`,
    {
      hint: "Name one that keeps them as UTF8: createdb --encoding UTF8 --template template0 NAME",
    },
  );
}

interface Asked {
  query(sql: string, values?: unknown[]): Promise<QueryResult | Row[]>;
}

interface Facts {
  /** Of the tables; 0 where there are none. */
  readonly format: number;
  /** What a transaction sees that does not say what it wants to. */
  readonly isolation: string;
  readonly encoding: string;
}

async function factsOf(db: Asked, schema: string, { name, schema: plain }: Settings): Promise<Facts> {
  const rows = async (sql: string, values?: unknown[]): Promise<Row[]> => {
    const answer = await db.query(sql, values);
    return Array.isArray(answer) ? answer : rowsOf(answer);
  };
  // Not by to_regclass, which may remember what was there before another process has made them.
  const [row = {}] = await rows(
    `SELECT current_setting('default_transaction_isolation') AS isolation, current_setting('server_encoding') AS encoding,
      ARRAY(SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = $1) AS tables`,
    [plain],
  );
  const facts = { isolation: String(row.isolation), encoding: String(row.encoding) };
  const tables = row.tables as readonly string[]; // text[]
  if (!tables.includes("format")) {
    if (tables.length === 0) return { ...facts, format: 0 };
    throw new StoreUnavailableError(`${name}: the schema ${plain} has tables that are not Flujo's`, {
      hint: "Name another one at the end of the URI: ?schema=flujo",
    });
  }
  const [kept] = await rows(`SELECT version FROM ${schema}.format`);
  const version = Number(kept?.version);
  if (version <= formatVersion) return { ...facts, format: version };
  throw new StoreNewerError(
    `${name} was written by a newer Flujo (format ${version}, this one knows ${formatVersion})`,
    { hint: "Update Flujo; nothing was changed." },
  );
}
