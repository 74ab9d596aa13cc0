import { describe, expect, test } from "vitest";
import type { Entry } from "./entries.ts";
import { eventOf } from "./events.ts";
import { factsOf } from "./facts.ts";
import { headline } from "./wording.ts";

const base = { seq: 4, at: Date.UTC(2030, 0, 1), path: "/q3/fetch" };
const at = "2030-01-01T00:00:00.000Z";
const factsIn = (entry: object) => factsOf(eventOf({ ...base, ...entry } as Entry)); // whole entries, written short
const run = { runId: "r", pipeline: "q3" };
const lineOf = (entry: object) => headline(eventOf({ ...base, ...entry } as Entry), run);
const error = { code: "step-failed", message: "it quotes the input", retryable: true, path: "/q3/fetch" };

describe("the facts of an event", () => {
  test("are what happened, where and when, without values and messages", () => {
    expect(
      factsIn({ type: "step-completed", kind: "step", output: "secret", state: [], attempt: 2, took: 5 }),
    ).toEqual({
      ...{ type: "step-completed", seq: 4, at, path: "/q3/fetch", kind: "step", attempt: 2, took: 5 },
    });
    expect(factsIn({ type: "step-failed", kind: "step", attempt: 1, took: 5, error })).toEqual({
      ...{ type: "step-failed", seq: 4, at, path: "/q3/fetch", kind: "step", attempt: 1, took: 5 },
      ...{ errorCode: "step-failed", retryable: true },
    });
    expect(factsIn({ type: "text-streamed", of: 1, block: 0, chunks: ["secret"] })).toEqual({
      ...{ type: "text-streamed", seq: 4, at, path: "/q3/fetch" },
    });
  });

  test("have money as an exact decimal, and moments as dates", () => {
    const amount = { picoUsd: "1234567890", inputTokens: 3, outputTokens: 4 };
    expect(factsIn({ type: "budget-settled", of: 1, amount })).toMatchObject({
      costUsd: "0.00123456789",
      tokens: 7,
    });
    expect(factsIn({ type: "timer-set", due: base.at })).toMatchObject({ due: at });
  });

  test("have a question that was written for people, and where to answer it; not one that quotes a model", () => {
    expect(factsIn({ type: "signal-awaited", prompt: "Publish?" })).toMatchObject({
      ...{ prompt: "Publish?", answerAt: "/q3/fetch" },
    });
    const asked = factsIn({
      type: "signal-awaited",
      prompt: "May it call pay with secret?",
      asks: "approval",
    });
    expect(asked).toMatchObject({ asks: "approval", answerAt: "/q3/fetch?4" });
    expect(asked.prompt).toBeUndefined();
  });

  test("of a run that could not undo all of it are the places that are left, of a compensation never its state", () => {
    expect(factsIn({ type: "run-failed", error, left: ["/q3/charge"] })).toMatchObject({
      left: ["/q3/charge"],
    });
    const begun = { type: "compensation-begun", why: "failed", error, state: { secret: 1 } };
    expect(factsIn(begun)).toMatchObject({ why: "failed", errorCode: "step-failed" });
    expect(JSON.stringify(factsIn(begun))).not.toContain("secret");
  });

  test("of a kind that nobody has thought of are its name and place", () => {
    expect(factsIn({ type: "moon-risen", secret: 1 })).toEqual({
      type: "moon-risen",
      seq: 4,
      at,
      path: "/q3/fetch",
    });
  });
});

describe("a headline", () => {
  test("says what happened in which run, without values and messages", () => {
    expect(lineOf({ type: "run-failed", error })).toBe("Run r of q3 failed: step-failed at /q3/fetch");
    expect(lineOf({ type: "signal-awaited", prompt: "Publish?\nNow?" })).toBe(
      "Run r of q3 asks: Publish? Now?",
    );
    expect(lineOf({ type: "signal-awaited", prompt: "May it call pay with secret?", asks: "approval" })).toBe(
      "Run r of q3 asks for leave at /q3/fetch",
    );
    expect(lineOf({ type: "budget-threshold", scope: "day", percent: 80, of: "calls" })).toBe(
      "Run r of q3: day is at 80 % of its call limit",
    );
    const left = ["/q3/charge", "/q3/mail"];
    expect(lineOf({ type: "run-cancelled", error, left })).toBe(
      "Run r of q3 was cancelled; not undone: /q3/charge, /q3/mail",
    );
    expect(lineOf({ type: "compensation-failed", error, took: 1 })).toBe(
      "Run r of q3: /q3/fetch could not be undone: step-failed at /q3/fetch",
    );
    expect(lineOf({ type: "timer-set", due: 1 })).toBe("Run r of q3: timer-set at /q3/fetch");
    expect(lineOf({ type: "signal-awaited", prompt: "x".repeat(900) }).length).toBeLessThan(330);
  });
});
