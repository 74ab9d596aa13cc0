import { expect, test } from "vitest";
import type { Lease, Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type CrashPoint, crashingStore } from "./crash-store.ts";
import { virtualWorld } from "./virtual-world.ts";

async function opened(crash?: CrashPoint, latencyMs = 0) {
  const world = virtualWorld({ start: 0 });
  const process = world.process("p");
  const kept = memory();
  const store = crashingStore(kept, { process, crash, latencyMs });
  const answer = await world.run(
    store.acquire({ runId: "r", owner: "p", now: 0, ttlMs: 1_000, create: true }),
  );
  const lease = (answer as { lease: Lease }).lease; // the run is new: it is granted
  let seq = 0;
  const commit = () =>
    store.commit([
      {
        runId: "r",
        fence: lease.fence,
        entries: [{ seq: seq++, at: 0, type: "timer-set", path: "/a", due: 0 }],
        blobs: [],
      },
    ]);
  return { world, process, kept, store, commit };
}

const written = async (kept: Store): Promise<number> => (await kept.read("r", 0, 100))?.length ?? 0;

test("a process that dies before a commit has written nothing of it, after it all", async () => {
  for (const when of ["before", "after"] as const) {
    const { world, process, kept, store, commit } = await opened({ commit: 2, when });
    await world.run(commit());
    let acknowledged = false;
    void commit().then(() => {
      acknowledged = true;
    });
    await world.run(() => !process.isAlive);
    let answered = false;
    void store.read("r", 0, 1).then(() => {
      answered = true;
    });
    await expect(world.run(() => acknowledged || answered)).rejects.toThrow("nothing is left to happen");
    expect(await written(kept)).toBe(when === "before" ? 1 : 2);
  }
});

test("a paused process hears of its commit when it wakes", async () => {
  const { world, process, kept, commit } = await opened({ commit: 1, when: "after", how: "pause" });
  const outcome = commit();
  await world.run(() => process.isPaused);
  expect(await written(kept)).toBe(1);
  process.wake();
  expect(await world.run(outcome)).toEqual(["appended"]);
});

test("a commit that fails may have been written", async () => {
  for (const when of ["before", "after"] as const) {
    const { world, kept, commit, store } = await opened({ commit: 1, when, how: "fail" });
    await expect(world.run(commit())).rejects.toThrow("commit 1 failed");
    expect(await written(kept)).toBe(when === "before" ? 0 : 1);
    expect(store.commits).toBe(1);
  }
});

test("calls take their time on the virtual clock, there and back", async () => {
  const { world, commit } = await opened(undefined, 50);
  const before = world.now();
  for (let i = 0; i < 20; i++) await world.run(commit());
  const each = (world.now() - before) / 20;
  expect(each).toBeGreaterThan(20);
  expect(each).toBeLessThanOrEqual(100);
});
