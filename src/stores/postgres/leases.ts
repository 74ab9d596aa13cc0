import { isRunId } from "../../core/paths.ts";
import type {
  Lease,
  LeaseAnswer,
  LeaseRequest,
  RunFilter,
  RunListing,
  RunStatus,
  RunSummary,
} from "../../ports/store.ts";
import {
  defaultListLimit,
  grant,
  isFree,
  listingOf,
  pipelinesIn,
  refuseBadRunId,
} from "../../ports/store-rules.ts";
import type { Database, Row } from "./database.ts";

/**
 * For statements about leases, which wait for no sync: one that is lost with the power had protected nothing acknowledged,
 * since the next synced commit takes along all that stands before it in the log.
 */
const lax = "lax AS (SELECT set_config('synchronous_commit', 'off', true))";

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

export async function release(db: Database, lease: Lease): Promise<void> {
  const sql = `WITH ${lax} UPDATE ${db.schema}.run SET owner = NULL, expires = 0 FROM lax
    WHERE id = $1 AND fence = $2`;
  await db.query(sql, [lease.runId, lease.fence]);
}

export async function list(db: Database, filter: RunFilter): Promise<RunListing[]> {
  const { dueBefore, leaseEndsBefore, limit = defaultListLimit } = filter;
  if (dueBefore !== undefined) {
    const word = await select(db, filter, ["heard < sent"], [], "id", limit);
    const rest = limit - word.length;
    const isDue = ["wake_at <= $1", "coalesce(heard, 0) >= sent"];
    return rest > 0
      ? [...word, ...(await select(db, filter, isDue, [dueBefore], "wake_at, id", rest))]
      : word;
  }
  if (leaseEndsBefore !== undefined) {
    const isOpen = ["status = 'running'", "expires < $1"];
    return select(db, filter, isOpen, [leaseEndsBefore], "expires, id", limit);
  }
  return select(db, filter, [], [], "created DESC, id DESC", limit);
}

/** The runs that a filter lets through, of those for which the conditions hold. */
async function select(
  db: Database,
  { status, pipeline, idPrefix, createdFrom, createdBefore, updatedFrom, after }: RunFilter,
  conditions: readonly string[],
  parameters: readonly number[],
  order: string,
  limit: number,
): Promise<RunListing[]> {
  const where = ["pipeline IS NOT NULL", ...conditions];
  const values: unknown[] = [...parameters];
  const value = (one: unknown): string => `$${values.push(one)}`;
  if (status !== undefined) where.push(`status = ANY (${value(status)})`);
  if (pipeline !== undefined) where.push(`pipeline = ANY (${value(pipelinesIn(pipeline))})`);
  if (idPrefix !== undefined) where.push(`starts_with(id, ${value(idPrefix)})`);
  if (createdFrom !== undefined) where.push(`created >= ${value(createdFrom)}`);
  if (createdBefore !== undefined) where.push(`created < ${value(createdBefore)}`);
  if (updatedFrom !== undefined) where.push(`updated >= ${value(updatedFrom)}`);
  if (after !== undefined)
    where.push(`(created, id) < (${value(after.createdAt)}::bigint, ${value(after.runId)}::text)`);
  const sql = `SELECT * FROM ${db.schema}.run WHERE ${where.join(" AND ")} ORDER BY ${order} LIMIT ${value(limit)}`;
  return (await db.query(sql, values)).map(listed);
}

function listed(row: Row): RunListing {
  const runId = String(row.id);
  const summary: RunSummary = {
    pipeline: String(row.pipeline),
    fingerprint: String(row.fingerprint),
    status: row.status as RunStatus, // the column only ever holds a summary's status
    createdAt: Number(row.created),
    updatedAt: Number(row.updated),
    picoUsd: String(row.pico_usd),
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    calls: Number(row.calls),
    ...(row.wake_at === null ? {} : { wakeAt: Number(row.wake_at) }),
    ...(Number(row.heard) === 0 ? {} : { heard: Number(row.heard) }),
  };
  return listingOf(runId, summary, leaseOf(runId, row), Number(row.sent));
}

function leaseOf(runId: string, row: Row): Lease | undefined {
  if (row.owner === null) return undefined;
  return { runId, owner: String(row.owner), fence: Number(row.fence), expiresAt: Number(row.expires) };
}
