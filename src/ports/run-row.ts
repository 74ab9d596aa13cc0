/** A row of the table `run`, for the stores that keep one: SQLite and Postgres name its columns alike. */
import type { Lease, RunListing, RunStatus, RunSummary } from "./store.ts";
import { listingOf } from "./store-rules.ts";

export type RunRow = { readonly [column: string]: unknown };

export function leaseOf(runId: string, row: RunRow): Lease | undefined {
  if (row.owner === null) return undefined;
  return { runId, owner: String(row.owner), fence: Number(row.fence), expiresAt: Number(row.expires) };
}

export function listed(row: RunRow): RunListing {
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
