/** What a Postgres server has done, told by itself and by the operating system: two readings and what lies between them. */
import { readFileSync } from "node:fs";
import pg from "pg";

export interface Reading {
  /** Milliseconds of processor of all its processes, also of those that have ended; 0 where /proc does not tell. */
  readonly cpuMs: number;
  /** Bytes of its log so far. */
  readonly walBytes: number;
  /** Transactions that have written something, so far. */
  readonly writes: number;
}

/** One connection, which may end with its server. */
export function connectionTo(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  return pool;
}

export async function reading(pool: pg.Pool): Promise<Reading> {
  const { rows } = await pool.query(
    "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS wal, pg_current_xact_id()::text AS xid, array(SELECT pid FROM pg_stat_activity) AS pids",
  );
  const [{ wal, xid, pids }] = rows as [{ wal: string; xid: string; pids: number[] }]; // one row, of that statement
  const [parent = 0] = pids.map((pid) => statOf(pid)[1] ?? 0);
  return {
    cpuMs: sum(pids.map(cpuOf)) + cpuOf(parent) + cpuOfEnded(parent),
    walBytes: Number(wal),
    writes: Number(xid),
  };
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
  const stat = statOf(pid);
  return ((stat[11] ?? 0) + (stat[12] ?? 0)) * 10;
}

/** Of all children of a process that have ended. */
function cpuOfEnded(pid: number): number {
  const stat = statOf(pid);
  return ((stat[13] ?? 0) + (stat[14] ?? 0)) * 10;
}

/** What /proc says of a process, from its state on: see proc_pid_stat(5). Nothing of another machine's, or without Linux. */
function statOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").map(Number) ?? [];
  } catch {
    return [];
  }
}
