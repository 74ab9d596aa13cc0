import { join } from "node:path";
import { client } from "flujo/client";
import { sqlite } from "flujo/sqlite";
import { expect, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import type { Store } from "../../src/ports/store.ts";
import { folder, stage } from "./stage.ts";

const start = Date.UTC(2026, 0, 1);

/** Makes runs, three to a millisecond, with names that do not sort as they were made. */
async function fill(store: Store, count: number): Promise<void> {
  const entries: readonly Entry[] = [
    {
      type: "run-created",
      seq: 0,
      at: start,
      pipeline: "p",
      fingerprint: "f",
      manifest: "",
      input: 1,
      state: {},
    },
  ];
  const page = 5_000;
  for (let first = 0; first < count; first += page) {
    const leases = [];
    for (let i = first; i < Math.min(count, first + page); i++) {
      const runId = `${(i * 7919) % 1_000_003}-${i}`;
      const answer = await store.acquire({ runId, owner: "me", now: 0, ttlMs: 1, create: true });
      if (answer.outcome === "granted") leases.push({ i, ...answer.lease });
    }
    await store.commit(
      leases.map(({ i, runId, fence }) => ({
        runId,
        fence,
        entries,
        blobs: [],
        summary: {
          pipeline: i % 10 === 0 ? "rare" : "p",
          fingerprint: "f",
          status: i % 100 === 0 ? "failed" : "completed",
          createdAt: start + Math.floor(i / 3),
          updatedAt: start + i,
          picoUsd: String(i),
          inputTokens: 0,
          outputTokens: 0,
          calls: 0,
        },
      })),
    );
  }
}

test("100,000 runs are listed page by page, each once, though runs are made meanwhile", async () => {
  const count = 100_000;
  const store = sqlite(join(folder(), "runs.db"), { durability: "relaxed" });
  await fill(store, count);
  const { url } = await stage({ store });
  const flujo = client({ url });
  const seen = new Set<string>();
  let made = 0;
  let last = Number.POSITIVE_INFINITY;
  for await (const { runId, createdAt } of flujo.runs.all({ limit: 1_000 })) {
    expect(seen.has(runId)).toBe(false);
    seen.add(runId);
    expect(Date.parse(createdAt)).toBeLessThanOrEqual(last);
    last = Date.parse(createdAt);
    if (seen.size % 10_000 === 0) {
      await flujo.runs.start({ pipeline: "hello", input: "x", runId: `new-${made++}` });
    }
  }
  expect(seen.size).toBe(count);
  const failed: string[] = [];
  for await (const { runId } of flujo.runs.all({ status: ["failed"], pipeline: "rare" })) failed.push(runId);
  expect(failed).toHaveLength(count / 100);
  expect((await flujo.runs.list({ idPrefix: "0-0" })).runs).toMatchObject([{ runId: "0-0" }]);
  await store.close();
});

test("a run of 50,000 operations is looked at page by page, and one of them whole", async () => {
  const { url } = await stage();
  const flujo = client({ url });
  const input = Array.from({ length: 17_000 }, (_, i) => `item ${i}`);
  await flujo.runs.start({ pipeline: "spending", input, runId: "big" });
  const { run, operations: count } = await flujo.runs.wait("big");
  expect([run.status, run.spent.costUsd]).toEqual(["completed", "0.000000017"]);
  const paths = new Set<string>();
  for (let from: number | null = 0; from !== null; ) {
    const page = await flujo.runs.operations("big", { from, limit: 10_000 });
    for (const { path } of page.operations) paths.add(path);
    from = page.next;
  }
  expect([paths.size, count]).toEqual([count, count]);
  const last = await flujo.runs.operation("big", "/spending/each[16999]/buy:pay#0");
  expect(last).toMatchObject({ output: "ITEM 16999", spent: { costUsd: "0.000000000001" } });
});
