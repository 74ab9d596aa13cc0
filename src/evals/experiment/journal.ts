import type { Entry } from "../../core/entries.ts";
import type { Store } from "../../ports/store.ts";

const page = 10_000;

/** All that is recorded of a run; nothing of one that the store does not know. */
export async function journalOf(store: Pick<Store, "read">, runId: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const some = (await store.read(runId, entries.length, page)) ?? [];
    for (const entry of some) entries.push(entry);
    if (some.length < page) return entries;
  }
}
