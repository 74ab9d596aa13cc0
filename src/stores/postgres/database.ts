import type { Client as PgClient, Pool, PoolConfig } from "pg";
import { importPackage } from "../../ports/optional-package.ts";
import { bringUpToDate } from "./format.ts";
import { quoted } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { again, type Client, inTransaction, type Row, rowsOf } from "./transaction.ts";

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

/** How long to wait for a connection. */
const connectMs = 10_000;

/** Opens a database; makes Flujo's tables where they are missing, and brings older ones up to date. */
export async function open(settings: Settings): Promise<Database> {
  const schema = quoted(settings.schema);
  const { durability } = settings;
  const pool = await poolOf(settings);
  try {
    const isUsual = await bringUpToDate(pool, schema, settings);
    const alone = async (sql: string, values: readonly unknown[]): Promise<Row[]> =>
      isUsual
        ? rowsOf(await pool.query(sql, [...values]))
        : inTransaction(pool, (client) => client.query(sql, values));
    return {
      schema,
      channel: settings.schema,
      durability,
      query: (sql, values = []) => again(() => alone(sql, values)),
      transaction: (work) => again(() => inTransaction(pool, work)),
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
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
