import { isRunId } from "../../core/paths.ts";
import type { Lease, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";
import { grant, isFree, refuseBadRunId } from "../../ports/store-rules.ts";
import type { Database, Row } from "./database.ts";

/**
 * For statements about leases, which wait for no sync: one that is lost with the power had protected nothing acknowledged,
 * since the next synced commit takes along all that stands before it in the log.
 */
export const lax = "lax AS (SELECT set_config('synchronous_commit', 'off', true))";

/** Who may have a lease is decided here, by what stands, and written if that still stands: tried again when it does not. */
export async function acquire(db: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  const { runId } = request;
  if (request.create) return make(db, request);
  if (!isRunId(runId)) return { outcome: "unknown" };
  for (;;) {
    const [row] = await db.query(`SELECT fence, owner, expires FROM ${db.schema}.run WHERE id = $1`, [runId]);
    if (row === undefined) return { outcome: "unknown" };
    const held = leaseOf(runId, row);
    if (held !== undefined && !isFree(held, request)) return { outcome: "held", lease: held };
    const seen = Number(row.fence);
    const lease = grant(request, seen + 1);
    // A lease that was renewed, or given back, in between is another one.
    const sql = `WITH ${lax} UPDATE ${db.schema}.run SET fence = $2, owner = $3, expires = $4 FROM lax
      WHERE id = $1 AND fence = $5 AND owner IS NOT DISTINCT FROM $6 AND expires = $7 RETURNING 1`;
    const values = [runId, lease.fence, lease.owner, lease.expiresAt, seen, row.owner, row.expires];
    if ((await db.query(sql, values)).length > 0) return { outcome: "granted", lease };
  }
}

async function make(db: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  refuseBadRunId(request.runId);
  const lease = grant(request, 1);
  const sql = `WITH ${lax} INSERT INTO ${db.schema}.run(id, fence, owner, expires)
    SELECT $1::text, $2::bigint, $3::text, $4::bigint FROM lax ON CONFLICT (id) DO NOTHING RETURNING 1`;
  const made = await db.query(sql, [lease.runId, lease.fence, lease.owner, lease.expiresAt]);
  return made.length > 0 ? { outcome: "granted", lease } : { outcome: "exists" };
}

export async function renew(db: Database, lease: Lease, expiresAt: number): Promise<boolean> {
  const sql = `WITH ${lax} UPDATE ${db.schema}.run SET expires = $3 FROM lax
    WHERE id = $1 AND fence = $2 AND owner IS NOT NULL RETURNING 1`;
  return (await db.query(sql, [lease.runId, lease.fence, expiresAt])).length > 0;
}

/** Whoever listens is told of a run that has not ended, and wants somebody: now, or at a moment of its own. */
export async function release(db: Database, lease: Lease): Promise<void> {
  const sql = `WITH ${lax}, freed AS (
      UPDATE ${db.schema}.run SET owner = NULL, expires = 0 FROM lax WHERE id = $1 AND fence = $2
      RETURNING id, status, wake_at, heard, sent
    ) SELECT pg_notify($3, id) FROM freed WHERE status = 'running' OR wake_at IS NOT NULL OR heard < sent`;
  await db.query(sql, [lease.runId, lease.fence, db.channel]);
}

/** Removes a run. Nothing is sent to it between the look at its signals and its end: who sends waits for the row. */
export async function drop(db: Database, { runId, fence }: Lease, heard?: number): Promise<boolean> {
  if (!isRunId(runId)) return false;
  return db.transaction(async ({ query }) => {
    const known = [runId, heard ?? Number.MAX_SAFE_INTEGER];
    const found = await query(`SELECT FROM ${db.schema}.run WHERE id = $1 AND sent <= $2 FOR UPDATE`, known);
    if (found.length === 0) return false;
    const [row] = await query(`SELECT ${db.schema}.remove($1, $2) AS gone`, [runId, fence]);
    return row?.gone === true;
  });
}

export function leaseOf(runId: string, row: Row): Lease | undefined {
  if (row.owner === null) return undefined;
  return { runId, owner: String(row.owner), fence: Number(row.fence), expiresAt: Number(row.expires) };
}
