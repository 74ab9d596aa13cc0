import { expect, test } from "vitest";
import type { DispatchTerms } from "./dispatch.ts";
import { nextInTurn } from "./turns.ts";

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
