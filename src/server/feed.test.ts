import { describe, expect, test } from "vitest";
import type { RunSummary, Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";
import { Feed } from "./feed.ts";

const summary = (changes: Partial<RunSummary>): RunSummary => ({
  pipeline: "p",
  fingerprint: "f",
  status: "running",
  createdAt: 0,
  updatedAt: 0,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
  ...changes,
});

/** A store that counts how often it is asked, and a feed of it under a virtual clock. */
function stage() {
  const inner = memory();
  const asked = { times: 0 };
  /** What happens between a look and its answer, once. */
  const during: { list?: (() => Promise<void>) | undefined } = {};
  const store: Store = {
    ...inner,
    async list(filter) {
      asked.times += 1;
      const found = await inner.list(filter);
      const { list } = during;
      during.list = undefined;
      await list?.();
      return found;
    },
  };
  const { world, wait, play } = scene();
  const process = world.process("server");
  const feed = new Feed(store, process);
  const put = async (runId: string, changes: Partial<RunSummary> = {}): Promise<void> => {
    const request = { runId, owner: "me", now: 0, ttlMs: 1 };
    const made = await store.acquire({ ...request, create: true });
    const answer = made.outcome === "exists" ? await store.acquire({ ...request, now: 10 ** 15 }) : made;
    if (answer.outcome !== "granted") throw new Error(answer.outcome);
    const { fence } = answer.lease;
    const now = process.now();
    await store.commit([
      {
        runId,
        fence,
        entries: [],
        blobs: [],
        summary: summary({ createdAt: now, updatedAt: now, ...changes }),
      },
    ]);
    await store.release(answer.lease);
  };
  const read = (since?: number) => {
    const stop = new AbortController();
    const seen: string[] = [];
    const done = (async () => {
      for await (const { runId, status } of feed.changes(stop.signal, since)) seen.push(`${runId} ${status}`);
    })();
    return { seen, stop: () => stop.abort(), done };
  };
  return { asked, during, put, read, wait, play, process };
}

describe("a feed of runs", () => {
  test("tells of each change once, to all readers, and nothing of what was before", async () => {
    const { put, read, wait } = stage();
    await put("old");
    await wait(10_000);
    const [first, second] = [read(), read()];
    await wait(1_000);
    await put("a");
    await wait(1_000);
    await put("a", { status: "completed" });
    await put("old", { status: "failed" });
    await wait(10_000);
    for (const { seen } of [first, second]) {
      expect(seen.slice(0, 1)).toEqual(["a running"]);
      expect(seen.slice(1).sort()).toEqual(["a completed", "old failed"]);
    }
    first.stop();
    second.stop();
    await Promise.all([first.done, second.done]);
  });

  test("hears of a change that says it happened a moment ago, as one by another clock does", async () => {
    const { put, read, wait, process } = stage();
    await wait(60_000);
    const reader = read();
    await wait(1_000);
    await put("late", { updatedAt: process.now() - 3_000 });
    await wait(1_000);
    expect(reader.seen).toEqual(["late running"]);
    reader.stop();
    await reader.done;
  });

  test("goes on after a moment for whoever comes back", async () => {
    const { put, read, wait, process } = stage();
    await put("before");
    await wait(60_000);
    const moment = process.now();
    await put("missed");
    await wait(60_000);
    const reader = read(moment);
    await wait(1_000);
    expect(reader.seen).toEqual(["missed running"]);
    reader.stop();
    await reader.done;
  });

  test("misses nothing that is recorded while it begins to look, for whoever says since when", async () => {
    const { put, read, wait, process, during } = stage();
    await wait(60_000);
    during.list = async () => {
      await put("between");
      await new Promise<void>((resolve) => void process.timer(50, resolve)); // the answer is of before
    };
    const reader = read(process.now());
    await wait(1_000);
    expect(reader.seen).toEqual(["between running"]);
    reader.stop();
    await reader.done;
  });

  test("asks the store nothing while nobody reads, and once for all who do", async () => {
    const { asked, read, wait } = stage();
    await wait(60_000);
    expect(asked.times).toBe(0);
    const readers = [read(), read(), read()];
    await wait(10_000);
    expect(asked.times).toBeGreaterThan(10);
    expect(asked.times).toBeLessThan(110); // ten a second, and not thirty
    for (const reader of readers) reader.stop();
    await Promise.all(readers.map(({ done }) => done));
    await wait(1_000);
    const before = asked.times;
    await wait(60_000);
    expect(asked.times).toBe(before);
  });
});
