import type { Pool, PoolClient, QueryResult } from "pg";
import { isLate, isTransient } from "./faults.ts";

export type Row = Record<string, unknown>;

/** A connection in a transaction. */
export interface Client {
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** How often a transaction is begun again that the server has ended for the sake of others. */
const mostTries = 5;

/**
 * What stands is what others have committed by the time of each statement: whoever has waited for a lock decides on what there is
 * then. A database may be set to show a whole transaction what there was when it began.
 */
export const isolation = "READ COMMITTED";

export const rowsOf = ({ rows }: QueryResult): Row[] => rows as Row[]; // without a mode of its own, pg gives objects

/** Tries again what has certainly not been done. */
export async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || attempt >= mostTries) throw error;
    }
  }
}

/** @param patienceMs how long an answer is waited for. Default: as long as on every other connection. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  patienceMs?: number,
): Promise<T> {
  const client = await pool.connect();
  const patience = patienceMs === undefined ? {} : { query_timeout: patienceMs };
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    const result = await work({
      query: async (text, values = []) =>
        rowsOf(await client.query({ text, values: [...values], ...patience })),
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
