import { expect, test } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { sha256 } from "../core/fingerprint.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { crashingStore } from "../testing/crash-store.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { simulateShared } from "../testing/simulation/shared.ts";
import { type PruneOptions, prune } from "./prune.ts";
import { verify } from "./verify.ts";

const big = (text: string): string => text.repeat(10_000);
const keepBig = pipeline(
  "p",
  step("big", (text: string) => big(text)),
);

/** Runs that ended in every way, each with a value of its own, and two with one in common. */
async function attic(store: Store = memory()): Promise<Scene> {
  const on = scene({ store });
  await on.cast(keepBig).run("a", { runId: "first" });
  await on.cast(keepBig).run("a", { runId: "second" });
  await on.cast(keepBig).run("b", { runId: "third" });
  const broken = step("no", (): string => {
    throw new Error("no");
  });
  await on.cast(pipeline("q", broken)).run(1, { runId: "failed" });
  await on.cast(pipeline("w", humanInTheLoop("ask", { prompt: () => "?" }))).run(1, { runId: "waiting" });
  return on;
}

const ids = async (store: Store): Promise<string[]> =>
  (await store.list({ limit: 100 })).map(({ runId }) => runId).toSorted();

const options = (on: Scene, more: Partial<PruneOptions> = {}): PruneOptions => ({
  ...{ before: Number.MAX_SAFE_INTEGER, owner: "pruner", now: () => on.world.now(), isDry: false },
  ...more,
});

test("runs that are over are removed, with the values that no other run refers to; those that run or wait stay", async () => {
  const on = await attic();
  const { runs, kept, values } = await prune(on.store, options(on, { idPrefix: "s" }));
  expect([runs.map(({ runId }) => runId), kept, values]).toEqual([["second"], [], 0]);
  expect((await verify(on.store)).faults).toEqual([]);
  const rest = await prune(on.store, options(on));
  expect(rest.runs.map(({ runId }) => runId).toSorted()).toEqual(["failed", "first", "third"]);
  // Two texts, and two pipelines with their manifests and outlines.
  expect(rest.values).toBe(6);
  expect(await ids(on.store)).toEqual(["waiting"]);
  expect((await verify(on.store)).faults).toEqual([]);
});

test("by age and status; a dry run says the same and removes nothing", async () => {
  const on = await attic();
  await on.wait(10_000);
  await on.cast(keepBig).run("c", { runId: "young" });
  const old = { before: on.world.now() - 5_000 };
  const dry = await prune(on.store, options(on, { ...old, isDry: true }));
  expect(dry.isDry).toBe(true);
  expect(await ids(on.store)).toEqual(["failed", "first", "second", "third", "waiting", "young"]);
  const done = await prune(on.store, options(on, old));
  expect(done.runs).toEqual(dry.runs);
  expect(await ids(on.store)).toEqual(["waiting", "young"]);
  expect((await prune(on.store, options(on, { status: ["waiting", "running"] }))).runs).toEqual([]);
});

test("a run that somebody advances, or for which money is held, or that there is a reason to keep, is kept, and it says why", async () => {
  const on = await attic();
  const asked = { runId: "first", owner: "other", now: on.world.now(), ttlMs: 60_000 };
  await on.store.acquire(asked);
  const { kept } = await prune(
    on.store,
    options(on, { reasonToKeep: (runId) => (runId === "third" ? "it is dear" : undefined) }),
  );
  expect(kept).toEqual([
    { runId: "third", why: "it is dear" },
    { runId: "first", why: "another process advances it" },
  ]);
  expect(await ids(on.store)).toEqual(["first", "third", "waiting"]);
});

test("what shared budgets were charged stays charged, and the store is sound", async () => {
  const store = memory();
  await simulateShared({ seed: 3, store: () => store });
  const before = await store.accounts({});
  const { runs } = await prune(store, {
    before: Number.MAX_SAFE_INTEGER,
    owner: "p",
    now: () => 2 ** 45,
    isDry: false,
  });
  expect(runs.length).toBeGreaterThan(0);
  expect(await store.accounts({})).toEqual(before);
  expect((await verify(store)).faults).toEqual([]);
});

test("killed at any write, it leaves a store that is sound, and another removal ends the work: no value is left behind", async () => {
  const calm = await attic();
  const counting = crashingStore(calm.store, { process: calm.world.process("counts") });
  await calm.play(prune(counting, options(calm)));
  const crashes = Array.from({ length: counting.commits }, (_, i) => i + 1);
  expect(crashes.length).toBeGreaterThan(5);
  for (const commit of crashes) {
    for (const when of ["before", "after"] as const) {
      const on = await attic();
      const process = on.world.process("dies");
      void prune(crashingStore(on.store, { process, crash: { commit, when } }), options(on));
      await on.wait(1_000);
      expect(process.isAlive).toBe(false);
      expect((await verify(on.store)).faults).toEqual([]);
      await on.wait(120_000); // its leases end
      await prune(on.store, options(on));
      expect(await ids(on.store)).toEqual(["waiting"]);
      expect((await verify(on.store)).faults).toEqual([]);
      for (const text of ["a", "b"]) expect(await holds(on.store, big(text))).toBe(false);
      expect(await on.store.notes({ prefix: "prune/" })).toEqual([]);
    }
  }
});

/** Whether a store has a text among its values. */
const holds = async (store: Store, text: string): Promise<boolean> =>
  (await store.blob(sha256(JSON.stringify(text)))) !== undefined;

test("a run that is made meanwhile keeps the value it shares with one that is removed", async () => {
  const on = await attic();
  const each = pipeline(
    "m",
    mapOver(
      "each",
      step("one", (text: string) => text),
    ),
  );
  const store: Store = {
    ...on.store,
    sweep: (hashes, used) =>
      on.store.sweep(hashes, async () => {
        const found = await used();
        await on.cast(keepBig).run("a", { runId: "fresh" });
        return found;
      }),
  };
  await prune(store, options(on));
  await on.cast(each).run(["x"], { runId: "more" });
  expect((await verify(on.store)).faults).toEqual([]);
  expect(await holds(on.store, big("a"))).toBe(true);
  expect(await holds(on.store, big("b"))).toBe(false);
});
