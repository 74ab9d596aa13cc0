import { leaseOf } from "../../ports/run-row.ts";
import type { Lease, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";
import { grant, isFree, refuseBadRunId } from "../../ports/store-rules.ts";
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
