import { describe, expect, test } from "vitest";
import type { Json } from "../../core/json.ts";
import { chanceOf } from "./chance.ts";
import type { Improvable } from "./document.ts";
import { shorter, suggested } from "./rules.ts";

const occasion = {
  cases: [1, 2, 3].map((n) => ({ id: `c${n}`, input: `q${n}`, expected: `a${n}` })),
  outcomes: [{ caseId: "c2", score: 0, feedback: "End with a full stop.", traces: {}, picoUsd: "0" }],
};

/** All that the rules ever suggest. */
function suggestions(improvable: Improvable, value: Json | undefined, rounds = 200): Json[] {
  const found = new Map<string, Json>();
  for (let seed = 1; seed <= rounds; seed += 1) {
    const one = suggested({ place: "/p/a", field: "f", improvable }, value, occasion, chanceOf(seed));
    if (one !== undefined) found.set(JSON.stringify(one.value), one.value);
  }
  return [...found.values()];
}

describe("rules", () => {
  test("keep numbers within their bounds, and whole where they are", () => {
    const numbers = suggestions({ type: "number", mayChange: true, min: 0, max: 1 }, 0.9) as number[];
    expect(numbers.length).toBeGreaterThan(20);
    for (const n of numbers) expect(n >= 0 && n <= 1 && n !== 0.9).toBe(true);
    const turns = suggestions({ type: "integer", mayChange: true, min: 1, max: 4 }, 2) as number[];
    expect(turns.toSorted()).toEqual([1, 3, 4]);
    expect(suggestions({ type: "number", mayChange: true }, undefined)).toEqual([]);
    for (const n of suggestions({ type: "number", mayChange: true, min: 0 }, 1) as number[])
      expect(n >= 0 && n !== 1).toBe(true);
  });

  test("choose among the other values there are", () => {
    expect(suggestions({ type: "model", mayChange: true, choices: ["a", "b", "c"] }, "b").toSorted()).toEqual(
      ["a", "c"],
    );
    expect(suggestions({ type: "choice", mayChange: true, choices: [1] }, 1)).toEqual([]);
  });

  test("show examples from cases, those that went wrong first, as many as there may be", () => {
    const improvable = { type: "examples", mayChange: true, max: 2 } as const;
    for (const examples of suggestions(improvable, undefined) as { input: string; output: string }[][]) {
      expect(examples[0]).toEqual({ input: "q2", output: "a2" });
      expect(examples).toHaveLength(2);
    }
    const all = occasion.cases.map(({ input, expected }) => ({ input, output: expected }));
    for (const examples of suggestions(improvable, all.slice(0, 2)) as Json[][])
      expect(examples.length).toBeLessThanOrEqual(2);
  });

  test("say in a text what the feedback says, or leave a sentence out; places of a template stay", () => {
    const texts = suggestions({ type: "text", mayChange: true }, "Be kind. Answer {{input}}.");
    expect(texts).toContain("Be kind. Answer {{input}}.\n- End with a full stop.");
    expect(texts).toContain("Answer {{input}}.");
    for (let seed = 1; seed < 50; seed += 1)
      expect(String(shorter("Be kind. Answer {{input}}.", chanceOf(seed)).value)).toContain("{{input}}");
  });
});
