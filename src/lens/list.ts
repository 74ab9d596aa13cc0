import type { RunListing, Store } from "../ports/store.ts";
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
  /** Over HTTP: the experiment, or search for something better, it is a trial of. Absent: none. */
  readonly trialOf?: string;
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

/**
 * One run as a list shows it.
 *
 * @param createdAt when it was made, in milliseconds since 1970.
 */
export async function listingOf(
  store: Store,
  runId: string,
  createdAt: number,
): Promise<RunListing | undefined> {
  // In the order of a list, nothing fits between the two: no character of an id comes before the dash.
  const after = { createdAt, runId: `${runId}-` };
  const [listing] = await store.list({ idPrefix: runId, createdFrom: createdAt, after, limit: 1 });
  return listing?.runId === runId ? listing : undefined;
}
