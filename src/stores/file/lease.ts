import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Lease, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";
import { grant, isFree } from "../../ports/store-rules.ts";
import { discard, exists, makeFolder, makeOnce, readIfThere, replace, syncFolder, writeAt } from "./disk.ts";
import { endOf, segmentsOf } from "./journal.ts";
import { decodeLine, encodeLine } from "./line.ts";
import {
  encodeClaim,
  encodeHead,
  fencesIn,
  type Head,
  leasePath,
  parse,
  readOpening,
  segmentPath,
} from "./segment.ts";

/** A segment that was just made, open for its owner. */
export interface Opened {
  readonly file: number;
  /** Where its first append goes. */
  readonly end: number;
  /** The number of its first entry. */
  readonly seq: number;
  /** Folders to sync before anything in the segment is acknowledged. */
  readonly folders: readonly string[];
}

type Granted = Extract<LeaseAnswer, { outcome: "granted" }> & { readonly opened: Opened };
type Answer = Granted | Exclude<LeaseAnswer, { outcome: "granted" }>;

/** What `lease-000002.json` says, once the lease was renewed or released: it then counts instead of the claim. */
type Renewal = { readonly owner: string; readonly expiresAt: number } | { readonly released: true };

/** Makes the run's next segment, if the lease is free. Losing to another process, it looks again: that one holds it. */
export function acquire(folder: string, request: LeaseRequest): Answer {
  for (;;) {
    const top = fencesIn(folder).at(-1);
    if (request.create && top !== undefined) return { outcome: "exists" };
    if (!request.create && top === undefined) return { outcome: "unknown" };
    const held = top === undefined ? undefined : leaseOf(folder, request.runId, top);
    if (held !== undefined && !isFree(held, request)) return { outcome: "held", lease: held };
    const lease = grant(request, (top ?? 0) + 1);
    const opened = top === undefined ? create(folder, lease) : takeOver(folder, lease);
    if (opened !== undefined) return { outcome: "granted", lease, opened };
  }
}

/** A new run: claim and head at once, since nothing came before. It lasts from its first commit on. */
function create(folder: string, lease: Lease): Opened | undefined {
  const folders = [...new Set([...makeFolder(folder), ...foldersAbove(folder)])];
  const bytes = Buffer.concat([
    encodeClaim(lease.owner, lease.expiresAt),
    encodeHead({ after: null, seq: 0 }),
  ]);
  const file = makeOnce(segmentPath(folder, lease.fence), bytes);
  return file === undefined ? undefined : { file, end: bytes.length, seq: 0, folders };
}

/** The order of these steps is what keeps a journal whole: see `journal.ts`. */
function takeOver(folder: string, lease: Lease): Opened | undefined {
  inspect(folder); // so that a damaged journal is refused before anything is made
  const claim = encodeClaim(lease.owner, lease.expiresAt);
  const file = makeOnce(segmentPath(folder, lease.fence), claim);
  if (file === undefined) return undefined;
  try {
    const head = inspect(folder);
    if (head.after !== null) syncSegment(folder, head.after.fence);
    const bytes = encodeHead(head);
    writeAt(file, bytes, claim.length);
    fdatasyncSync(file);
    syncFolder(folder);
    if (!exists(segmentPath(folder, lease.fence + 1))) {
      discard(leasePath(folder, lease.fence - 1));
      return { file, end: claim.length + bytes.length, seq: head.seq, folders: foldersAbove(folder) };
    }
  } catch (error) {
    closeSync(file);
    giveUp(folder, lease.fence);
    throw error;
  }
  closeSync(file);
  return undefined;
}

/** Made by whoever came first, who may not have lived to sync them. */
const foldersAbove = (folder: string): string[] => [dirname(folder), dirname(dirname(folder))];

/** The head a segment made now must have. */
function inspect(folder: string): Head {
  const last = segmentsOf(folder, Number.POSITIVE_INFINITY)?.at(-1);
  if (last === undefined) return { after: null, seq: 0 };
  const { fence, offset, seq, summary } = endOf(folder, last);
  return { after: { fence, bytes: offset }, seq, summary };
}

/** What a head counts must not be lost later: the segment's owner may have died before its last sync. */
function syncSegment(folder: string, fence: number): void {
  const file = openSync(segmentPath(folder, fence), "r+");
  try {
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A claim that came to nothing should not bar the run until it ends; where even this fails, it ends by itself. */
function giveUp(folder: string, fence: number): void {
  try {
    putRenewal(folder, fence, { released: true });
  } catch {}
}

/** The lease of a run whose newest segment is `fence`; undefined when it was released, or its owner died with the power. */
export function leaseOf(folder: string, runId: string, fence: number): Lease | undefined {
  const { claim } = readOpening(folder, fence);
  const line = readIfThere(leasePath(folder, fence))?.subarray(0, -1);
  const body = line === undefined ? undefined : decodeLine(line);
  const current = body === undefined ? claim : parse<Renewal>(body);
  if (current === undefined || "released" in current) return undefined;
  return { runId, owner: current.owner, fence, expiresAt: current.expiresAt };
}

export function renew(folder: string, lease: Lease, expiresAt: number): boolean {
  if (!isCurrent(folder, lease)) return false;
  putRenewal(folder, lease.fence, { owner: lease.owner, expiresAt });
  return !exists(segmentPath(folder, lease.fence + 1));
}

export function release(folder: string, lease: Lease): void {
  if (isCurrent(folder, lease)) putRenewal(folder, lease.fence, { released: true });
}

/** Whether a lease is the run's newest, and was not given back. */
export const isCurrent = (folder: string, lease: Pick<Lease, "runId" | "fence">): boolean =>
  fencesIn(folder).at(-1) === lease.fence && leaseOf(folder, lease.runId, lease.fence) !== undefined;

/** Not synced: after power loss its owner is gone, and the claim's own end is soon enough. */
function putRenewal(folder: string, fence: number, renewal: Renewal): void {
  replace(leasePath(folder, fence), encodeLine(renewal), false);
}
