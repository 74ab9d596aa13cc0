import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextTicks, ticksOf } from "../../src/schedules/ticks.ts";
import { almanac, cronOf, expectedTicks, type Saying } from "./almanac.ts";

const day = 86_400_000;
const zones = [
  "Europe/Madrid",
  "America/New_York",
  "Australia/Lord_Howe", // half an hour
  "America/Havana", // at midnight
  "America/Santiago", // at midnight, back into the day before
  "Asia/Kathmandu", // +05:45, never
  "Pacific/Chatham",
  "UTC",
];

function ticksBetween(cron: string, timeZone: string, from: number, to: number): number[] {
  const ticks = ticksOf(cron, timeZone);
  const found: number[] = [];
  for (let tick = ticks.after(from - 1); tick !== undefined && tick < to; tick = ticks.after(tick))
    found.push(tick);
  return found;
}

/** From a midnight of the zone to another one, so that no day is cut in two. */
function window(timeZone: string, from: number, days: number) {
  const all = almanac(timeZone, from - day, from + (days + 1) * day);
  const dates = [...new Set(all.map(({ date }) => date))].slice(1, -1);
  return all.filter(({ date }) => dates.includes(date));
}

describe("a year of ticks is what the clocks of the zone show", () => {
  const sayings: readonly Saying[] = [
    { minutes: [30], hours: [2] },
    { minutes: [0], hours: [0] },
    { minutes: [15, 45], hours: [1, 2, 14] },
    { minutes: [0], hours: [9], weekday: 1 },
    { minutes: [30], hours: [2], weekday: 0 },
    { minutes: [0], hours: undefined },
    { minutes: undefined, hours: [2], everyMinutes: 30 },
    { minutes: undefined, hours: undefined, everyMinutes: 45 },
  ];
  test.each(zones)("%s", (timeZone) => {
    const minutes = window(timeZone, Date.UTC(2026, 0, 1), 365);
    const from = minutes[0]?.at ?? 0;
    const to = (minutes.at(-1)?.at ?? 0) + 60_000;
    for (const saying of sayings) {
      const expected = expectedTicks(minutes, saying);
      expect(expected.length).toBeGreaterThan(50);
      expect(ticksBetween(cronOf(saying), timeZone, from, to), cronOf(saying)).toEqual(expected);
    }
  });
});

test("any times and intervals, any zone, any weeks of this century", () => {
  const number = (max: number) => fc.nat({ max });
  const list = (max: number) => fc.uniqueArray(number(max), { minLength: 1, maxLength: 3 });
  const saying: fc.Arbitrary<Saying> = fc.oneof(
    fc.record({ minutes: list(59), hours: list(23) }),
    fc.record({ minutes: list(59), hours: list(23), weekday: number(6) }),
    fc.record({ minutes: list(59), hours: fc.constant(undefined) }),
    fc.record({
      minutes: fc.constant(undefined),
      hours: fc.option(list(23), { nil: undefined }),
      everyMinutes: fc.integer({ min: 1, max: 59 }),
    }),
  );
  const anyZone = fc.constantFrom(...zones, ...Intl.supportedValuesOf("timeZone"));
  const weeks = fc.record({ year: fc.integer({ min: 2012, max: 2037 }), week: number(50) });
  fc.assert(
    fc.property(saying, anyZone, weeks, (said, timeZone, { year, week }) => {
      const minutes = window(timeZone, Date.UTC(year, 0, 1 + 7 * week), 9);
      const from = minutes[0]?.at ?? 0;
      const to = (minutes.at(-1)?.at ?? 0) + 60_000;
      const expected = expectedTicks(minutes, said);
      expect(ticksBetween(cronOf(said), timeZone, from, to)).toEqual(expected);
      const ticks = ticksOf(cronOf(said), timeZone); // backwards it is the same list
      const back: number[] = [];
      for (let tick = ticks.before(to); tick !== undefined && tick >= from; tick = ticks.before(tick))
        back.unshift(tick);
      expect(back).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

describe("on the days of change, 30 2 * * *", () => {
  const at = (timeZone: string, from: string, cron = "30 2 * * *") =>
    nextTicks(ticksOf(cron, timeZone), Date.parse(from), 3).map((tick) =>
      new Date(tick).toISOString().slice(0, 16),
    );

  test("Madrid: the moment the clock has jumped from 2 to 3, and the first 2:30 of two", () => {
    expect(at("Europe/Madrid", "2026-03-28T00:00Z")).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    expect(at("Europe/Madrid", "2026-10-24T00:00Z")).toEqual([
      "2026-10-24T00:30",
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("New York: the same, by its own days; 1:30 is the hour that comes twice there", () => {
    expect(at("America/New_York", "2026-03-07T12:00Z")).toEqual([
      "2026-03-08T07:00",
      "2026-03-09T06:30",
      "2026-03-10T06:30",
    ]);
    expect(at("America/New_York", "2026-10-31T12:00Z", "30 1 * * *")).toEqual([
      "2026-11-01T05:30",
      "2026-11-02T06:30",
      "2026-11-03T06:30",
    ]);
  });

  test("Lord Howe jumps half an hour: 2:15 comes at 2:30, and 1:45 comes once", () => {
    expect(at("Australia/Lord_Howe", "2026-10-03T12:00Z", "15 2 * * *").slice(0, 2)).toEqual([
      "2026-10-03T15:30",
      "2026-10-04T15:15",
    ]);
    expect(at("Australia/Lord_Howe", "2026-04-04T12:00Z", "45 1 * * *").slice(0, 2)).toEqual([
      "2026-04-04T14:45",
      "2026-04-05T15:15",
    ]);
  });

  test("Apia had no 30 December 2011: nor has it a tick", () => {
    expect(at("Pacific/Apia", "2011-12-28T13:00Z")).toEqual([
      "2011-12-29T12:30", // the 29th, at -10
      "2011-12-30T12:30", // the 31st, at +14
      "2011-12-31T12:30",
    ]);
  });

  test("an interval goes by the clock: none in the hour that is skipped, twice in the one that comes twice", () => {
    expect(at("Europe/Madrid", "2026-03-29T00:00Z", "*/30 2 * * *")[0]).toBe("2026-03-30T00:00");
    expect(at("Europe/Madrid", "2026-10-25T00:10Z", "0,30 * * * *")).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
    ]);
  });
});

describe("what an expression may be", () => {
  test("seconds, years, names, the last day", () => {
    const first = (cron: string) => {
      const [tick] = nextTicks(ticksOf(cron, "UTC"), Date.UTC(2026, 0, 31, 10, 0, 0), 1);
      return tick === undefined ? undefined : new Date(tick).toISOString();
    };
    expect(first("*/20 * * * * *")).toBe("2026-01-31T10:00:20.000Z");
    expect(first("0 0 12 1 1 * 2028")).toBe("2028-01-01T12:00:00.000Z");
    expect(first("0 12 * FEB MON")).toBe("2026-02-02T12:00:00.000Z");
    expect(first("0 12 L * *")).toBe("2026-01-31T12:00:00.000Z");
    expect(first("@monthly")).toBe("2026-02-01T00:00:00.000Z");
    expect(first("0 0 31 2 *")).toBeUndefined();
    expect(first("0 0 12 1 1 * 2020")).toBeUndefined();
  });

  test("a moment within a second is after the tick of that second", () => {
    const ticks = ticksOf("* * * * * *", "UTC");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        const second = ms - (ms % 1_000);
        expect(ticks.after(ms)).toBe(second + 1_000);
        expect(ticks.before(ms)).toBe(ms === second ? second - 1_000 : second);
      }),
    );
  });

  test.each([
    ["0 25 * * *", 'its hour is "25"'],
    ["61 * * * *", 'its minute is "61"'],
    ["0 9 * * Mo", 'its day of the week is "Mo"'],
    ["0 9 0 * *", 'its day of the month is "0"'],
    ["0 0 9 * 13 *", 'its month is "13"'],
    ["99 0 9 * * *", 'its second is "99"'],
    ["9am", "five, six, or seven"],
    ["", "five, six, or seven"],
    ["2030-01-01T00:00:00", "it is a date"],
  ])("%s cannot be read: %s", (cron, why) => {
    expect(() => ticksOf(cron, "UTC")).toThrow(why);
  });

  test("nor can a zone nobody knows", () => {
    expect(() => ticksOf("@daily", "Europe/Madird")).toThrow('there is no time zone "Europe/Madird"');
  });
});
