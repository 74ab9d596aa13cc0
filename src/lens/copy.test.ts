import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { humanInTheLoop, sleep } from "../core/pauses.ts";
import { carryCursors, cursorAt, moveCursor, openCursor } from "../events/cursor.ts";
import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { sqlite } from "../stores/sqlite.ts";
import { type CrashPoint, crashingStore } from "../testing/crash-store.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { simulateShared } from "../testing/simulation/shared.ts";
import { type CopyOptions, copyRuns } from "./copy.ts";
import { prune } from "./prune.ts";
import { verify } from "./verify.ts";
import { wholeRun } from "./whole.ts";

const big = pipeline(
  "big",
  step("grow", (text: string) => text.repeat(10_000)),
);
const asking = pipeline(
  "ask",
  step("before", (n: number) => n + 1)
    .to(humanInTheLoop("ok", { prompt: (n) => `${n}?` }))
    .to("after", (answer) => JSON.stringify(answer)),
);
const sleeping = pipeline(
  "nap",
  sleep<number>("long", "1h").to("after", (n) => n + 1),
);
const spending = pipeline(
  "dear",
  step("pay", async (n: number, ctx) => {
    await ctx.spend("fee", "$0.20", () => n);
    return n;
  }).to("more", async (n, ctx) => {
    await ctx.spend("fee", "$0.20", () => n);
    return n + 1;
  }),
);

/** One run of each standing. */
async function attic(): Promise<Scene> {
  const on = scene({ store: memory() });
  await on.cast(big).run("a", { runId: "first" });
  await on.cast(big).run("b", { runId: "second" });
  const broken = step("no", (): string => {
    throw new Error("no");
  });
  await on.cast(pipeline("q", broken)).run(1, { runId: "failed" });
  await on.cast(asking).run(1, { runId: "asking" });
  await on.cast(sleeping).run(1, { runId: "asleep" });
  return on;
}

const over = ["failed", "first", "second"];
const all = ["asking", "asleep", ...over];

const ids = async (store: Store): Promise<string[]> =>
  (await store.list({ limit: 100 })).map(({ runId }) => runId).toSorted();

const options = (on: Scene, to: Store, more: Partial<CopyOptions> = {}): CopyOptions => ({
  ...{ from: on.store, to, world: on.world.process("copies"), isMove: false, isDry: false },
  ...more,
});

/** All that is recorded of every run. */
async function contents(store: Store): Promise<unknown> {
  const runs = await store.list({ limit: 100 });
  return JSON.parse(
    JSON.stringify(
      await Promise.all(
        runs.map(async ({ lease: _, ...listing }) => {
          const entries = (await store.read(listing.runId, 0, 1_000)) ?? [];
          return { listing, whole: await wholeRun(store, listing.runId, entries) };
        }),
      ),
    ),
  );
}

function onDisk(): Store {
  const folder = mkdtempSync(join(tmpdir(), "flujo-copy-"));
  const store = sqlite(join(folder, "there.db"));
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

test("runs that are over are copied with all they are made of; others stay, and are named", async () => {
  const on = await attic();
  const there = onDisk();
  const { runs, left, faults } = await copyRuns(options(on, there));
  expect([runs.map(({ runId }) => runId).toSorted(), faults]).toEqual([over, []]);
  expect(left).toEqual([
    { runId: "asleep", why: expect.stringContaining("--move") },
    { runId: "asking", why: expect.stringContaining("twice") },
  ]);
  expect(await ids(there)).toEqual(over);
  expect((await verify(there)).faults).toEqual([]);
  expect(await ids(on.store)).toEqual(all);
  const again = await copyRuns(options(on, there));
  expect(again.runs.map(({ wasThere }) => wasThere)).toEqual([true, true, true]);
});

test("moved runs are gone where they were, the same where they are, and end there as they would have", async () => {
  const on = await attic();
  await on.store.send("asking", { id: "s1", path: "/ask/elsewhere", data: 1, at: 5 });
  const before = await contents(on.store);
  const there = onDisk();
  const { runs, left } = await copyRuns(options(on, there, { isMove: true }));
  expect([runs.length, left]).toEqual([5, []]);
  expect(await contents(there)).toEqual(before);
  expect(await ids(on.store)).toEqual([]);
  for (const store of [on.store, there])
    expect((await store.notes({ prefix: "" })).filter(({ key }) => !key.startsWith("prune/"))).toEqual([]);
  const back = memory();
  await copyRuns(options(on, back, { from: there, isMove: true }));
  expect(await contents(back)).toEqual(before);
  const later = scene({ store: back });
  await later.wait(4_000_000);
  expect(await later.cast(sleeping).run(1, { runId: "asleep" })).toMatchObject({ output: 2 });
  const cast = later.cast(asking);
  await later.play(cast.runner.signal("asking", "/ask/ok", { approved: true }));
  expect(await cast.run(1, { runId: "asking" })).toMatchObject({ status: "completed" });
  expect((await later.journal("asking")).filter(({ type }) => type === "step-completed")).toHaveLength(2);
});

test("a run that halted goes on in the other store, and pays for nothing twice", async () => {
  const on = scene();
  expect(await on.cast(spending).run(1, { runId: "r", budget: "$0.30" })).toMatchObject({
    status: "halted",
  });
  const there = memory();
  expect((await copyRuns(options(on, there))).left).toHaveLength(1);
  await copyRuns(options(on, there, { isMove: true }));
  const later = scene({ store: there });
  const resumed = later.cast(spending).runner.resume("r", { budget: "$1" });
  expect(await later.play(resumed.result())).toMatchObject({ status: "completed", output: 2 });
  const reserved = (await later.journal("r")).filter(({ type }) => type === "budget-reserved");
  expect(reserved).toHaveLength(2);
});

test("a run of the same id with another journal is refused by name, and nothing is overwritten", async () => {
  const on = await attic();
  const other = scene();
  await other.cast(big).run("z", { runId: "first" });
  const before = await other.journal("first");
  for (const isDry of [true, false]) {
    const { left, runs } = await copyRuns(options(on, other.store, { isDry, isMove: true }));
    expect(left).toEqual([{ runId: "first", why: expect.stringContaining("another journal") }]);
    expect(runs).toHaveLength(4);
  }
  expect(await other.journal("first")).toEqual(before);
  expect(await ids(on.store)).toEqual(["first"]);
});

test("a dry run writes nothing; only selected runs are looked at", async () => {
  const on = await attic();
  const there = memory();
  const dry = await copyRuns(options(on, there, { isDry: true, pipeline: "big" }));
  expect([dry.runs.length, dry.left, await ids(there)]).toEqual([2, [], []]);
  const reasonToKeep = (runId: string) => (runId === "first" ? "it is dear" : undefined);
  const kept = await copyRuns(options(on, there, { isDry: true, pipeline: "big", reasonToKeep }));
  expect([kept.runs.length, kept.left]).toEqual([1, [{ runId: "first", why: "it is dear" }]]);
  const one = await copyRuns(options(on, there, { ids: new Set(["second"]) }));
  expect([one.runs.length, await ids(there)]).toEqual([1, ["second"]]);
});

test("a run that somebody advances, here or there, or for which money is held, is left", async () => {
  const on = await attic();
  const there = memory();
  const other = { owner: "other", now: on.world.now(), ttlMs: 60_000 };
  await on.store.acquire({ ...other, runId: "first" });
  await there.acquire({ ...other, runId: "second", create: true });
  const accounts: Store["accounts"] = async ({ heldBy }) =>
    heldBy === "failed"
      ? [{ scope: "tenant:a", limits: {}, alertAt: [], posted: posted, holds: [], queue: [], alerts: [] }]
      : [];
  const more = { from: { ...on.store, accounts }, isMove: true };
  const dry = await copyRuns(options(on, there, { ...more, isDry: true }));
  expect(dry.left).toEqual([{ runId: "failed", why: expect.stringContaining("tenant:a") }]);
  const { left } = await copyRuns(options(on, there, more));
  expect(Object.fromEntries(left.map(({ runId, why }) => [runId, why]))).toEqual({
    first: expect.stringContaining("advances it"),
    second: expect.stringContaining("has it in"),
    failed: expect.stringContaining("tenant:a"),
  });
});

test("a lease of a process that is gone keeps nobody waiting", async () => {
  const on = await attic();
  await on.store.acquire({ runId: "first", owner: "gone", now: on.world.now(), ttlMs: 60_000 });
  const world = { ...on.world.process("copies"), isGone: (owner: string) => owner === "gone" };
  const { runs, left } = await copyRuns(options(on, memory(), { world, ids: new Set(["first"]) }));
  expect([runs.length, left]).toEqual([1, []]);
});

const posted = { picoUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0, toolCalls: 0 };

test("what is read back and is another one is told; the copy is dropped, and the run stays", async () => {
  const on = await attic();
  const there = memory();
  const lossy: Store = { ...there, blob: async () => undefined };
  const { faults } = await copyRuns(options(on, lossy, { isMove: true, pipeline: "big" }));
  expect(faults).toHaveLength(2);
  expect([await ids(there), await ids(on.store)]).toEqual([[], all]);
});

test("what is under way is left, also where that is seen only once its lease is had", async () => {
  const on = await attic();
  const there = memory();
  const list: Store["list"] = async (filter) => {
    const runs = await on.store.list(filter);
    return runs.map((run) => (run.runId === "first" ? { ...run, status: "running" } : run));
  };
  const late: Store["list"] = (filter) =>
    filter.idPrefix === "first" ? list(filter) : on.store.list(filter);
  for (const more of [
    { from: { ...on.store, list }, isDry: true },
    { from: { ...on.store, list: late }, isDry: false },
  ]) {
    const { left } = await copyRuns(options(on, there, { ...more, isMove: true, ids: new Set(["first"]) }));
    expect(left).toEqual([{ runId: "first", why: expect.stringContaining("under way") }]);
  }
  expect([await ids(there), await ids(on.store)]).toEqual([[], all]);
});

/** A store whose answers about one run are changed, as by damage. */
const damaged = {
  "an entry that is missing": (store: Store): Store => ({
    ...store,
    read: async (...asked) => (await store.read(...asked))?.filter(({ seq }) => seq !== 1),
  }),
  "a value that is another one": (store: Store): Store => ({
    ...store,
    blob: async (hash) => `${await store.blob(hash)}.`,
  }),
  "a value that is lost": (store: Store): Store => ({ ...store, blob: async () => undefined }),
  "a listing that its journal contradicts": (store: Store): Store => ({
    ...store,
    list: async (filter) => (await store.list(filter)).map((run) => ({ ...run, status: "failed" })),
  }),
};

test.each(Object.entries(damaged))("%s where a run is: it is told, and stays there", async (_, damage) => {
  const on = await attic();
  const there = memory();
  const { runs, faults } = await copyRuns(
    options(on, there, { from: damage(on.store), isMove: true, ids: new Set(["first"]) }),
  );
  expect([runs, faults]).toEqual([[], [{ runId: "first", what: expect.stringContaining("damaged") }]]);
  expect([await ids(there), await ids(on.store)]).toEqual([[], all]);
});

/** What a store answers of a run that is not as it was written. */
const forged: { readonly [what: string]: (store: Store) => Partial<Store> } = {
  "an entry less": (store) => ({
    read: async (...asked) => (await store.read(...asked))?.slice(0, -1),
  }),
  "a byte in its last entry": (store) => ({
    read: async (...asked) =>
      (await store.read(...asked))?.map((entry, i, { length }) =>
        i === length - 1 ? { ...entry, at: entry.at + 1 } : entry,
      ),
  }),
  "a byte in a value": (store) => ({ blob: async (hash) => `${await store.blob(hash)}.` }),
  "a signal less": (store) => ({ signals: async (runId) => (await store.signals(runId)).slice(1) }),
  "signals in another order": (store) => ({
    signals: async (runId) => (await store.signals(runId)).toReversed(),
  }),
  "another sum in its listing": (store) => ({
    list: async (filter) => (await store.list(filter)).map((run) => ({ ...run, picoUsd: `1${run.picoUsd}` })),
  }),
  "no listing": () => ({ list: async () => [] }),
};

test.each(Object.entries(forged))(
  "%s when it is read back: it is told, and nothing is removed",
  async (_, forge) => {
    const on = await attic();
    for (const id of ["s1", "s2"]) await on.store.send("first", { id, path: "/big/x", data: 1, at: 5 });
    const there = memory();
    const more = { isMove: true, ids: new Set(["first"]) };
    const { runs, faults } = await copyRuns(options(on, { ...there, ...forge(there) }, more));
    expect([runs, faults]).toEqual([[], [{ runId: "first", what: expect.stringContaining("read back") }]]);
    expect([await ids(there), await ids(on.store)]).toEqual([[], all]);
  },
);

test("one that was there and has lost a value since is told, and is removed nowhere", async () => {
  const on = await attic();
  const there = memory();
  const more = { isMove: true, ids: new Set(["first"]) };
  await copyRuns(options(on, there, { ...more, isMove: false }));
  const { faults } = await copyRuns(options(on, { ...there, blob: async () => undefined }, more));
  expect([faults.length, await ids(there), await ids(on.store)]).toEqual([1, ["first"], all]);
});

test("one that was there stays there when its move comes to nothing", async () => {
  const on = await attic();
  const there = memory();
  const more = { isMove: true, ids: new Set(["first"]) };
  await copyRuns(options(on, there, { ...more, isMove: false }));
  const from: Store = { ...on.store, drop: async () => false };
  const { left } = await copyRuns(options(on, there, { ...more, from }));
  expect([left.length, await ids(there), await ids(on.store)]).toEqual([1, ["first"], all]);
});

test("a run whose copy somebody else has taken meanwhile is not removed where it was", async () => {
  const on = await attic();
  const there = memory();
  const commit: Store["commit"] = async (appends) => {
    const outcomes = await there.commit(appends);
    await there.acquire({ runId: "first", owner: "other", now: on.world.now() + 600_000, ttlMs: 60_000 });
    return outcomes;
  };
  const more = { isMove: true, ids: new Set(["first"]) };
  const { left } = await copyRuns(options(on, { ...there, commit }, more));
  expect([left.length, await ids(on.store)]).toEqual([1, all]);
});

test("a store under another name is not moved to itself", async () => {
  const on = await attic();
  const before = await contents(on.store);
  const { runs, left } = await copyRuns(options(on, { ...on.store, name: "elsewhere" }, { isMove: true }));
  expect([runs, left.length, await contents(on.store)]).toEqual([[], all.length, before]);
});

test("what is sent to a run while it is moved comes along", async () => {
  const on = await attic();
  const there = memory();
  let sent = 0;
  const commit: Store["commit"] = async (appends) => {
    sent += 1;
    await on.store.send("asking", { id: `s${sent}`, path: "/ask/ok", data: sent, at: sent });
    return there.commit(appends);
  };
  await copyRuns(options(on, { ...there, commit }, { isMove: true, pipeline: "ask" }));
  expect((await there.signals("asking")).map(({ id }) => id)).toEqual(["s1"]);
  expect((await there.list({ dueBefore: 0 })).map(({ runId }) => runId)).toEqual(["asking"]);
});

test("what is sent in the very moment before a run is removed comes along; one that is sent something all the time stays", async () => {
  for (const most of [2, Number.POSITIVE_INFINITY]) {
    const on = await attic();
    const there = memory();
    let sent = 0;
    const drop: Store["drop"] = async (lease, heard) => {
      if (sent < most)
        await on.store.send("asking", { id: `s${++sent}`, path: "/ask/ok", data: sent, at: sent });
      return on.store.drop(lease, heard);
    };
    const from = { ...on.store, drop };
    const { runs, left } = await copyRuns({ ...options(on, there, { isMove: true, pipeline: "ask" }), from });
    const isMoved = most === 2;
    expect([runs.length, left.length]).toEqual(isMoved ? [1, 0] : [0, 1]);
    expect(await ids(there)).toEqual(isMoved ? ["asking"] : []);
    expect(await there.notes({ prefix: "copy/" })).toEqual([]);
    expect((await on.store.read("asking", 0, 1)) === undefined).toBe(isMoved);
    if (isMoved) expect((await there.signals("asking")).map(({ id }) => id)).toEqual(["s1", "s2"]);
  }
});

test("sinks are told what comes next of a moved run, and nothing again", async () => {
  const on = await attic();
  const there = memory();
  await openCursor(on.store, "desk", "asking");
  const known = await cursorAt(on.store, "desk", "asking");
  if (known !== undefined) await moveCursor(on.store, known, { next: 4, owner: "gone" });
  const onLeave = (runId: string): Promise<void> => carryCursors(on.store, there, runId, ["desk"]);
  await copyRuns(options(on, there, { isMove: true, onLeave }));
  expect((await cursorAt(there, "desk", "asking"))?.cursor).toEqual({ next: 4 });
  expect(await cursorAt(there, "desk", "asleep")).toBeUndefined();
  const later = await cursorAt(there, "desk", "asking");
  if (later !== undefined) await moveCursor(there, later, { next: 6 });
  const back = (runId: string): Promise<void> => carryCursors(there, on.store, runId, ["desk"]);
  await copyRuns(options(on, on.store, { from: there, isMove: true, onLeave: back }));
  expect((await cursorAt(on.store, "desk", "asking"))?.cursor).toEqual({ next: 6 });
});

/** Kills a move at a write of one of its sides. Returns what is left of it. */
async function killed(side: "from" | "to", crash: CrashPoint, more: Partial<CopyOptions> = {}) {
  const on = await attic();
  const before = await contents(on.store);
  const there = memory();
  const process = on.world.process("dies");
  const stores = { from: on.store, to: there };
  const broken = { ...stores, [side]: crashingStore(stores[side], { process, crash }) };
  const dying = copyRuns(options(on, there, { ...broken, world: process, isMove: true, ...more }));
  const ended = await on.play(Promise.race([dying.then(() => true), on.wait(1_000).then(() => false)]));
  return { on, there, before, ended };
}

test.each(["from", "to"] as const)(
  "killed at any write in the store it goes %s, no run is in both as one to go on with; called again, it ends the work",
  async (side) => {
    for (let commit = 1; ; commit++) {
      let reached = false;
      for (const when of ["before", "after"] as const) {
        const { on, there, before, ended } = await killed(side, { commit, when });
        if (ended) continue;
        reached = true;
        const waiting = await there.list({ status: ["waiting", "running"] });
        for (const { runId } of waiting) expect(await on.store.read(runId, 0, 1)).toBeUndefined();
        const known = new Set([...(await ids(on.store)), ...(await ids(there))]);
        expect([...known].toSorted()).toEqual(all);
        await on.wait(120_000); // its leases end
        const { left, faults } = await copyRuns(options(on, there, { isMove: true }));
        expect([left, faults, await ids(on.store)]).toEqual([[], [], []]);
        expect(await contents(there)).toEqual(before);
        expect(await there.notes({ prefix: "copy/" })).toEqual([]);
      }
      if (!reached) return expect(commit).toBeGreaterThan(side === "to" ? 10 : 5);
    }
  },
);

test("one that was gone on with where it was, after its move was killed, is moved as it stands now", async () => {
  const { on, there } = await killed("from", { commit: 1, when: "before" }, { pipeline: "nap" });
  const [shadow] = await there.list({ status: ["halted"] });
  expect(shadow).toMatchObject({ runId: "asleep" });
  await on.wait(4_000_000);
  await on.cast(sleeping).run(1, { runId: "asleep" });
  const { left } = await copyRuns(options(on, there, { isMove: true, pipeline: "nap" }));
  expect([left, await there.list({ pipeline: "nap" })]).toMatchObject([[], [{ status: "completed" }]]);
});

test("one that was gone on with where it was, and removed there, does not come to life in the other store", async () => {
  const { on, there } = await killed("from", { commit: 3, when: "before" }, { pipeline: "nap" });
  await on.wait(4_000_000);
  await on.cast(sleeping).run(1, { runId: "asleep" });
  const whole = { before: Number.MAX_SAFE_INTEGER, owner: "p", now: () => on.world.now(), isDry: false };
  await prune(on.store, { ...whole, pipeline: "nap" });
  const { left } = await copyRuns(options(on, there, { isMove: true, pipeline: "nap" }));
  expect(left).toEqual([{ runId: "asleep", why: expect.stringContaining("resume it here") }]);
  expect(await there.list({ status: ["waiting"] })).toEqual([]);
});

test("one that was gone on with in the other store, after its move was killed, is listed there as it stands", async () => {
  const { on, there } = await killed("from", { commit: 3, when: "after" }, { pipeline: "nap" });
  expect(await on.store.read("asleep", 0, 1)).toBeUndefined();
  const later = scene({ store: there });
  await later.wait(4_000_000);
  await later.cast(sleeping).run(1, { runId: "asleep" });
  await copyRuns(options(on, there, { isDry: true, isMove: true }));
  await copyRuns(options(on, there, { pipeline: "nap" }));
  expect(await there.notes({ prefix: "copy/" })).toHaveLength(1); // only a move finishes what was being moved
  const { left } = await copyRuns(options(on, there, { isMove: true, pipeline: "nap" }));
  expect([left, await there.list({})]).toMatchObject([[], [{ runId: "asleep", status: "completed" }]]);
  for (const store of [on.store, there])
    expect((await store.notes({ prefix: "" })).filter(({ key }) => /^(copy|leaving)/.test(key))).toEqual([]);
  expect((await there.list({})).flatMap(({ lease }) => lease ?? [])).toEqual([]);
});

test.each([
  ["gone on with", (there: Scene) => there.cast(sleeping).run(1, { runId: "asleep" })],
  ["sent something", ({ store }: Scene) => store.send("asleep", { id: "s", path: "/nap/x", data: 1, at: 5 })],
])(
  "what a killed move has left is not made anew where it was %s since, and the run has been gone on with where it was",
  async (_, use) => {
    const { on, there } = await killed("from", { commit: 1, when: "before" }, { pipeline: "nap" });
    const later = scene({ store: there });
    await later.wait(5_000_000);
    await use(later);
    await on.wait(4_000_000);
    await on.cast(sleeping).run(1, { runId: "asleep" });
    const before = [await later.journal("asleep"), await there.signals("asleep")];
    const { left } = await copyRuns(options(on, there, { isMove: true, pipeline: "nap" }));
    expect(left).toEqual([{ runId: "asleep", why: expect.stringContaining("another journal") }]);
    expect([await later.journal("asleep"), await there.signals("asleep")]).toEqual(before);
  },
);

test.each(["waits", "has ended"])(
  "what a killed move has left in one store does not come to life when the run is moved to another while it %s",
  async (standing) => {
    const { on, there } = await killed("from", { commit: 3, when: "before" }, { pipeline: "nap" });
    const third: Store = { ...memory(), name: "third" };
    const more = { isMove: true, pipeline: "nap" };
    await on.wait(standing === "waits" ? 120_000 : 4_000_000);
    if (standing === "waits") {
      const process = on.world.process("dies");
      const from = crashingStore(on.store, { process, crash: { commit: 3, when: "after" } });
      const dying = copyRuns(options(on, third, { ...more, from, world: process }));
      await on.play(Promise.race([dying, on.wait(1_000)]));
      await on.wait(120_000);
    } else {
      await on.cast(sleeping).run(1, { runId: "asleep" });
      await copyRuns(options(on, third, more));
    }
    expect(await on.store.read("asleep", 0, 1)).toBeUndefined();
    const { left } = await copyRuns(options(on, there, more));
    expect(left).toEqual([{ runId: "asleep", why: expect.stringContaining("move it from there again") }]);
    expect(await there.list({ status: ["waiting"] })).toEqual([]);
    expect((await copyRuns(options(on, third, more))).left).toEqual([]);
    expect(await third.list({ status: ["waiting", "completed"] })).toHaveLength(1);
  },
);

test("what is sent to a run that was copied comes along when it is copied again", async () => {
  const on = await attic();
  const there = memory();
  const more = { ids: new Set(["first"]) };
  await copyRuns(options(on, there, more));
  await on.store.send("first", { id: "s1", path: "/big/x", data: 1, at: 5 });
  expect(await copyRuns(options(on, there, more))).toMatchObject({ faults: [], runs: [{ wasThere: true }] });
  expect(await there.signals("first")).toEqual(await on.store.signals("first"));
});

test("a move from another store does not finish what a killed one began", async () => {
  const { on, there } = await killed("from", { commit: 3, when: "after" }, { pipeline: "nap" });
  const other: Store = { ...memory(), name: "another" };
  const { left } = await copyRuns(options(on, there, { from: other, isMove: true }));
  expect(left).toEqual([{ runId: "asleep", why: expect.stringContaining("move it from there again") }]);
});

test("runs of shared budgets keep what they spent; the sums of the budgets stay where they are, and both stores are sound", async () => {
  const on = scene();
  const scopes = [{ scope: "tenant:a", cost: "$1" }] as const;
  const result = await on.cast(spending).run(1, { runId: "r", budget: "$0.30", scopes });
  expect(result).toMatchObject({ status: "halted" });
  const there = memory();
  expect((await copyRuns(options(on, there, { isMove: true }))).left).toEqual([]);
  expect(await there.accounts({})).toEqual([]);
  const later = scene({ store: there });
  await later.play(later.cast(spending).runner.resume("r", { budget: "$1" }).result());
  expect(await there.accounts({})).toMatchObject([{ posted: { picoUsd: "200000000000" } }]);
  for (const store of [on.store, there]) expect((await verify(store)).faults).toEqual([]);
});

test("many runs of shared budgets, as crashes have left them, are copied as they are", async () => {
  const store = memory();
  await simulateShared({ seed: 3, store: () => store });
  const there = memory();
  const world = { ...nodeWorld(), now: () => 2 ** 45 };
  const { runs, left } = await copyRuns({ from: store, to: there, world, isMove: false, isDry: false });
  expect([runs.length > 0, left]).toEqual([true, []]);
  expect((await verify(there)).faults).toEqual([]);
});
