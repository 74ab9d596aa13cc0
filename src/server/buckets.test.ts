import { expect, test } from "vitest";
import { nodeWorld } from "../node-world.ts";
import { Buckets } from "./buckets.ts";

function bucketsAt(rate: ConstructorParameters<typeof Buckets>[0]) {
  const clock = { now: 0 };
  return { clock, buckets: new Buckets(rate, { ...nodeWorld(), now: () => clock.now }) };
}

test("a caller has a burst, then what the rate gives, and is told how long to wait", () => {
  const { clock, buckets } = bucketsAt({ perSecond: 2, burst: 3 });
  const take = (count: number) => Array.from({ length: count }, () => buckets.take("a"));
  expect(take(4)).toEqual([0, 0, 0, 500]);
  clock.now = 499;
  expect(take(1)).toEqual([1]);
  clock.now = 500;
  expect(take(2)).toEqual([0, 500]);
  clock.now = 1_000_000;
  expect(take(4)).toEqual([0, 0, 0, 500]);
});

test("callers are apart; a clock that goes back takes nothing away", () => {
  const { clock, buckets } = bucketsAt({ perSecond: 1, burst: 1 });
  clock.now = 10_000;
  expect([buckets.take("a"), buckets.take("a"), buckets.take("b")]).toEqual([0, 1_000, 0]);
  clock.now = 5_000;
  expect(buckets.take("a")).toBe(1_000);
});
