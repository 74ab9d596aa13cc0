import fc from "fast-check";
import { expect, test } from "vitest";
import { scaleOf } from "./scale.ts";

test("without pauses, time is drawn as it is", () => {
  const scale = scaleOf(1_000, 2_000, []);
  expect([1_000, 1_250, 2_000].map((ms) => scale.at(ms))).toEqual([0, 0.25, 1]);
  expect(scale.moment(0.25)).toBe(1_250);
  expect(scale.gaps).toEqual([]);
});

test("a pause of a day between two seconds of work leaves the work its room", () => {
  const day = 86_400_000;
  const scale = scaleOf(0, day + 2_000, [{ from: 1_000, to: day + 1_000 }]);
  expect(scale.at(1_000)).toBeCloseTo(0.485);
  expect(scale.at(day + 1_000)).toBeCloseTo(0.515);
  expect(scale.gaps).toMatchObject([{ ms: day }]);
});

test("whatever pauses there are, later is never further left, and the ends are the ends", () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(times, (given) => {
      const sorted = [...given].sort((a, b) => a - b);
      const [began, ended] = [sorted[0] as number, sorted.at(-1) as number];
      const pauses = [];
      for (let i = 0; i + 1 < sorted.length; i += 2)
        pauses.push({ from: sorted[i] as number, to: sorted[i + 1] as number });
      const scale = scaleOf(began, ended, pauses);
      const places = sorted.map(scale.at);
      expect(places[0]).toBe(0);
      expect(places.at(-1)).toBeCloseTo(1);
      for (const [i, place] of places.entries()) expect(place).toBeGreaterThanOrEqual(places[i - 1] ?? 0);
    }),
  );
});
