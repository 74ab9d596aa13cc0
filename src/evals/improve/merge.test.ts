import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import type { Component } from "./components.ts";
import type { Contender } from "./contender.ts";
import { couplesOf, merged } from "./merge.ts";

const contender = (id: string, parents: readonly string[], score: number, values: JsonObject): Contender => ({
  candidate: { id, patch: [], parents, by: "reflection", note: "" },
  values,
  scores: new Map([["case", score]]),
});
const component = (place: string, field: string): Component => ({
  place,
  field,
  improvable: { type: "text", mayChange: true },
});
const components = [component("/p/a", "system"), component("/p/b", "system")];
const of = (a: string, b: string): JsonObject => ({ "/p/a": { system: a }, "/p/b": { system: b } });

describe("two candidates that learned apart from each other", () => {
  const base = contender("base", [], 0.1, of("A.", "B."));
  const one = contender("one", ["base"], 0.5, of("A. Shout.", "B."));
  const other = contender("other", ["base"], 0.6, of("A. Name it.", "B. Be brief."));
  const child = contender("child", ["one"], 0.7, of("A. Shout. Now.", "B."));

  test("are a couple when neither comes from the other, the better one first", () => {
    const couples = couplesOf([one, other, child], [base, one, other, child]);
    expect(
      couples.map(({ one, other, ancestor }) => [one, other, ancestor].map(({ candidate }) => candidate.id)),
    ).toEqual([
      ["child", "other", "base"],
      ["other", "one", "base"],
    ]);
  });

  test("are one by what each has changed, and sentence by sentence where both have", () => {
    expect(merged({ one: other, other: one, ancestor: base }, components)).toEqual({
      values: of("A. Name it.\nShout.", "B. Be brief."),
      clashes: [],
    });
  });

  test("leave what clashes as the better one has it, and say so", () => {
    const mine = contender("mine", ["base"], 0.6, of("Quick.", "B."));
    const yours = contender("yours", ["base"], 0.5, of("Slow.", "C."));
    expect(merged({ one: mine, other: yours, ancestor: base }, components)).toEqual({
      values: of("Quick.", "C."),
      clashes: [components[0]],
    });
  });
});
