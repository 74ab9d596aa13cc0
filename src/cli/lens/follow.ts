import { setTimeout } from "node:timers/promises";
import type { Entry } from "../../core/entries.ts";
import type { Store } from "../../ports/store.ts";

const page = 500;
/** How often the store is looked at when there was nothing new. */
const lookEveryMs = 100;

/**
 * Reads a run's entries from the first on, and those that others add, until it has come to stand.
 *
 * @param take is handed what is new, and all so far; it is waited for.
 * @returns all entries.
 */
export async function follow(
  store: Store,
  runId: string,
  take: (fresh: readonly Entry[], all: readonly Entry[]) => Promise<void>,
): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const fresh = (await store.read(runId, all.length, page)) ?? [];
    all.push(...fresh);
    if (fresh.length > 0) await take(fresh, all);
    if (fresh.length === page) continue;
    if (stands(all)) return all;
    await setTimeout(lookEveryMs);
  }
}

/** Whether the last word about the run itself is that it stands. */
function stands(entries: readonly Entry[]): boolean {
  const last = entries.findLast(({ type }) => type.startsWith("run-"))?.type;
  return last !== undefined && last !== "run-created" && last !== "run-resumed";
}
