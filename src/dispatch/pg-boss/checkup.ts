import { createRequire } from "node:module";
import { join } from "node:path";
import { DispatcherUnavailableError, FlujoError } from "../../core/errors.ts";
import { carries } from "../../ports/newsroom.ts";
import { importPackage } from "../../ports/optional-package.ts";
import { addressOf } from "./address.ts";
import { listen, sayStatement } from "./line.ts";

/** What there is for pg-boss in a database, and what this user may do with it. */
export interface JobsFacts {
  /** `150004` is 15.4. */
  readonly version: number;
  readonly isStandby: boolean;
  readonly user: string;
  /** The number of the tables' form. Absent: there are none yet. */
  readonly format?: number;
  /** The one that the installed pg-boss knows. Absent: it does not say. */
  readonly ownFormat?: number;
  /** May make what is missing: the schema, or tables in it. */
  readonly mayMake: boolean;
  /** May write what is there. Absent: there is nothing yet. */
  readonly mayWrite?: boolean;
  /** Whether workers are told at once. Absent: they are told not to listen. */
  readonly hears?: boolean;
}

const patienceMs = 10_000;
const echoMs = 3_000;

const question = `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby, current_user AS "user",
  EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'version') AS there,
  EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS made,
  has_database_privilege(current_database(), 'CREATE') AS makes`;

const rights = `SELECT has_schema_privilege($1, 'CREATE') AS makes,
  has_schema_privilege($1, 'USAGE') AND has_table_privilege(format('%I.job', $1::text), 'SELECT, INSERT, UPDATE, DELETE')
    AND has_table_privilege(format('%I.queue', $1::text), 'SELECT, INSERT, UPDATE') AS writes`;

/**
 * Only reads.
 *
 * @throws DispatcherUnavailableError, MissingPackageError, InvalidOptionError
 */
export async function checkUp(address: string, schema = "flujo_jobs"): Promise<JobsFacts> {
  const { url, listenUrl, shown } = addressOf(address, undefined);
  const { Pool } = (await importPackage("pg")).default as typeof import("pg"); // that package's own
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  });
  pool.on("error", () => {}); // whoever asks is told
  const one = async (sql: string): Promise<{ readonly [column: string]: unknown }> =>
    (await pool.query(sql, [schema])).rows[0];
  try {
    const { version, standby, user, there, made, makes } = await one(question);
    const may = made ? await one(there ? rights : onlySchema) : { makes };
    const format = may.writes ? await pool.query(`SELECT version FROM ${schema}.version`) : undefined;
    const hears = standby ? undefined : await hearsAt(listenUrl, schema, pool);
    const own = ownFormat();
    return {
      version: Number(version),
      isStandby: standby === true,
      user: String(user),
      mayMake: may.makes === true,
      ...(format === undefined ? {} : { format: Number(format.rows[0]?.version) }),
      ...(own === undefined ? {} : { ownFormat: own }),
      ...(there ? { mayWrite: may.writes === true } : {}),
      ...(hears === undefined ? {} : { hears }),
    };
  } catch (error) {
    if (FlujoError.isInstance(error)) throw error;
    throw new DispatcherUnavailableError(
      `pg-boss on ${shown} cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error, retryable: true, hint: "Check the address, and that the server runs." },
    );
  } finally {
    await pool.end();
  }
}

const onlySchema = "SELECT has_schema_privilege($1, 'CREATE') AS makes";

interface Asked {
  query(sql: string, values: unknown[]): Promise<unknown>;
}

async function hearsAt(url: string | undefined, channel: string, pool: Asked): Promise<boolean | undefined> {
  if (url === undefined) return undefined;
  return await carries(
    {
      open: (heard, ended) => listen({ url, channel, patienceMs }, heard, ended),
      say: async (said) => void (await pool.query(sayStatement, [channel, said])),
    },
    echoMs,
  );
}

/** As the package says it of itself, where Flujo finds it. */
function ownFormat(): number | undefined {
  for (const place of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      const found = createRequire(place)("pg-boss/package.json") as { readonly pgboss?: { schema?: number } }; // so it has it
      return found.pgboss?.schema;
    } catch {
      // it is not there
    }
  }
  return undefined;
}
