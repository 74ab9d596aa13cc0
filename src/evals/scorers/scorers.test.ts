import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Json } from "../../core/json.ts";
import { cost, latency } from "./bounds.ts";
import { type Answered, type Scorer, type ScoringContext, scored, scorer } from "./scorer.ts";
import { editSimilarity, tokenSimilarity } from "./similarity.ts";
import { contains, exact, matches } from "./texts.ts";
import { fits, json, numeric } from "./values.ts";

/** No scorer here asks a model. */
const ctx = { signal: new AbortController().signal } as ScoringContext;

function answered(output: Json, expected?: Json, more: Partial<Answered> = {}): Answered {
  const input = "in";
  return { input, output, expected, case: { id: "c1", input }, costUsd: 0.02, durationMs: 1_500, ...more };
}

const look = (by: Scorer, output: Json, expected?: Json, more?: Partial<Answered>) =>
  scored(by, answered(output, expected, more), ctx);
const score = async (...args: Parameters<typeof look>) => (await look(...args)).score;

describe("texts", () => {
  test("exact: the same text but for space at its ends, or the same JSON in any order", async () => {
    expect(await score(exact(), " Paris\n", "Paris")).toBe(1);
    expect(await score(exact(), "paris", "Paris")).toBe(0);
    expect(await score(exact({ ignoreCase: true }), "paris", "Paris")).toBe(1);
    expect(await score(exact({ ignoreSpace: false }), " Paris", "Paris")).toBe(0);
    expect(await score(exact(), { a: 1, b: [2] }, { b: [2], a: 1 })).toBe(1);
    expect(await score(exact(), "1", 1)).toBe(0);
    expect((await look(exact(), "Rome", "Paris")).feedback).toBe('expected "Paris", got "Rome"');
  });

  test("contains: all of the texts, or a part of them", async () => {
    expect(await score(contains(), "It is Paris.", "Paris")).toBe(1);
    expect(await look(contains({ ignoreCase: true }), "a refund", ["REFUND", "14 days"])).toEqual({
      score: 0.5,
      feedback: 'missing: "14 days"',
    });
    expect(await score(contains({ texts: ["x"] }), "x")).toBe(1);
  });

  test("matches: an expression, also one with a memory", async () => {
    const dates = matches(/\d{4}-\d\d/g);
    expect([await score(dates, "2026-11"), await score(dates, "2026-11"), await score(dates, "Nov")]).toEqual(
      [1, 1, 0],
    );
    expect(await score(matches(), "abc", "^a.c$")).toBe(1);
    expect((await look(matches(), "abc", "(")).failed).toBe(true);
  });
});

describe("values", () => {
  test("numeric: the last number of a text, within a tolerance", async () => {
    expect(await score(numeric(), "3 + 4 makes $1,200.50", 1_200.5)).toBe(1);
    expect(await score(numeric(), "−7", -7)).toBe(1);
    expect(await score(numeric({ relative: 0.01 }), 100.9, 100)).toBe(1);
    expect(await score(numeric({ absolute: 0.5 }), 100.9, 100)).toBe(0);
    expect(await look(numeric(), "none", 4)).toEqual({ score: 0, feedback: 'there is no number in "none"' });
    expect((await look(numeric(), 1, "four")).failed).toBe(true);
  });

  test("json: field by field, and says which are wrong", async () => {
    const expected = { total: 10, who: { name: "Ada", tags: ["x"] } };
    expect(await look(json(), '{"total": 10, "who": {"name": "Bob", "tags": ["x"]}}', expected)).toEqual({
      score: 2 / 3,
      feedback: 'who.name: expected "Ada", got "Bob"',
      parts: { total: 1, "who.name": 0, "who.tags.0": 1 },
    });
    expect(
      await score(json({ fields: ["who.tags", "total"] }), { total: 10, who: { tags: ["x"] } }, expected),
    ).toBe(1);
    expect(await score(json({ tolerance: { absolute: 1 } }), { a: 1.5 }, { a: 1 })).toBe(1);
    expect(await look(json({ strict: true }), { a: 1, b: 2 }, { a: 1 })).toMatchObject({
      score: 0.5,
      feedback: "b: nobody expected it",
    });
    expect(await look(json(), "not json", expected)).toMatchObject({ score: 0 });
  });

  test("fits: a value, or a text that is JSON", async () => {
    const schema = z.object({ total: z.number() });
    expect(await score(fits(schema), { total: 1 })).toBe(1);
    expect(await score(fits(schema), '{"total": 1}')).toBe(1);
    expect(await look(fits(schema), { total: "1" })).toMatchObject({
      score: 0,
      feedback: expect.stringContaining("total"),
    });
  });
});

describe("likeness", () => {
  test("of letters: 1 less the edit distance as a part of the longer text", async () => {
    expect(await score(editSimilarity(), "sitting", "kitten")).toBeCloseTo(1 - 3 / 7, 12);
    expect(await score(editSimilarity(), "", "")).toBe(1);
    expect((await look(editSimilarity(), "x".repeat(60_000), "y")).failed).toBe(true);
  });

  test("of words: F1, in any writing", async () => {
    const { score, parts } = await look(tokenSimilarity(), "The cat sat.", "the cat sat down there");
    expect(score).toBeCloseTo(6 / 8, 12);
    expect(parts).toEqual({ precision: 1, recall: 3 / 5 });
    expect((await look(tokenSimilarity(), "東京は首都です", "東京は首都です")).score).toBe(1);
    expect((await look(tokenSimilarity(), "", "a")).score).toBe(0);
  });
});

describe("bounds", () => {
  test("cost and latency", async () => {
    expect([await score(cost("$0.02"), 1), await score(cost("$0.019"), 1)]).toEqual([1, 0]);
    expect([await score(latency("2s"), 1), await score(latency("1s"), 1)]).toEqual([1, 0]);
    expect((await look(latency("1s"), 1, undefined, { durationMs: undefined })).failed).toBe(true);
  });
});

describe("a scorer that fails is a score of 0 that says so", () => {
  test("when it throws", async () => {
    const broken = scorer("broken", () => {
      throw new Error("no dictionary");
    });
    expect(await look(broken, 1)).toEqual({
      score: 0,
      feedback: "the scorer broken failed: no dictionary",
      failed: true,
    });
  });

  test.each([Number.NaN, -0.1, 1.1, "1"])("when it gives %s", async (value) => {
    const broken = scorer("broken", () => ({ score: value as number, feedback: "" }));
    const { score, failed } = await look(broken, 1);
    expect({ score, failed }).toEqual({ score: 0, failed: true });
  });

  test("when the case says nothing of what is expected", async () => {
    expect(await look(exact(), 1)).toMatchObject({
      score: 0,
      failed: true,
      feedback: expect.stringContaining("c1 says nothing"),
    });
  });

  test("but what stops the run is thrown", async () => {
    const stop = new AbortController();
    stop.abort();
    const broken = scorer("broken", () => {
      throw new Error("stopped");
    });
    await expect(scored(broken, answered(1), { signal: stop.signal } as ScoringContext)).rejects.toThrow(
      "stopped",
    );
  });
});
