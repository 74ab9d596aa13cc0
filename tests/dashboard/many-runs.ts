import { sqlite } from "flujo/sqlite";
import type { Entry } from "../../src/core/entries.ts";

export const runs = 100_000;
const start = Date.UTC(2026, 0, 1);

/** Runs that were made long ago, `old-0` to `old-99999`, past the engine: it would take its time. */
export async function fill(uri: string): Promise<void> {
  const store = sqlite(uri.replace("sqlite:", ""), { durability: "relaxed" });
  const about = { pipeline: "old", fingerprint: "f" };
  const entries: readonly Entry[] = [
    { type: "run-created", seq: 0, at: start, ...about, manifest: "", input: 1, state: {} },
  ];
  const spent = { picoUsd: "1", inputTokens: 1, outputTokens: 1, calls: 1 };
  for (let first = 0; first < runs; first += 5_000) {
    const appends = [];
    for (let i = first; i < first + 5_000; i++) {
      const runId = `old-${i}`;
      const answer = await store.acquire({ runId, owner: "me", now: 0, ttlMs: 1, create: true });
      if (answer.outcome !== "granted") throw new Error(answer.outcome);
      const summary = {
        ...about,
        ...spent,
        status: "completed",
        createdAt: start + i,
        updatedAt: start + i,
      } as const;
      appends.push({ runId, fence: answer.lease.fence, entries, blobs: [], summary });
    }
    await store.commit(appends);
  }
  await store.close();
}
