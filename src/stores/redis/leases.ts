import { isRunId } from "../../core/paths.ts";
import type { Lease, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";
import { grant, isFree, refuseBadRunId } from "../../ports/store-rules.ts";
import type { Connection, Reply } from "./connection.ts";
import { digits } from "./keys.ts";
import { attempts } from "./ledger.ts";
import * as scripts from "./scripts.ts";

/** Who may have a lease is decided here, by what stands, and written if that still stands: tried again when it does not. */
export async function acquire(db: Connection, request: LeaseRequest): Promise<LeaseAnswer> {
  const { runId } = request;
  if (request.create) return make(db, request);
  if (!isRunId(runId)) return { outcome: "unknown" };
  for (const _ of attempts()) {
    const row = await db.call("HMGET", db.keys.run(runId), "fence", "expires", "owner");
    const [fence, expires, owner] = row as readonly Reply[]; // one for each field
    if (typeof fence !== "string" || typeof expires !== "string") break;
    const held = leaseOf(runId, fence, expires, owner);
    if (held !== undefined && !isFree(held, request)) return { outcome: "held", lease: held };
    const lease = grant(request, Number(fence) + 1);
    const { owner: taker, expiresAt } = lease;
    // A lease that was renewed in between is another one; one that was given back is free as well.
    const args = [runId, fence, expires, lease.fence, taker, digits(expiresAt)];
    if ((await db.script(scripts.seize, [db.keys.run(runId), db.keys.lease], args)) === 1)
      return { outcome: "granted", lease };
  }
  return { outcome: "unknown" };
}

async function make(db: Connection, request: LeaseRequest): Promise<LeaseAnswer> {
  refuseBadRunId(request.runId);
  const lease = grant(request, 1);
  const args = [lease.fence, lease.owner, digits(lease.expiresAt)];
  const made = await db.script(scripts.make, [db.keys.run(lease.runId)], args);
  return made === 1 ? { outcome: "granted", lease } : { outcome: "exists" };
}

export async function renew(db: Connection, lease: Lease, expiresAt: number): Promise<boolean> {
  return (await changed(db, scripts.renew, lease, expiresAt)) === 1;
}

export async function release(db: Connection, lease: Lease): Promise<void> {
  await changed(db, scripts.release, lease, 0);
}

async function changed(
  db: Connection,
  script: scripts.Script,
  { runId, fence, owner }: Lease,
  expiresAt: number,
): Promise<Reply> {
  if (!isRunId(runId)) return 0;
  const args = [runId, fence, owner, digits(expiresAt), db.keys.news];
  return db.script(script, [db.keys.run(runId), db.keys.lease], args);
}

export const leaseOf = (runId: string, fence: string, expires: string, owner: unknown): Lease | undefined =>
  typeof owner === "string" ? { runId, owner, fence: Number(fence), expiresAt: Number(expires) } : undefined;

/** Removes a run, by one script. */
export async function drop(
  db: Connection,
  { runId, fence, owner }: Lease,
  heard = Number.MAX_SAFE_INTEGER,
): Promise<boolean> {
  if (!isRunId(runId)) return false;
  const { indexes, run, journal, signals, sent } = db.keys;
  const keys = [...indexes, run(runId), journal(runId), signals(runId), sent(runId)];
  return (await db.script(scripts.drop, keys, [runId, fence, owner, heard])) === 1;
}
