import { expect, test } from "vitest";
import { chanceOf } from "./chance.ts";

const seeds = Array.from({ length: 4_000 }, (_, i) => i + 1);

test("the same seed makes the same choices, and seeds that are near each other different ones", () => {
  const draws = (seed: number) => Array.from({ length: 5 }, chanceOf(seed).next);
  expect(draws(7)).toEqual(draws(7));
  for (let draw = 0; draw < 3; draw += 1) {
    const all = seeds.map((seed) => draws(seed)[draw] as number);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02); // four standard errors
    expect(all.filter((one) => one < 0.1).length / all.length).toBeCloseTo(0.1, 1);
  }
});

test("weights are heeded, and what has none is never picked", () => {
  const picked = seeds.map((seed) =>
    chanceOf(seed).weighted([
      ["a", 3],
      ["b", 1],
      ["c", 0],
    ]),
  );
  expect(picked.filter((one) => one === "a").length / picked.length).toBeCloseTo(0.75, 1);
  expect(picked).not.toContain("c");
  expect(() => chanceOf(1).weighted([["a", 0]])).toThrow(RangeError);
  expect(() => chanceOf(1).pick([])).toThrow(RangeError);
});

test("a shuffle has all of them, each anywhere", () => {
  const firsts = seeds.map((seed) => chanceOf(seed).shuffled([1, 2, 3, 4]));
  for (const one of firsts) expect(one.toSorted()).toEqual([1, 2, 3, 4]);
  for (const n of [1, 2, 3, 4])
    expect(firsts.filter(([first]) => first === n).length / firsts.length).toBeCloseTo(0.25, 1);
});
