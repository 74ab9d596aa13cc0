import type { Entry } from "../core/entries.ts";
import type { RunFilter, RunListing, Store } from "../ports/store.ts";
import { readJournal } from "./journal.ts";

/** Which runs of a store are looked at. Moments are milliseconds since 1970. */
export interface Selection
  extends Pick<RunFilter, "status" | "pipeline" | "createdFrom" | "createdBefore" | "idPrefix"> {
  /** Only runs of this version: the whole fingerprint. */
  readonly fingerprint?: string;
  /** Only so many of the newest runs that the rest lets through, of whichever version. Default: all. */
  readonly newest?: number;
  /** Awaited before each journal is read: a store that answers at once would let nobody else come to a word. */
  readonly pause?: () => Promise<void>;
}

const page = 500;

/** Every run that is selected, newest first, one page of listings in memory at a time. */
export async function* everyRun(store: Store, selection: Selection = {}): AsyncGenerator<RunListing> {
  const { fingerprint, newest = Number.POSITIVE_INFINITY, pause: _, ...filter } = selection;
  let after: RunListing | undefined;
  for (let left = newest; left > 0; left -= page) {
    const limit = Math.min(page, left);
    const some = await store.list({ ...filter, limit, ...(after === undefined ? {} : { after }) });
    for (const run of some) if (fingerprint === undefined || run.fingerprint === fingerprint) yield run;
    if (some.length < limit) return;
    after = some.at(-1);
  }
}

/** The same with their journals, one in memory at a time. Runs of which nothing is recorded are passed over. */
export async function* everyJournal(
  store: Store,
  { pause, ...selection }: Selection = {},
): AsyncGenerator<{ readonly runId: string; readonly entries: readonly Entry[] }> {
  for await (const { runId } of everyRun(store, selection)) {
    await pause?.();
    const entries = await readJournal(store, runId);
    if (entries !== undefined && entries.length > 0) yield { runId, entries };
  }
}
