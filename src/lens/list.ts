import type { RunListing } from "../ports/store.ts";
import { type SpentView, spentView } from "./readable.ts";

/** One run in a list, as `flujo lens list --json` prints it. */
export interface RunLine {
  readonly runId: string;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly status: string;
  /** ISO dates. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly spent: SpentView;
  /** Who advances the run now, as far as the store knows. */
  readonly advancedBy: string | null;
}

/** @param now milliseconds since 1970: a lease that has ended by then advances nothing. */
export function runLine(listing: RunListing, now: number): RunLine {
  const { runId, pipeline, fingerprint, status, lease, inputTokens, outputTokens, calls } = listing;
  return {
    runId,
    pipeline,
    fingerprint,
    status,
    createdAt: new Date(listing.createdAt).toISOString(),
    updatedAt: new Date(listing.updatedAt).toISOString(),
    // The store's summary does not count tool calls; the run itself does.
    spent: spentView({ picoUsd: BigInt(listing.picoUsd), inputTokens, outputTokens, calls, toolCalls: 0 }),
    advancedBy: lease !== undefined && lease.expiresAt > now ? lease.owner : null,
  };
}
