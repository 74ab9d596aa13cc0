import { expect, test } from "vitest";
import type { Case } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { Laboratory } from "./laboratory.ts";
import { Rollouts } from "./rollouts.ts";

const cases: readonly Case[] = ["a", "b", "c", "d"].map((id) => ({ id, input: id }));
const candidate = (id: string) => ({ id }) as Candidate; // nothing else of it is looked at
const laboratory: Laboratory = {
  try: async (_, cases) =>
    cases.map(({ id }) => ({ caseId: id, score: 1, feedback: "", traces: {}, picoUsd: "0" })),
  reflect: async () => [],
};

test("what was tried is not counted again, and is allowed when nothing else is", async () => {
  const rollouts = new Rollouts(laboratory, 3);
  await rollouts.try(candidate("x"), cases.slice(0, 2));
  await rollouts.try(candidate("x"), cases.slice(0, 2));
  expect([rollouts.used, rollouts.left]).toEqual([2, 1]);
  expect(rollouts.allows(candidate("x"), cases.slice(0, 3))).toBe(true);
  expect(rollouts.allows(candidate("x"), cases)).toBe(false);
  expect(rollouts.allows(candidate("y"), cases.slice(0, 1))).toBe(true);
  expect(rollouts.allows(candidate("y"), cases.slice(0, 1), 1)).toBe(false);
  await rollouts.try(candidate("y"), cases.slice(0, 1));
  expect(rollouts.allows(candidate("x"), cases.slice(0, 2))).toBe(true);
  expect(rollouts.allows(candidate("x"), cases.slice(2))).toBe(false);
});

test("what is under way counts from its beginning on, so that two side by side keep the limit together", async () => {
  const rollouts = new Rollouts(laboratory, 3);
  const first = rollouts.try(candidate("x"), cases.slice(0, 2));
  expect(rollouts.allows(candidate("y"), cases.slice(0, 2))).toBe(false);
  await first;
  expect(rollouts.known(candidate("x"), cases).map(({ caseId }) => caseId)).toEqual(["a", "b"]);
  expect(rollouts.known(candidate("y"), cases)).toEqual([]);
});
