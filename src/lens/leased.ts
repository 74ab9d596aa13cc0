/** What is written in one of two stores, under a lease of its own. */
import type { Append, Lease, Store } from "../ports/store.ts";
import type { Route } from "./route.ts";

export const ttlMs = 60_000;

/** The lease of a run, which is made where `create` says so; undefined while somebody else has it. */
export async function leaseOf(
  store: Store,
  runId: string,
  { owner, now, isGone }: Route["world"],
  create = false,
): Promise<Lease | undefined> {
  const request = { runId, owner, now: now(), ttlMs };
  let answer = await store.acquire(create ? { ...request, create } : request);
  if (answer.outcome === "exists") answer = await store.acquire(request);
  if (answer.outcome === "held" && isGone(answer.lease.owner))
    answer = await store.acquire({ ...request, supersede: answer.lease.fence });
  return answer.outcome === "granted" ? answer.lease : undefined;
}

/** False: somebody else has the run. */
export async function write(
  store: Store,
  { runId, fence }: Lease,
  more: Partial<Pick<Append, "entries" | "blobs" | "summary">>,
): Promise<boolean> {
  const [outcome] = await store.commit([{ runId, fence, entries: [], blobs: [], ...more }]);
  return outcome === "appended";
}
