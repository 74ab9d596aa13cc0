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
import type { Database } from "./open.ts";

const take = "UPDATE run SET fence = ?, owner = ?, expires = ? WHERE id = ?";
const make = "INSERT INTO run(id, fence, owner, expires) VALUES(?, ?, ?, ?)";

/** To be done in a transaction. */
export function acquire(db: Database, request: LeaseRequest): LeaseAnswer {
  const { runId } = request;
  const row = db.get("SELECT fence, owner, expires FROM run WHERE id = ?", runId);
  if (request.create) {
    if (row !== undefined) return { outcome: "exists" };
    refuseBadRunId(runId);
    const lease = grant(request, 1);
    db.run(make, runId, lease.fence, lease.owner, lease.expiresAt);
    return { outcome: "granted", lease };
  }
  if (row === undefined) return { outcome: "unknown" };
  const held = leaseOf(runId, row);
  if (held !== undefined && !isFree(held, request)) return { outcome: "held", lease: held };
  const lease = grant(request, Number(row.fence) + 1);
  db.run(take, lease.fence, lease.owner, lease.expiresAt, runId);
  return { outcome: "granted", lease };
}

export function renew(db: Database, lease: Lease, expiresAt: number): boolean {
  const extend = "UPDATE run SET expires = ? WHERE id = ? AND fence = ? AND owner IS NOT NULL";
  return db.run(extend, expiresAt, lease.runId, lease.fence) > 0;
}

export function release(db: Database, lease: Lease): void {
  db.run("UPDATE run SET owner = NULL, expires = 0 WHERE id = ? AND fence = ?", lease.runId, lease.fence);
}

export function list(db: Database, filter: RunFilter): RunListing[] {
  const { dueBefore, leaseEndsBefore, limit = defaultListLimit } = filter;
  if (dueBefore !== undefined) {
    const word = select(db, filter, ["heard < sent"], [], "id", limit);
    const rest = limit - word.length;
    const isDue = ["wake_at <= ?", "coalesce(heard, 0) >= sent"];
    return rest > 0 ? [...word, ...select(db, filter, isDue, [dueBefore], "wake_at, id", rest)] : word;
  }
  if (leaseEndsBefore !== undefined) {
    const isOpen = ["status = 'running'", "expires < ?"];
    return select(db, filter, isOpen, [leaseEndsBefore], "expires, id", limit);
  }
  return select(db, filter, [], [], "created DESC, id DESC", limit);
}

/** The runs that a filter lets through, of those for which the conditions hold. */
function select(
  db: Database,
  { status, pipeline, idPrefix, createdFrom, createdBefore, updatedFrom, after }: RunFilter,
  conditions: readonly string[],
  parameters: readonly number[],
  order: string,
  limit: number,
): RunListing[] {
  const where = ["pipeline IS NOT NULL", ...conditions];
  const values: (string | number)[] = [...parameters];
  const only = (condition: string, ...parameters: (string | number)[]): void => {
    where.push(condition);
    values.push(...parameters);
  };
  if (status !== undefined) only("status IN (SELECT value FROM json_each(?))", JSON.stringify(status));
  if (pipeline !== undefined)
    only("pipeline IN (SELECT value FROM json_each(?))", JSON.stringify(pipelinesIn(pipeline)));
  if (idPrefix !== undefined) only("substr(id, 1, length(?)) = ?", idPrefix, idPrefix);
  if (createdFrom !== undefined) only("created >= ?", createdFrom);
  if (createdBefore !== undefined) only("created < ?", createdBefore);
  if (updatedFrom !== undefined) only("updated >= ?", updatedFrom);
  if (after !== undefined) only("(created, id) < (?, ?)", after.createdAt, after.runId);
  const sql = `SELECT * FROM run WHERE ${where.join(" AND ")} ORDER BY ${order} LIMIT ?`;
  return db.all(sql, ...values, limit).map((row) => {
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
  });
}

function leaseOf(runId: string, row: ReturnType<Database["all"]>[number]): Lease | undefined {
  if (row.owner === null) return undefined;
  return { runId, owner: String(row.owner), fence: Number(row.fence), expiresAt: Number(row.expires) };
}
