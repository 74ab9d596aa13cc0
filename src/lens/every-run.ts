import type { Entry } from "../core/entries.ts";
import type { RunFilter, RunListing, Store } from "../ports/store.ts";
import { readJournal } from "./journal.ts";

/** Which runs of a store are looked at. Moments are milliseconds since 1970. */
export interface Selection
  extends Pick<RunFilter, "status" | "pipeline" | "createdFrom" | "createdBefore" | "idPrefix"> {
  /** Only runs of this version: the whole fingerprint. */
  readonly fingerprint?: string;
}

const page = 500;

/** Every run that is selected, newest first, one page of listings in memory at a time. */
export async function* everyRun(store: Store, selection: Selection = {}): AsyncGenerator<RunListing> {
  const { fingerprint, ...filter } = selection;
  let after: RunListing | undefined;
  do {
    const some = await store.list({ ...filter, limit: page, ...(after === undefined ? {} : { after }) });
    for (const run of some) if (fingerprint === undefined || run.fingerprint === fingerprint) yield run;
    after = some.length < page ? undefined : some.at(-1);
  } while (after !== undefined);
}

/** The same with their journals, one in memory at a time. Runs of which nothing is recorded are passed over. */
export async function* everyJournal(
  store: Store,
  selection: Selection = {},
): AsyncGenerator<{ readonly runId: string; readonly entries: readonly Entry[] }> {
  for await (const { runId } of everyRun(store, selection)) {
    const entries = await readJournal(store, runId);
    if (entries !== undefined && entries.length > 0) yield { runId, entries };
  }
}
