import { isRunId } from "../../core/paths.ts";
import { leaseOf } from "../../ports/run-row.ts";
import type { Lease, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";
import { grant, isFree } from "../../ports/store-rules.ts";
import type { Database } from "./database.ts";
import { firm, lax } from "./syncing.ts";

/** Who may have a lease is decided here, by what stands, and written if that still stands: tried again when it does not. */
export async function take(db: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  const { runId } = request;
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

/** Makes runs. Of several with one id the first is made. In one order for all processes, so that none waits in a ring. */
export async function make(db: Database, requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
  const sql = `WITH ${lax} INSERT INTO ${db.schema}.run(id, fence, owner, expires)
    SELECT DISTINCT ON (id) id, 1, owner, expires
    FROM lax, unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS asked(id, owner, expires, place)
    ORDER BY id, place ON CONFLICT (id) DO NOTHING RETURNING id`;
  const leases = requests.map((request) => grant(request, 1));
  const values = [
    leases.map(({ runId }) => runId),
    leases.map(({ owner }) => owner),
    leases.map(({ expiresAt }) => expiresAt),
  ];
  const made = new Set((await db.query(sql, values)).map(({ id }) => String(id)));
  return leases.map((lease) =>
    made.delete(lease.runId) ? { outcome: "granted", lease } : { outcome: "exists" },
  );
}

export async function renew(db: Database, lease: Lease, expiresAt: number): Promise<boolean> {
  const sql = `WITH ${lax} UPDATE ${db.schema}.run SET expires = $3 FROM lax
    WHERE id = $1 AND fence = $2 AND owner IS NOT NULL RETURNING 1`;
  return (await db.query(sql, [lease.runId, lease.fence, expiresAt])).length > 0;
}

/**
 * Gives leases back. Only of a run that is under way their end is looked for: of the others it stays as it is, and no index has to
 * be written. Whoever listens is told of runs that have not ended, and want somebody: now, or at a moment of their own.
 */
export async function release(db: Database, leases: readonly Lease[]): Promise<readonly undefined[]> {
  const sql = `WITH ${lax}, owned AS (
      SELECT num FROM ${db.schema}.run JOIN unnest($1::text[], $2::bigint[]) AS given(id, fence) USING (id, fence)
      ORDER BY num FOR NO KEY UPDATE OF run
    ), freed AS (
      UPDATE ${db.schema}.run SET owner = NULL, expires = CASE WHEN status = 'running' THEN 0 ELSE expires END
      FROM lax, owned WHERE run.num = owned.num RETURNING id, status, wake_at, heard, sent
    ) SELECT pg_notify($3, id) FROM freed WHERE status = 'running' OR wake_at IS NOT NULL OR heard < sent`;
  const [ids, fences] = [leases.map(({ runId }) => runId), leases.map(({ fence }) => fence)];
  await db.query(sql, [ids, fences, db.channel]);
  return leases.map(() => undefined);
}

/** Removes a run. Nothing is sent to it between the look at its signals and its end: who sends waits for the row. */
export async function drop(db: Database, { runId, fence }: Lease, heard?: number): Promise<boolean> {
  if (!isRunId(runId)) return false;
  return db.transaction(async ({ query }) => {
    const known = [runId, heard ?? Number.MAX_SAFE_INTEGER];
    const sql = `WITH ${firm} SELECT FROM firm, ${db.schema}.run WHERE id = $1 AND sent <= $2 FOR UPDATE OF run`;
    const found = await query(sql, known);
    if (found.length === 0) return false;
    const [row] = await query(`SELECT ${db.schema}.remove($1, $2) AS gone`, [runId, fence]);
    return row?.gone === true;
  });
}
