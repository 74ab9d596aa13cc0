import { expect, test } from "vitest";
import type { DispatchTerms } from "./dispatch.ts";
import { LastTurns, nextInTurn, passedOver } from "./turns.ts";

const waiting = (...all: readonly (readonly [string, DispatchTerms?])[]) =>
  all.map(([item, terms = {}]) => ({ item, terms }));
const idle = { byTenant: new Map<string, number>() };

test("those of nobody in particular come as they have waited", () => {
  expect(nextInTurn(waiting(["a"], ["b"], ["c"]), 2, idle)).toEqual(["a", "b"]);
});

test("a higher priority goes first, whoever waits longer", () => {
  const all = waiting(["a"], ["b", { priority: 5 }], ["c", { priority: 9 }], ["d", { priority: 5 }]);
  expect(nextInTurn(all, 4, idle)).toEqual(["c", "b", "d", "a"]);
});

test("a tenant with very many runs does not keep the others waiting", () => {
  const many = Array.from({ length: 1_000 }, (_, i) => [`big-${i}`, { tenant: "big" }] as const);
  const all = waiting(...many, ["small-0", { tenant: "small" }], ["small-1", { tenant: "small" }], ["own"]);
  expect(nextInTurn(all, 5, idle)).toEqual(["big-0", "small-0", "own", "big-1", "small-1"]);
});

test("what a tenant has under way counts in its turn", () => {
  const all = waiting(["a", { tenant: "busy" }], ["b", { tenant: "calm" }], ["c", { tenant: "calm" }]);
  const busy = { ...idle, byTenant: new Map([["busy", 2]]) };
  expect(nextInTurn(all, 3, busy)).toEqual(["b", "c", "a"]);
});

test("what does not fit beside what is under way leaves its room to others", () => {
  const all = waiting(
    ["a", { tenant: "x" }],
    ["b", { tenant: "x" }],
    ["c", { tenant: "y" }],
    ["d", { tenant: "y" }],
    ["e"],
  );
  let left = 1;
  const fits = ({ terms }: { readonly terms: DispatchTerms }): boolean => terms.tenant !== "x" || left-- > 0;
  expect(nextInTurn(all, 9, { byTenant: new Map([["y", 1]]), fits })).toEqual(["a", "e", "c", "d"]);
});

test("of those that have as much under way, whoever had no turn for longest comes first", () => {
  const all = waiting(
    ...["a", "b", "c"].flatMap((tenant) => [1, 2].map((i) => [`${tenant}-${i}`, { tenant }] as const)),
  );
  const lastTurns = new Map([
    ["a", 7],
    ["b", 3],
  ]);
  expect(nextInTurn(all, 4, { ...idle, lastTurns })).toEqual(["c-1", "b-1", "a-1", "c-2"]);
});

test("passed over are those whose tenants have less under way than others and than their part, of the highest priority", () => {
  const many = (tenant: string, priority = 0) =>
    [1, 2, 3].map((i) => [`${tenant}-${i}`, { tenant, priority }] as const);
  const busy = (...counts: readonly (readonly [string, number])[]) => ({ byTenant: new Map(counts) });
  expect(passedOver(waiting(...many("a"), ...many("b")), 4, busy(["a", 4]))).toEqual(["b-1", "b-2"]);
  expect(passedOver(waiting(...many("a"), ...many("b")), 4, busy(["a", 2], ["b", 2]))).toEqual([]);
  expect(passedOver(waiting(...many("a")), 4, busy(["a", 1]))).toEqual([]);
  expect(passedOver(waiting(...many("b"), ["own"]), 4, busy(["a", 4]))).toEqual(["b-1", "own", "b-2"]);
  expect(passedOver(waiting(...many("b"), ...many("a", 9)), 4, busy(["a", 4]))).toEqual([]);
  expect(passedOver([], 4, busy(["a", 4]))).toEqual([]);
});

test("last turns are remembered of those tenants that had theirs last", () => {
  const turns = new LastTurns();
  for (let i = 0; i < 1_000; i++) turns.take(`t${i}`);
  turns.take("t0");
  turns.take("new");
  const { byTenant } = turns;
  expect([byTenant.size, byTenant.has("t0"), byTenant.has("t1"), byTenant.get("new")]).toEqual([
    1_000,
    true,
    false,
    1_002,
  ]);
});
