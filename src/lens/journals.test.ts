import { expect, test } from "vitest";
import type { Entry } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { Journals } from "./journals.ts";
import { listingOf } from "./list.ts";

const created = (at: number): Entry => ({
  type: "run-created",
  seq: 0,
  at,
  pipeline: "p",
  fingerprint: "f",
  manifest: "",
  input: 1,
  state: {},
});
const done = (seq: number): Entry => ({
  type: "step-completed",
  seq,
  at: seq,
  path: `/p/s${seq}`,
  kind: "step",
  output: seq,
});

async function put(store: Store, runId: string, entries: readonly Entry[], createdAt = 0): Promise<void> {
  const request = { runId, owner: "me", now: 0, ttlMs: 1 };
  const made = await store.acquire({ ...request, create: true });
  const answer = made.outcome === "exists" ? await store.acquire({ ...request, now: 10 }) : made;
  if (answer.outcome !== "granted") throw new Error(answer.outcome);
  const summary = { createdAt, updatedAt: 0, pipeline: "p", fingerprint: "f", status: "running" } as const;
  const nothing = { picoUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 };
  const { fence } = answer.lease;
  await store.commit([{ runId, fence, entries, blobs: [], summary: { ...summary, ...nothing } }]);
  await store.release(answer.lease);
}

test("a journal that is looked at again is read only where it goes on", async () => {
  const inner = memory();
  const reads: string[] = [];
  const store: Store = {
    ...inner,
    read: (runId, from, limit) => {
      reads.push(`${from}, ${limit}`);
      return inner.read(runId, from, limit);
    },
  };
  const journals = new Journals(store);
  expect(await journals.of("r")).toBeUndefined();
  await put(store, "r", [created(1), done(1)]);
  const [first, same] = await Promise.all([journals.of("r"), journals.of("r")]);
  expect(same).toBe(first);
  expect([...(first?.operations().keys() ?? [])]).toEqual(["/p/s1"]);
  await put(store, "r", [done(2)]);
  reads.length = 0;
  const second = await journals.of("r");
  expect([second?.run.next, second?.operations().size, second?.entries.length]).toEqual([3, 2, 3]);
  expect(reads).toEqual(["0, 1", "2, 10000"]);
});

test("a run that was removed and made again is read anew", async () => {
  let store = memory();
  await put(store, "r", [created(1), done(1), done(2)]);
  const journals = new Journals({ ...store, read: (...page) => store.read(...page) });
  expect((await journals.of("r"))?.run.next).toBe(3);
  store = memory();
  await put(store, "r", [created(2)]);
  expect((await journals.of("r"))?.run.next).toBe(1);
});

test("one run is found in a list among those whose names begin with its own", async () => {
  const store = memory();
  for (const runId of ["r", "r-1", "r.", "r0", "rr", "q"]) await put(store, runId, [created(7)], 7);
  expect(await listingOf(store, "r", 7)).toMatchObject({ runId: "r", createdAt: 7 });
  expect(await listingOf(store, "r-1", 7)).toMatchObject({ runId: "r-1" });
  expect(await listingOf(store, "r-", 7)).toBeUndefined();
  expect(await listingOf(store, "none", 7)).toBeUndefined();
});
