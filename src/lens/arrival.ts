/**
 * Which runs have come from another store, and with how many entries: what those charged to shared budgets is posted in that
 * store, and not in this one.
 */
import type { Entry } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";
import { everyNote, noteOf } from "./every-note.ts";

const prefix = "copied/";

/** To be called before the run is written. Of one that has charged no shared budget nothing is noted. */
export async function noteArrival(store: Store, runId: string, entries: readonly Entry[]): Promise<void> {
  const isCharged = entries.some(
    (entry) => entry.type === "budget-reserved" && (entry.accounts ?? []).length > 0,
  );
  if (!isCharged) return;
  const key = prefix + runId;
  await store.putNote(key, entries.length, (await noteOf(store, key))?.version);
}

/** How many entries each had when it came, by its id. */
export async function arrivals(store: Store): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { key, value } of everyNote(store, prefix))
    found.set(key.slice(prefix.length), value as number); // as it was noted
  return found;
}
