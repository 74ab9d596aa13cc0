import { expect, test } from "vitest";
import { bestOf, type Contender } from "./contender.ts";
import { frontOf } from "./front.ts";

const contender = (id: string, ...scores: readonly (number | undefined)[]): Contender => ({
  candidate: { id, patch: [], parents: [], by: "reflection", note: "" },
  values: {},
  scores: new Map(scores.flatMap((score, i) => (score === undefined ? [] : [[`${i}`, score] as const]))),
});
const cases = ["0", "1", "2"];
const weights = (contenders: readonly Contender[]) =>
  Object.fromEntries(
    [...frontOf(contenders, cases)].map(([{ candidate }, weight]) => [candidate.id, weight]),
  );

test("on the front is who is the best at something, as often as nobody is better", () => {
  expect(weights([contender("a", 1, 0, 0.5), contender("b", 0, 1, 0.5), contender("c", 0, 0, 0.4)])).toEqual({
    a: 2,
    b: 2,
  });
});

test("whoever is matched at all he is best at is left out, the worst on average first", () => {
  expect(weights([contender("a", 1, 0, 0), contender("b", 1, 1, 0), contender("c", 0, 1, 1)])).toEqual({
    b: 2,
    c: 2,
  });
  expect(weights([contender("first", 1, 1, 1), contender("second", 1, 1, 1)])).toEqual({ first: 3 });
});

test("a case that somebody was not tried on is none of his, and none that is not asked for counts", () => {
  expect(weights([contender("a", 0.2, 0.2, 0.2), contender("b", undefined, 0.9)])).toEqual({ a: 2, b: 1 });
  const all = [contender("a", 1, 0), contender("b", 0, 1)];
  expect([...frontOf(all, ["1"]).keys()]).toEqual([all[1]]);
});

test("the best is the best of those tried on every case, the first of equal ones", () => {
  const all = [
    contender("a", 0.5, 0.5, 0.5),
    contender("b", 1, 1),
    contender("c", 0.6, 0.6, 0.6),
    contender("d", 0.6, 0.6, 0.6),
  ];
  expect(bestOf(all, 3)?.candidate.id).toBe("c");
  expect(bestOf(all, 4)).toBeUndefined();
});
