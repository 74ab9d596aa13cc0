/** What the claims about a store are tried on, and with: a run, a lease, entries, summaries. */
import assert from "node:assert/strict";
import type { Entry } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type {
  Append,
  Lease,
  LeaseAnswer,
  LeaseRequest,
  RunStatus,
  RunSummary,
  Signal,
  Store,
} from "../../ports/store.ts";

export interface Bench {
  readonly store: Store;
  /** A second store on the same data; the same one where data cannot be shared. */
  readonly other: () => Promise<Store>;
}

export type Claims = { readonly [claim: string]: (bench: Bench) => Promise<void> };

export const start = 1_700_000_000_000;
export const ttlMs = 30_000;

export const request = (runId = "r"): LeaseRequest => ({ runId, owner: "me", now: start, ttlMs });

export async function create(store: Store, runId = "r", changes: Partial<LeaseRequest> = {}): Promise<Lease> {
  return granted(await store.acquire({ ...request(runId), create: true, ...changes }));
}

export function granted(answer: LeaseAnswer): Lease {
  assert.equal(answer.outcome, "granted");
  return (answer as Extract<LeaseAnswer, { outcome: "granted" }>).lease; // asserted above
}

/** One entry for each value, numbered from `seq`. */
export function entries(seq: number, ...values: Json[]): Entry[] {
  return values.map((output, i) => ({
    type: "operation-completed",
    path: "/test/step:run#0",
    kind: "run",
    output,
    took: 1,
    seq: seq + i,
    at: start,
  }));
}

export const append = (lease: Lease, seq: number, ...values: Json[]): Append => ({
  runId: lease.runId,
  fence: lease.fence,
  entries: entries(seq, ...values),
  blobs: [],
});

export const output = (entry: Entry): Json | undefined =>
  entry.type === "operation-completed" ? entry.output : undefined;

export async function outputs(store: Store, runId = "r"): Promise<(Json | undefined)[] | undefined> {
  return (await store.read(runId, 0, 1_000))?.map(output);
}

export const summary = (changes: Partial<RunSummary> = {}): RunSummary => ({
  pipeline: "test",
  fingerprint: "f1",
  status: "running" satisfies RunStatus,
  createdAt: start,
  updatedAt: start,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
  ...changes,
});

export const signal = (id: string, data: Json): Signal => ({ id, path: "/test/ask", data, at: start });

export async function fill(
  store: Store,
  runs: { readonly [runId: string]: Partial<RunSummary> },
): Promise<void> {
  for (const [runId, changes] of Object.entries(runs)) {
    const lease = await create(store, runId);
    await store.commit([{ ...append(lease, 0, runId), summary: summary(changes) }]);
  }
}

export const ids = async (store: Store, filter: Parameters<Store["list"]>[0]): Promise<string[]> =>
  (await store.list(filter)).map(({ runId }) => runId);

/** Text in the form of a hash, without computing one. */
export const hash = (text: string): string => Buffer.from(text).toString("hex").padStart(64, "0");
