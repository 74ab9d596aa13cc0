import { fold } from "../../src/core/fold.ts";
import { readJournal } from "../../src/lens/journal.ts";
import type { Store } from "../../src/ports/store.ts";

const dayMs = 86_400_000;

/** Copies of a run on the days before, some more and some fewer of them: whoever looks at days wants to see several. */
export async function pastRuns(store: Store, runId: string, days: number): Promise<void> {
  const entries = (await readJournal(store, runId)) ?? [];
  const { created, fingerprint, status, updatedAt, spent } = fold(entries);
  for (let day = 1; day <= days; day++)
    for (let n = 0; n < 1 + ((day * 5) % 4); n++) {
      const shift = day * dayMs + n * 3_600_000;
      const answer = await store.acquire({
        ...{ runId: `${runId}.${day}-${n}`, owner: "past", now: 0, ttlMs: 1, create: true },
      });
      if (answer.outcome !== "granted") throw new Error(answer.outcome);
      const { lease } = answer;
      const { picoUsd, ...counts } = spent;
      const moved = entries.map((entry) => ({ ...entry, at: entry.at - shift }));
      const about = { pipeline: created?.pipeline ?? "", fingerprint, status };
      const [createdAt, updated] = [(entries[0]?.at ?? 0) - shift, updatedAt - shift];
      const summary = { ...about, ...counts, createdAt, updatedAt: updated, picoUsd: String(picoUsd) };
      await store.commit([{ runId: lease.runId, fence: lease.fence, entries: moved, blobs: [], summary }]);
      await store.release(lease);
    }
}
