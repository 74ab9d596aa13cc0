/** What a Postgres server has done, told by itself and by the operating system: two readings and what lies between them. */
import { readFileSync } from "node:fs";
import type pg from "pg";

export interface Reading {
  /** Milliseconds of processor of all its processes that live; 0 where /proc does not tell. */
  readonly cpuMs: number;
  /** Bytes of its log so far. */
  readonly walBytes: number;
  /** Transactions that have written something, so far. */
  readonly writes: number;
}

/** Connections stay open between two readings, or what their processes did is not counted. */
export async function reading(pool: pg.Pool): Promise<Reading> {
  const { rows } = await pool.query(
    "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS wal, pg_current_xact_id()::text AS xid, array(SELECT pid FROM pg_stat_activity) AS pids",
  );
  const [{ wal, xid, pids }] = rows as [{ wal: string; xid: string; pids: number[] }]; // one row, of that statement
  return { cpuMs: sum(pids.map(cpuOf)), walBytes: Number(wal), writes: Number(xid) };
}

/** From one reading to a later one, which itself is one write. */
export const between = (before: Reading, after: Reading): Reading => ({
  cpuMs: after.cpuMs - before.cpuMs,
  walBytes: after.walBytes - before.walBytes,
  writes: after.writes - before.writes - 1,
});

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/**
 * Milliseconds of processor that a process has had so far; 0 where /proc does not tell. Linux counts in hundredths of a
 * second.
 */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0; // another machine's, or not Linux
  }
}
