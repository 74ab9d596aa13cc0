import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, dueTicks, timelyMs, withOutcome } from "./decision.ts";
import { newSchedule, paused, type Schedule, type ScheduleTerms, unpaused, withTerms } from "./schedule.ts";
import { ticksOf } from "./ticks.ts";

const noon = Date.UTC(2026, 10, 25, 12);
const hour = 3_600_000;
const subject = { name: "s", pipeline: "p", input: "x" };

const made = (terms: Partial<ScheduleTerms>, at = noon): Schedule =>
  newSchedule(subject, { cron: "0 * * * *", ...terms }, at);
const dueIn = (schedule: Schedule, now: number) =>
  dueTicks(schedule, ticksOf(schedule.cron, schedule.timeZone), now);
const hours = (...after: number[]): number[] => after.map((n) => noon + n * hour);

describe("what is due", () => {
  test("nothing before the first tick after the schedule was made, be it made at a tick", () => {
    expect(dueIn(made({}), noon)).toBeUndefined();
    expect(dueIn(made({}), noon + hour - 1)).toBeUndefined();
    expect(dueIn(made({}), noon + hour)).toMatchObject({ wanted: hours(1), missed: 0 });
  });

  test.each([
    ["skip", [], 5],
    ["last", [5], 4],
    ["all", [1, 2, 3, 4, 5], 0],
  ] as const)("long after, under missed: %s", (missed, wanted, without) => {
    expect(dueIn(made({ missed }), noon + 5.5 * hour)).toEqual({
      through: noon + 5 * hour,
      wanted: hours(...wanted),
      missed: without,
    });
  });

  test.each([
    ["skip", [5], 4],
    ["last", [5], 4],
    ["all", [1, 2, 3, 4, 5], 0],
  ] as const)("within a minute of the last one, under missed: %s", (missed, wanted, without) => {
    for (const late of [0, timelyMs]) {
      expect(dueIn(made({ missed }), noon + 5 * hour + late)).toMatchObject({
        wanted: hours(...wanted),
        missed: without,
      });
    }
  });

  test("each tick of the last minute has its run under any policy", () => {
    for (const missed of ["skip", "last", "all"] as const) {
      const due = dueIn(made({ cron: "* * * * * *", missed }), noon + 30_000);
      expect(due?.wanted).toEqual(Array.from({ length: 30 }, (_, i) => noon + (i + 1) * 1_000));
    }
  });

  test("all are a hundred, the newest, and those of the last minute; counting ends at a thousand", () => {
    const due = dueIn(made({ missed: "all", cron: "* * * * *" }), noon + 500 * 60_000 + 59_000);
    expect(due?.wanted.length).toBe(101);
    expect(due?.wanted.at(-1)).toBe(noon + 500 * 60_000);
    expect(due?.missed).toBe(399);
    const long = dueIn(made({ missed: "all", cron: "* * * * *" }), noon + 100 * 24 * hour + 59_000);
    expect(long).toMatchObject({ missed: 1_000 - 101, through: noon + 100 * 24 * hour });
  });

  test("a clock that goes back brings no tick again", () => {
    const later: Schedule = { ...made({}), through: noon + 5 * hour };
    for (const now of hours(4.5, 1, 0)) expect(dueIn(later, now)).toBeUndefined();
    expect(dueIn(later, noon + 6 * hour)).toMatchObject({ wanted: hours(6) });
  });

  test("a clock that was years ahead for a moment does not silence a schedule for years", () => {
    const wrong: Schedule = { ...made({}), through: Date.UTC(2037, 0, 1) };
    expect(dueIn(wrong, noon + 0.5 * hour)).toBeUndefined();
    expect(dueIn(wrong, noon + hour + 7)).toEqual({ through: noon + hour, wanted: hours(1), missed: 0 });
  });
});

describe("what is decided", () => {
  const due = { through: noon + 2 * hour, wanted: hours(1, 2), missed: 3 };

  test("overlap allow: all that is wanted starts", () => {
    const { schedule, missed, overlapping } = decide(made({}), due, true, "me", 7);
    expect(schedule).toMatchObject({
      through: due.through,
      due: hours(1, 2),
      decided: { by: "me", at: 7 },
      passed: { missed: 3, overlapping: 0 },
    });
    expect({ missed, overlapping }).toEqual({ missed: 3, overlapping: 0 });
  });

  test("overlap skip: the newest of several; none while a run is under way", () => {
    const alone = made({ overlap: "skip" });
    expect(decide(alone, due, false, "me", 7).schedule).toMatchObject({
      due: hours(2),
      passed: { missed: 3, overlapping: 1 },
    });
    expect(decide(alone, due, true, "me", 7).schedule).toMatchObject({
      due: [],
      through: due.through,
      passed: { missed: 3, overlapping: 2 },
    });
  });

  test("what waits to be started has a bound; the oldest are given up, and counted", () => {
    const wanted = Array.from({ length: 250 }, (_, i) => noon + i);
    const { schedule, missed } = decide(made({}), { through: noon + 249, wanted, missed: 0 }, false, "me", 7);
    expect(schedule.due).toEqual(wanted.slice(50));
    expect(missed).toBe(50);
  });

  test("whenever anybody looks, each tick is wanted once or passed over once", () => {
    const policy = fc.constantFrom("skip", "last", "all");
    const pauses = fc.array(fc.integer({ min: 0, max: 10 * 60_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        policy,
        pauses,
        fc.constantFrom("*/20 * * * * *", "* * * * *", "0 * * * *"),
        (missed, waits, cron) => {
          let schedule = made({ missed, cron });
          const ticks = ticksOf(cron, "UTC");
          const wanted: number[] = [];
          let now = noon;
          for (const wait of waits) {
            now += wait;
            const due = dueTicks(schedule, ticks, now);
            if (due === undefined) continue;
            const decided = decide(schedule, due, false, "me", now).schedule;
            wanted.push(...decided.due);
            schedule = { ...decided, due: [] }; // started at once
          }
          const all: number[] = [];
          for (let tick = ticks.after(noon); tick !== undefined && tick <= now; tick = ticks.after(tick))
            all.push(tick);
          expect(new Set(wanted).size).toBe(wanted.length);
          expect(wanted.length + schedule.passed.missed).toBe(all.length);
          expect(all).toEqual(expect.arrayContaining(wanted));
          if (missed === "all") expect(schedule.passed.missed).toBe(0);
        },
      ),
    );
  });
});

describe("what came of it", () => {
  const before: Schedule = { ...made({}), due: hours(1, 2, 3) };

  test("is noted whatever else has changed; a later success ends a refusal", () => {
    const refusal = { tick: noon + hour, at: 7, code: "cannot-load", message: "gone" };
    const first = withOutcome(before, before, { done: [], refused: [refusal] });
    expect(first).toMatchObject({ due: hours(2, 3), refused: refusal });
    expect(first.last).toBeUndefined();
    const second = withOutcome({ ...first, paused: true }, before, { done: hours(2), refused: [] });
    expect(second).toMatchObject({ due: hours(3), paused: true, last: { runId: "s-20261125T140000Z" } });
    expect(second.refused).toBeUndefined();
  });

  test("the last is the newest, in whatever order they come", () => {
    const newest = withOutcome(before, before, { done: hours(3), refused: [] });
    expect(withOutcome(newest, before, { done: hours(1), refused: [] }).last?.tick).toBe(noon + 3 * hour);
  });

  test("a schedule of that name made anew since has nothing to do with it", () => {
    const anew = { ...before, createdAt: noon + 1 };
    expect(withOutcome(anew, before, { done: hours(1), refused: [] })).toBe(anew);
  });
});

describe("a schedule that is changed", () => {
  test("ticks of a pause are not missed, and none of before it comes late", () => {
    const late: Schedule = { ...paused(made({ missed: "all" })), due: hours(1) };
    const again = unpaused(late, noon + 5 * hour);
    expect(again).toMatchObject({ paused: false, due: [], through: noon + 5 * hour });
    expect(dueIn(again, noon + 5.9 * hour)).toBeUndefined();
    expect(unpaused(again, noon + 9 * hour)).toBe(again);
  });

  test("the same terms again change nothing; a new plan counts from now", () => {
    const before: Schedule = { ...made({ missed: "all" }), last: { tick: noon, runId: "s" } };
    const later = noon + 5.5 * hour;
    expect(withTerms(before, made({ missed: "all" }, later))).toEqual(before);
    const anew = withTerms(before, made({ missed: "all", cron: "30 * * * *" }, later));
    expect(anew).toMatchObject({ last: before.last, createdAt: noon, through: later });
    expect(dueIn(anew, noon + 6.5 * hour)?.wanted).toEqual(hours(6.5));
  });

  test.each([
    [{ cron: "0 0 31 2 *" }, "has no tick any more"],
    [{ missed: "some" }, 'missed is "some"; it takes skip, last or all'],
    [{ overlap: "no" }, 'overlap is "no"; it takes allow or skip'],
    [{ budget: "0.50" }, "is not an amount of money"],
  ])("%o is refused", (terms, why) => {
    expect(() => made(terms as Partial<ScheduleTerms>)).toThrow(why);
  });

  test("so are names that are no part of a run id, and inputs too large to be read every few seconds", () => {
    for (const name of ["", "-a", "a b", "ü", "a/b", "x".repeat(81)]) {
      expect(() => newSchedule({ ...subject, name }, { cron: "@daily" }, noon)).toThrow(
        "no name of a schedule",
      );
    }
    expect(() => newSchedule({ ...subject, input: "x".repeat(100_001) }, { cron: "@daily" }, noon)).toThrow(
      "too large",
    );
  });
});
