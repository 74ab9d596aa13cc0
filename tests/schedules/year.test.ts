import { expect, test } from "vitest";
import { pipeline, step } from "../../src/core/compose.ts";
import { Runner } from "../../src/engine/runner.ts";
import { tickRunId } from "../../src/schedules/ids.ts";
import { addSchedule, schedulesIn } from "../../src/schedules/plan.ts";
import { newSchedule } from "../../src/schedules/schedule.ts";
import { startTick } from "../../src/schedules/start-tick.ts";
import { Timetable } from "../../src/schedules/timetable.ts";
import { memory } from "../../src/stores/memory.ts";
import { chance } from "../../src/testing/chance.ts";
import { crashingStore } from "../../src/testing/crash-store.ts";
import { type VirtualProcess, virtualWorld } from "../../src/testing/virtual-world.ts";
import { almanac, cronOf, expectedTicks, type Saying } from "./almanac.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const end = Date.UTC(2027, 0, 1);

const plans: readonly { name: string; timeZone: string; saying: Saying }[] = [
  { name: "madrid", timeZone: "Europe/Madrid", saying: { minutes: [30], hours: [2] } },
  { name: "new-york", timeZone: "America/New_York", saying: { minutes: [30], hours: [1, 2] } },
  { name: "lord-howe", timeZone: "Australia/Lord_Howe", saying: { minutes: [45], hours: [1] } },
  { name: "santiago", timeZone: "America/Santiago", saying: { minutes: [0], hours: [0] } },
  { name: "mondays", timeZone: "Europe/Madrid", saying: { minutes: [0], hours: [9], weekday: 1 } },
  { name: "sundays", timeZone: "Europe/Madrid", saying: { minutes: [0], hours: undefined, weekday: 0 } },
];

test.each([1, 2])(
  "a year of schedules in four zones, three processes that die at their writes and come back: each tick has one run (seed %i)",
  async (seed) => {
    const luck = chance(seed);
    const kept = memory();
    const world = virtualWorld({ seed, start });
    const clock = world.process("clock");
    let bodies = 0;
    const report = pipeline(
      "report",
      step("write", (input: string) => `${input} ${++bodies}`),
    );
    let deaths = 0;

    const live = async (place: number): Promise<VirtualProcess> => {
      const process = world.process(`p${place}`, `host ${place}`);
      const crash = {
        commit: 1 + Math.floor(luck.next() * 120),
        when: luck.pick(["before", "after"] as const),
      };
      const store = crashingStore(kept, { process, crash, latencyMs: 40, onCrash: () => deaths++ });
      const runner = new Runner(report, { store, world: process });
      const serve = async (): Promise<void> => {
        await runner.recover();
        await new Timetable({
          store,
          world: process,
          start: (schedule, tick) => startTick(runner, schedule, tick),
          everyMs: 6 * hour,
        }).start();
      };
      serve().catch(() => {}); // it died of its crash point
      return process;
    };

    for (const { name, timeZone, saying } of plans) {
      const subject = { name, pipeline: "report", input: name };
      await addSchedule(
        kept,
        newSchedule(subject, { cron: cronOf(saying), timeZone, missed: "all" }, start - 1),
      );
    }
    const processes = [await live(0), await live(1), await live(2)];
    const wait = (ms: number): Promise<void> =>
      world.run(new Promise<void>((resolve) => void clock.timer(ms, resolve)), { ms: ms + 1, rounds: 1e8 });
    while (world.now() < end) {
      await wait(Math.min(4 * hour, end - world.now()));
      for (const [place, process] of processes.entries()) {
        if (!process.isAlive && luck.next() < 0.3) processes[place] = await live(place);
      }
    }
    for (const place of [0, 1]) processes[place] = await live(place);
    for (let i = 0; i < 40; i++) {
      await wait(20_000);
      for (const [place, process] of processes.entries())
        if (!process.isAlive) processes[place] = await live(place);
    }

    const expected = plans.flatMap(({ name, timeZone, saying }) =>
      expectedTicks(almanac(timeZone, start - 48 * hour, end + 48 * hour), saying)
        .filter((tick) => tick >= start && tick < end)
        .map((tick) => tickRunId(name, tick)),
    );
    const runs = await kept.list({ limit: 100_000 });
    const inYear = runs.filter(({ runId }) => !runId.includes("-2027"));
    expect(inYear.map(({ runId }) => runId).sort()).toEqual(expected.sort());
    expect(inYear.filter(({ status }) => status !== "completed")).toEqual([]);
    expect(expected.length).toBeGreaterThan(2_700);
    expect(deaths).toBeGreaterThan(50);
    for await (const { schedule } of schedulesIn(kept)) {
      expect(schedule).toMatchObject({ due: [], passed: { missed: 0, overlapping: 0 } });
    }
  },
);
