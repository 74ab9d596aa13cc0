import { expect, test } from "vitest";
import { chance } from "./chance.ts";

test("the same seed makes the same choices, another one others", () => {
  const draw = (seed: number): number[] => {
    const made = chance(seed);
    return Array.from({ length: 20 }, () => made.whole(1, 1_000));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("choices are spread evenly, seeds next to one another included", () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 10_000; seed++)
    counts[chance(seed).whole(0, 9)] = (counts[chance(seed).whole(0, 9)] ?? 0) + 1;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
});

test("a fork moves nothing in what it was forked from", () => {
  const [a, b] = [chance(3), chance(3)];
  const fork = a.fork();
  b.fork();
  for (let i = 0; i < 5; i++) fork.next();
  expect(a.next()).toBe(b.next());
});

test("there is nothing to pick from an empty list", () => {
  expect(() => chance(1).pick([])).toThrow(RangeError);
});
