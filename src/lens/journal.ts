import type { Entry } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";

const page = 10_000;

/** A run's whole journal, read page by page; undefined when the store knows no such run. */
export async function readJournal(store: Store, runId: string): Promise<readonly Entry[] | undefined> {
  const entries: Entry[] = [];
  for (;;) {
    const some = await store.read(runId, entries.length, page);
    if (some === undefined) return undefined;
    for (const entry of some) entries.push(entry);
    if (some.length < page) return entries;
  }
}
