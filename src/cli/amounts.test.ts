import { expect, test } from "vitest";
import { amountsOf, budgetOf, limitChanges } from "./amounts.ts";

test("flags make a budget; without any, nothing is said", () => {
  expect(budgetOf({})).toBeUndefined();
  expect(budgetOf({}, { tokens: 5 })).toBeUndefined();
  expect(budgetOf({ budget: "$0.50", maxTokens: "2M" })).toEqual({ cost: "$0.50", tokens: 2_000_000 });
});

test("they go over the limits that stand, one by one", () => {
  const standing = { picoUsd: "150000000000", tokens: 500, calls: 3, timeMs: 60_000 };
  expect(budgetOf({ budget: "$1" }, standing)).toEqual({
    cost: "$1",
    tokens: 500,
    calls: 3,
    time: "60000ms",
  });
  expect(budgetOf({ maxTokens: "1k" }, standing)).toEqual({
    cost: "$0.15",
    tokens: 1_000,
    calls: 3,
    time: "60000ms",
  });
});

test.each([
  ["1000", 1_000],
  ["500k", 500_000],
  ["1.5M", 1_500_000],
  ["2m", 2_000_000],
])("%s tokens are %d", (maxTokens, tokens) => {
  expect(budgetOf({ maxTokens })).toEqual({ tokens });
});

test.each(["", "-1", "1.5", "1e3", "k", "9999999999999999M"])('"%s" is no number of tokens', (maxTokens) => {
  expect(() => budgetOf({ maxTokens })).toThrow(/is not a number of tokens/);
});

test.each(["", "0.50", "$", "bash.50", "$1e3"])('"%s" is no amount of money', (budget) => {
  expect(() => budgetOf({ budget })).toThrow(/is not an amount of money/);
});

test("limits to set, and limits to take away", () => {
  expect(limitChanges({ cost: "$20", calls: "1k", toolCalls: "none", tokens: "2M" })).toEqual({
    picoUsd: "20000000000000",
    calls: 1_000,
    toolCalls: null,
    tokens: 2_000_000,
  });
  expect(limitChanges({ cost: "none" })).toEqual({ picoUsd: null });
  expect(limitChanges({})).toEqual({});
  expect(() => limitChanges({ cost: "20" })).toThrow(/--cost 20 is not an amount of money/);
});

test("amounts to top up by", () => {
  expect(amountsOf({ cost: "$5", toolCalls: "3" })).toEqual({ cost: "$5", toolCalls: 3 });
  expect(() => amountsOf({ calls: "few" })).toThrow(/--calls few is not a number of calls/);
});
