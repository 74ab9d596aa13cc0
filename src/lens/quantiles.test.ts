import fc from "fast-check";
import { expect, test } from "vitest";
import { Quantiles } from "./quantiles.ts";

const of = (values: readonly number[]): Quantiles => {
  const quantiles = new Quantiles();
  for (const value of values) quantiles.add(value);
  return quantiles;
};

/** The nearest rank, by sorting. */
const sorted = (values: readonly number[], share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];

test("of small numbers the percentiles are those of sorting; of large ones never too low, and less than 0.8 % too high", () => {
  const share = fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1 }), share, (values, at) => {
      expect(of(values).at(at)).toBe(sorted(values, at));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat(), { minLength: 1 }), share, (values, at) => {
      const [found, exact] = [of(values).at(at) ?? -1, sorted(values, at) ?? -1];
      expect(found).toBeGreaterThanOrEqual(exact);
      expect(found - exact).toBeLessThanOrEqual(exact * 0.008);
    }),
  );
});

test("of nothing there is none; the largest is exact", () => {
  expect([of([]).at(0.5), of([]).max, of([]).count]).toEqual([undefined, undefined, 0]);
  expect(of([1_000_003, 5]).max).toBe(1_000_003);
  expect(of([1_000_003, 5]).at(1)).toBe(1_000_003);
});
