import { describe, expect, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { InvalidInputError, StoreUnavailableError } from "../core/errors.ts";
import { Runner } from "../engine/runner.ts";
import { memory } from "../stores/memory.ts";
import { type CrashPoint, crashingStore } from "../testing/crash-store.ts";
import { virtualWorld } from "../testing/virtual-world.ts";
import { addSchedule, changeSchedule, removeSchedule, scheduleNamed } from "./plan.ts";
import { newSchedule, paused, type Schedule, type ScheduleTerms, unpaused } from "./schedule.ts";
import { startTick } from "./start-tick.ts";
import { Timetable, type TimetableNews, type TimetableOptions } from "./timetable.ts";
import { scheduleViews } from "./view.ts";

const noon = Date.UTC(2026, 10, 25, 12);
const minute = 60_000;

interface CastOptions extends Partial<TimetableOptions> {
  readonly crash?: CrashPoint;
  readonly latencyMs?: number;
  readonly host?: string;
}

/** Processes with a timetable and a runner each, on one store, in one virtual world. */
function town(seed = 1) {
  const kept = memory();
  const world = virtualWorld({ seed, start: noon });
  const clock = world.process("clock");
  const bodies: string[] = [];
  const report = pipeline(
    "report",
    step("write", (input: string) => {
      bodies.push(input);
      return input;
    }),
  );
  return {
    kept,
    world,
    bodies,
    add: (name: string, terms: ScheduleTerms, input = name, pipelineName = "report") =>
      addSchedule(kept, newSchedule({ name, pipeline: pipelineName, input }, terms, world.now())),
    wait: (ms: number) =>
      world.run(new Promise<void>((resolve) => void clock.timer(ms, resolve)), {
        ms: ms + 1,
        rounds: 5_000_000,
      }),
    cast({ crash, latencyMs = 0, host, ...options }: CastOptions = {}) {
      const process = world.process("process", host);
      const store = crashingStore(kept, { process, crash, latencyMs });
      const runner = new Runner(report, { store, world: process, lease: "2s" });
      const news: TimetableNews[] = [];
      const timetable = new Timetable({
        store,
        world: process,
        start: (schedule, tick) => startTick(runner, schedule, tick),
        onNews: (one) => news.push(one),
        ...options,
      });
      return { process, store, runner, timetable, news, begun: timetable.start() };
    },
    async runs() {
      const runs = await kept.list({ limit: 10_000 });
      return runs.map(({ runId }) => runId).sort();
    },
    async schedule(name: string): Promise<Schedule> {
      const standing = await scheduleNamed(kept, name);
      if (standing === undefined) throw new Error(`no schedule ${name}`);
      return standing.schedule;
    },
  };
}

/** `s-20261125T120500Z` for minute 5. */
const runAt = (name: string, at: number): string =>
  `${name}-${new Date(noon + at * minute).toISOString().replace(/[-:]|\.000/g, "")}`;
const runsAt = (name: string, ...minutes: number[]): string[] => minutes.map((at) => runAt(name, at));

describe("one process", () => {
  test("starts one run at each tick, at the tick", async () => {
    const { add, cast, wait, runs, kept, schedule } = town();
    await add("s", { cron: "*/10 * * * *" });
    const { news } = cast();
    await wait(35 * minute);
    expect(await runs()).toEqual(runsAt("s", 10, 20, 30));
    for (const { runId, createdAt, status } of await kept.list({})) {
      expect(runAt("s", (createdAt - (createdAt % minute) - noon) / minute)).toBe(runId);
      expect(createdAt % minute).toBeLessThan(100);
      expect(status).toBe("completed");
    }
    expect(news.map(({ what }) => what)).toEqual(["started", "started", "started"]);
    expect(await schedule("s")).toMatchObject({ due: [], last: { runId: runAt("s", 30) } });
  });

  test("comes to know of schedules that others add, change, pause and remove", async () => {
    const { add, cast, wait, runs, kept, world } = town();
    cast();
    await wait(minute);
    await add("s", { cron: "*/2 * * * *" });
    await wait(4 * minute); // 12:05
    await changeSchedule(kept, "s", paused);
    await wait(4 * minute); // 12:09
    await changeSchedule(kept, "s", (one) => unpaused(one, world.now()));
    await wait(2 * minute); // 12:11
    await removeSchedule(kept, "s");
    await wait(10 * minute);
    expect(await runs()).toEqual(runsAt("s", 2, 4, 10));
  });

  test("a schedule that is added again under its name has no second run of a tick, and no first one of before", async () => {
    const { add, cast, wait, runs, kept, bodies } = town();
    await add("s", { cron: "* * * * *", missed: "all" }, "old");
    cast();
    await wait(minute + 20_000);
    await removeSchedule(kept, "s");
    await add("s", { cron: "* * * * *", missed: "all" }, "new");
    await wait(minute);
    expect(await runs()).toEqual(runsAt("s", 1, 2));
    expect(bodies).toEqual(["old", "new"]);
  });

  test.each([
    ["skip", [60]],
    ["last", [50, 60]],
    ["all", [10, 20, 30, 40, 50, 60]],
  ] as const)("comes up late; missed: %s", async (missed, minutes) => {
    const { add, cast, wait, runs, schedule, kept } = town();
    await add("s", { cron: "*/10 * * * *", missed });
    await wait(55 * minute);
    expect(await scheduleViews(kept, noon + 55 * minute)).toMatchObject([
      { next: "2026-11-25T13:00:00.000Z", overdueSince: "2026-11-25T12:10:00.000Z", last: null },
    ]);
    const { news } = cast();
    await wait(6 * minute);
    expect(await runs()).toEqual(runsAt("s", ...minutes));
    const without = 6 - minutes.length;
    expect((await schedule("s")).passed).toEqual({ missed: without, overlapping: 0 });
    expect(await scheduleViews(kept, noon + 61 * minute)).toMatchObject([
      { next: "2026-11-25T13:10:00.000Z", overdueSince: null, last: { status: "completed" } },
    ]);
    const told = news.filter(({ what }) => what === "passed-over");
    expect(told).toMatchObject(without === 0 ? [] : [{ missed: without }]);
  });

  test("overlap: skip passes a tick over while the run before is running or waits", async () => {
    const { kept, world, wait, runs, schedule } = town();
    const process = world.process("slow");
    const runner = new Runner(
      pipeline(
        "slow",
        step("work", (_: string, ctx) => ctx.sleep("long", "25m")),
      ),
      { store: kept, world: process },
    );
    await addSchedule(
      kept,
      newSchedule(
        { name: "s", pipeline: "slow", input: "x" },
        { cron: "*/10 * * * *", overlap: "skip" },
        noon,
      ),
    );
    const start = (one: Schedule, tick: number) => startTick(runner, one, tick);
    await new Timetable({ store: kept, world: process, start }).start();
    await wait(65 * minute);
    expect(await runs()).toEqual(runsAt("s", 10, 40));
    expect((await schedule("s")).passed).toEqual({ missed: 0, overlapping: 4 });
  });

  test("a start that fails is tried again when it may pass, and is told and noted when it may not", async () => {
    const { add, cast, wait, runs, kept } = town();
    await add("flaky", { cron: "0 * * * *" });
    await add("wrong", { cron: "0 * * * *" });
    await add("fine", { cron: "0 * * * *" });
    let failures = 3;
    const tries: number[] = [];
    const { news, runner, process } = cast({
      start: async (schedule, tick) => {
        if (schedule.name === "flaky") tries.push(process.now());
        if (schedule.name === "flaky" && failures-- > 0) throw new StoreUnavailableError("busy");
        if (schedule.name === "wrong") throw new InvalidInputError("it does not fit");
        return startTick(runner, schedule, tick);
      },
    });
    await wait(61 * minute);
    expect(await runs()).toEqual([runAt("fine", 60), runAt("flaky", 60)]);
    const told = news.map(({ what, schedule }) => `${schedule?.name} ${what}`).sort();
    expect(told).toEqual([
      "fine started",
      "flaky delayed",
      "flaky delayed",
      "flaky delayed",
      "flaky started",
      "wrong refused",
    ]);
    expect(tries.map((at) => at - noon - 60 * minute)).toEqual([0, 5_000, 10_000, 15_000]); // not at once again
    const [fine, flaky, wrong] = await scheduleViews(kept, noon + 61 * minute);
    expect(wrong).toMatchObject({
      last: null,
      due: [],
      next: "2026-11-25T14:00:00.000Z",
      lastError: { tick: "2026-11-25T13:00:00.000Z", code: "invalid-input", message: "it does not fit" },
    });
    for (const view of [fine, flaky]) {
      expect(view).toMatchObject({
        last: { tick: "2026-11-25T13:00:00.000Z", status: "completed" },
        lastError: null,
      });
    }
  });

  test("a start that never comes back, a note that cannot be read: the others go on", async () => {
    const { add, cast, wait, runs, kept, schedule } = town();
    await add("hangs", { cron: "* * * * *" });
    await add("z", { cron: "* * * * *" });
    const broken = { ...(await schedule("z")), name: "broken", timeZone: "Mars/Base" };
    await addSchedule(kept, broken);
    const { news, runner } = cast({
      start: (one, tick) =>
        one.name === "hangs" ? new Promise<never>(() => {}) : startTick(runner, one, tick),
    });
    await wait(3 * minute + 1_000);
    expect(await runs()).toEqual(runsAt("z", 1, 2, 3));
    expect(news.find(({ what }) => what === "trouble")).toMatchObject({ schedule: { name: "broken" } });
    expect((await scheduleViews(kept, noon)).map(({ name, next }) => [name, next === null])).toEqual([
      ["broken", true],
      ["hangs", false],
      ["z", false],
    ]);
  });

  test("a run of that id that has failed is not gone on with", async () => {
    const { add, cast, wait, kept, world } = town();
    let tries = 0;
    const failing = pipeline(
      "report",
      step("fail", (_: string): string => {
        tries++;
        throw new Error("no");
      }),
    );
    const runner = new Runner(failing, { store: kept, world: world.process("by hand") });
    await world.run(runner.run("x", { runId: runAt("s", 1) }));
    await add("s", { cron: "* * * * *" });
    cast({ start: (schedule, tick) => startTick(runner, schedule, tick) });
    await wait(minute + 30_000);
    expect(tries).toBe(1);
    expect(await kept.list({})).toMatchObject([{ runId: runAt("s", 1), status: "failed" }]);
  });

  test("what somebody decided who is gone is started by who sees it, at once", async () => {
    const { add, cast, wait, schedule, kept } = town();
    await add("s", { cron: "* * * * *" });
    const { process } = cast({ start: () => new Promise(() => {}) }); // decides, and begins no run
    await wait(minute + 500);
    expect(await schedule("s")).toMatchObject({ due: [noon + minute] });
    process.kill();
    cast();
    await wait(1_000);
    expect(await kept.list({})).toMatchObject([{ runId: runAt("s", 1), status: "completed" }]);
  });

  test("a run that is there is left as it is, also when it has failed since anybody looked", async () => {
    const { add, cast, wait, kept, schedule, world } = town();
    await add("s", { cron: "* * * * *" }, "sorry");
    const { runner } = cast({ start: () => new Promise(() => {}) });
    await wait(minute + 500);
    const failing = pipeline(
      "report",
      step("write", (_: string): string => {
        throw new Error("no");
      }),
    );
    const other = new Runner(failing, { store: kept, world: world.process("other") });
    const runId = runAt("s", 1);
    expect(await world.run(other.run("sorry", { runId }))).toMatchObject({ status: "failed" });
    const before = await kept.read(runId, 0, 99);
    await world.run(startTick(runner, await schedule("s"), noon + minute));
    await wait(1_000);
    expect(await kept.read(runId, 0, 99)).toEqual(before);
  });

  test("of many that start a tick at the same moment one says that it has, however late each one's answers come", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { add, cast, schedule, world, runs } = town(seed);
      await add("s", { cron: "0 0 1 1 *" });
      const tick = noon + minute;
      const one = await schedule("s");
      const starts = [1, 2, 3].map(() => startTick(cast({ latencyMs: 30 }).runner, one, tick));
      const outcomes = await world.run(Promise.allSettled(starts));
      const said = outcomes.map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value : outcome.reason.code,
      );
      expect([seed, said.filter((word) => word === "started")]).toEqual([seed, ["started"]]);
      for (const word of said) expect(["started", "exists", "lease-held"]).toContain(word);
      expect(await runs()).toEqual([runAt("s", 1)]);
    }
  });

  test("a run that is there already is one, also when its pipeline can be started no more", async () => {
    const { add, cast, wait, runs, schedule } = town();
    await add("s", { cron: "* * * * *", missed: "all" });
    const { process } = cast({ crash: { commit: 3, when: "before" } }); // decided, begun, not noted
    await wait(minute + 1_000);
    expect(process.isAlive).toBe(false);
    expect(await schedule("s")).toMatchObject({ due: [noon + minute] });
    const gone = new InvalidInputError("its file is gone");
    const { news } = cast({ start: () => Promise.reject(gone) });
    await wait(30_000);
    expect(news).toEqual([]);
    expect(await runs()).toEqual(runsAt("s", 1));
    expect(await schedule("s")).toMatchObject({ due: [], last: { runId: runAt("s", 1) } });
  });

  test("a clock that goes back, and one that was wrong, bring no run twice and silence nobody", async () => {
    const { add, cast, wait, runs, world } = town();
    await add("s", { cron: "*/10 * * * *" });
    let skew = 0;
    const base = world.process("skewed");
    const skewed = { ...base, owner: base.owner, now: () => base.now() + skew };
    cast({ world: skewed });
    await wait(21 * minute); // runs 10, 20
    skew = -15 * minute; // shows 6
    await wait(10 * minute); // shows 16
    expect(await runs()).toEqual(runsAt("s", 10, 20));
    skew = 300 * 24 * 60 * minute; // for a minute
    await wait(minute);
    const ahead = (await runs()).filter((runId) => !runsAt("s", 10, 20).includes(runId));
    expect(ahead.length).toBe(1); // the newest missed, by that clock
    skew = 0; // 32
    await wait(9 * minute); // 41
    expect(await runs()).toEqual([...runsAt("s", 10, 20, 40), ...ahead].sort());
  });

  test("stops, and lets what it is starting be noted", async () => {
    const { add, cast, wait, runs, world, schedule } = town();
    await add("s", { cron: "* * * * *" });
    let hasBegun = false;
    const { timetable, runner } = cast({
      latencyMs: 50,
      start: (one, tick) => {
        hasBegun = true;
        return startTick(runner, one, tick);
      },
    });
    await world.run(() => hasBegun);
    await world.run(timetable.stop());
    await wait(10 * minute);
    expect(await runs()).toEqual(runsAt("s", 1));
    expect(await schedule("s")).toMatchObject({ due: [], last: { runId: runAt("s", 1) } });
  });
});

test("a backlog that is cut short by a stop is left to the next process", async () => {
  const { add, cast, wait, runs, world, schedule } = town();
  await add("s", { cron: "* * * * *", missed: "all" });
  await wait(50 * minute);
  const { timetable } = cast({ latencyMs: 100 });
  await wait(2_000);
  await world.run(timetable.stop());
  const some = await runs();
  expect(some.length).toBeGreaterThan(0);
  expect(some.length).toBeLessThan(50);
  expect((await schedule("s")).due.length).toBe(50 - some.length);
  cast();
  await wait(20_000);
  expect((await runs()).length).toBe(50);
});

describe("several processes", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("start one run a tick between them (seed %i)", async (seed) => {
    const { add, cast, wait, runs, bodies } = town(seed);
    await add("s", { cron: "*/20 * * * * *" });
    await add("alone", { cron: "*/20 * * * * *", overlap: "skip" });
    const cast4 = Array.from({ length: 4 }, () => cast({ latencyMs: 30, host: `${seed}` }));
    await wait(2 * minute + 10_000);
    const minutes = [1, 2, 3, 4, 5, 6].map((third) => third / 3);
    expect(await runs()).toEqual([...runsAt("alone", ...minutes), ...runsAt("s", ...minutes)].sort());
    expect(bodies.length).toBe(12);
    const started = cast4.flatMap(({ news }) => news.filter(({ what }) => what === "started"));
    expect(started.length).toBe(12);
  });

  test.each(["before", "after"] as const)(
    "one dies %s any of its writes: the other sees to it",
    async (when) => {
      let crashes = 0;
      for (let commit = 1; commit <= 14; commit++) {
        const { add, cast, wait, runs, bodies, schedule, kept } = town(commit);
        await add("s", { cron: "* * * * *" });
        const first = cast({ crash: { commit, when } });
        const second = cast({ latencyMs: 20, host: "elsewhere" });
        await wait(4 * minute + 30_000);
        if (!first.process.isAlive) crashes++;
        await takeOver(second.runner, wait);
        expect(await runs(), `${when} ${commit}`).toEqual(runsAt("s", 1, 2, 3, 4));
        expect((await kept.list({ status: ["completed"] })).length, `${when} ${commit}`).toBe(4);
        expect(bodies.length).toBeGreaterThanOrEqual(4);
        expect(await schedule("s")).toMatchObject({ due: [], passed: { missed: 0, overlapping: 0 } });
      }
      expect(crashes).toBeGreaterThan(8);
    },
  );

  test("the only one dies at any of its writes, and another comes up a minute later", async () => {
    for (const when of ["before", "after"] as const) {
      for (let commit = 1; commit <= 10; commit++) {
        const { add, cast, wait, runs, schedule } = town(commit);
        await add("s", { cron: "*/10 * * * *" });
        cast({ crash: { commit, when } });
        await wait(30 * minute + 1_000);
        cast();
        await wait(minute);
        expect(await runs(), `${when} ${commit}`).toEqual(expect.arrayContaining([runAt("s", 30)]));
        expect((await schedule("s")).due).toEqual([]);
      }
    }
  });
});

/** Abandoned runs are taken over, as a process that serves does. */
async function takeOver(
  runner: { recover(): Promise<unknown> },
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  const recovered = runner.recover();
  await wait(10_000);
  await recovered;
}
