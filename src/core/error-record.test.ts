import { describe, expect, it } from "vitest";
import { placed, recordError, reviveError } from "./error-record.ts";
import {
  BudgetExceededError,
  FlujoError,
  InvalidPipelineError,
  ModelCallError,
  TimeoutError,
} from "./errors.ts";

describe("what a body threw", () => {
  const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
  it.each<[string, unknown, string]>([
    ["an error", new RangeError("too large"), "RangeError: too large"],
    [
      "one with a cause",
      new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND no.such.host") }),
      "TypeError: fetch failed (getaddrinfo ENOTFOUND no.such.host)",
    ],
    [
      "one whose cause has only a code",
      new TypeError("fetch failed", { cause: refused }),
      "TypeError: fetch failed (ECONNREFUSED)",
    ],
    ["one whose cause is no error", new Error("no", { cause: { secret: 1 } }), "Error: no"],
    ["a text", "just this", "just this"],
    ["nothing", undefined, "undefined"],
  ])("is told in a line: %s", (_, thrown, line) => {
    expect(placed(thrown, "/p/a")).toMatchObject({
      code: "step-failed",
      path: "/p/a",
      message: `/p/a failed: ${line}`,
    });
    expect(recordError(thrown, "/p/a:get#0")).toMatchObject({ path: "/p/a:get#0", message: line });
  });

  it("keeps its own code, and its place, when it is Flujo's", () => {
    const error = new FlujoError("timeout", "too slow", { path: "/p/a/b" });
    expect(placed(error, "/p/a")).toBe(error);
    expect(recordError(error, "/p/a")).toMatchObject({ code: "timeout", path: "/p/a/b" });
  });

  it("has no lone surrogate in its record", () => {
    expect(recordError(new Error("a\ud800b")).message).toBe("Error: a\ufffdb");
  });
});

describe("a refusal by a budget, read from a journal", () => {
  const figures = { limit: "cost", allowed: 5n, used: 4n, needed: 10n ** 20n } as const;
  it.each([
    ["with its figures", { onLimit: "fail", exceeded: { of: "place", scope: "/p/a", ...figures } }],
    ["without any", { onLimit: "halt", exceeded: undefined }],
  ] as const)("is what it was: %s", (_, facts) => {
    const error = new BudgetExceededError("too dear", { ...facts, path: "/p/a", hint: "Raise it." });
    const revived = reviveError(JSON.parse(JSON.stringify(recordError(error))), "r");
    expect(revived).toBeInstanceOf(BudgetExceededError);
    expect(revived).toMatchObject({ ...facts, path: "/p/a", hint: "Raise it.", runId: "r" });
  });

  it("may have been written before there were figures", () => {
    const record = { code: "budget-exceeded", message: "too dear", retryable: false };
    expect(reviveError(record)).toMatchObject({ exceeded: undefined, retryable: false });
  });
});

describe("an error read from a journal", () => {
  const again = (error: FlujoError): FlujoError =>
    reviveError(JSON.parse(JSON.stringify(recordError(error))), "r");

  it("is of its class, so that a body catches what it caught the first time", () => {
    const late = again(new TimeoutError("too slow", { path: "/p/a", retryable: true }));
    expect(late).toBeInstanceOf(TimeoutError);
    expect(late).toMatchObject({
      name: "TimeoutError",
      code: "timeout",
      path: "/p/a",
      retryable: true,
      runId: "r",
    });
  });

  it.each([{ charge: "none", retryAfterMs: 1_500 }, { charge: "in-doubt" }] as const)(
    "knows what a failed call cost, and when to call again: %j",
    (facts) => {
      const failed = again(new ModelCallError("429", facts));
      expect(failed).toBeInstanceOf(ModelCallError);
      expect(failed).toMatchObject(facts);
    },
  );

  it("is in doubt of a call whose record does not say what it cost", () => {
    const record = { code: "model-call-failed", message: "500", retryable: true };
    expect(reviveError(record)).toMatchObject({ charge: "in-doubt", retryAfterMs: undefined });
  });

  it("is a FlujoError of its code where the record has not all facts of its class", () => {
    const invalid = again(
      new InvalidPipelineError([{ code: "missing-branch", path: "/p", message: "none" }]),
    );
    expect([InvalidPipelineError.isInstance(invalid), FlujoError.isInstance(invalid)]).toEqual([false, true]);
    expect(invalid.code).toBe("invalid-pipeline");
  });
});
