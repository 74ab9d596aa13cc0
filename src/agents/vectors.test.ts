import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode } from "../core/codec.ts";
import { packed, unpacked } from "./vectors.ts";

const through = (vectors: number[][]): number[][] => unpacked(packed(vectors));
/** Characters of the stored form, a number. */
const width = (vectors: number[][]): number =>
  JSON.stringify(encode(packed(vectors), "vectors").json).length / vectors.flat().length;

const floats = Array.from({ length: 512 }, (_, i) => Math.fround(Math.sin(i) / 20));
/** As short as each can be told from its neighbours. */
const short = floats.map(
  (one) =>
    [6, 7, 8, 9].map((digits) => Number(one.toPrecision(digits))).find((it) => Math.fround(it) === one) ??
    one,
);

describe("packed vectors", () => {
  test("are the same numbers, whatever they are", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -999_999, max: 999_999 }).map((digits) => digits / 1e6),
      fc.constantFrom(0, -0, 5e-324, 1.7976931348623157e308, 2 ** 31, -(2 ** 31), 1e-22, 1e-23, 1e21),
    );
    const vectors = fc
      .nat({ max: 5 })
      .chain((size) => fc.array(fc.array(number, { minLength: size, maxLength: size }), { minLength: 1 }));
    fc.assert(
      fc.property(vectors, (some) => {
        const again = some[0]?.length === 0 ? some : through(some);
        expect(again.every((vector, i) => vector.every((one, j) => Object.is(one, some[i]?.[j])))).toBe(true);
        expect(again.map(({ length }) => length)).toEqual(some.map(({ length }) => length));
      }),
    );
  });

  test("take about five characters a number of 32 bits, and seven one of few digits", () => {
    expect(JSON.stringify(floats).length / floats.length).toBeGreaterThan(20);
    expect(width([floats])).toBeLessThan(5.6);
    expect(JSON.stringify(short).length / short.length).toBeGreaterThan(11);
    expect(width([short])).toBeLessThan(7);
    expect(through([floats, short])).toEqual([floats, short]);
  });
});
