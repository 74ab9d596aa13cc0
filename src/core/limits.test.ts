import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalUsd, limitsOf, picoUsd, raised, tightest } from "./limits.ts";

describe("money", () => {
  it("is exact to the pico-dollar, both ways", () => {
    expect(picoUsd("$0.15")).toBe(150_000_000_000n);
    expect(picoUsd("$20")).toBe(20_000_000_000_000n);
    expect(picoUsd("$0.000000000001")).toBe(1n);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 23n }), (amount) => {
        expect(picoUsd(`$${decimalUsd(amount)}`)).toBe(amount);
      }),
    );
  });

  it.each(["0.15", "$", "$-1", "$1e3", "$0.0000000000001", "€1", "$1,000", " $1", "$NaN"])(
    "refuses %j",
    (text) => {
      expect(() => picoUsd(text)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    },
  );
});

describe("limits", () => {
  it("come from an amount or a budget", () => {
    expect(limitsOf("$1")).toEqual({ picoUsd: "1000000000000" });
    expect(limitsOf({ tokens: 5, calls: 2, time: "1m" })).toEqual({ tokens: 5, calls: 2, timeMs: 60_000 });
  });

  it("refuse fractions and negatives", () => {
    expect(() => limitsOf({ tokens: 1.5 })).toThrow(/budget\.tokens/);
    expect(() => limitsOf({ calls: -1 })).toThrow(/budget\.calls/);
  });

  it("are taken together as the tightest of each kind", () => {
    expect(tightest({ picoUsd: "10", tokens: 5 }, { picoUsd: "9", calls: 2 })).toEqual({
      picoUsd: "9",
      tokens: 5,
      calls: 2,
    });
    expect(tightest({}, { timeMs: 1 })).toEqual({ timeMs: 1 });
  });
});

describe("limits that are raised", () => {
  it("grow by so much each; the others stay", () => {
    const standing = { picoUsd: (2n ** 60n).toString(), tokens: 5, toolCalls: 1, timeMs: 60_000 };
    expect(raised(standing, { picoUsd: "1", tokens: 5, timeMs: 1_000 })).toEqual({
      picoUsd: (2n ** 60n + 1n).toString(),
      tokens: 10,
      toolCalls: 1,
      timeMs: 61_000,
    });
  });

  it("must be there", () => {
    for (const by of [{ picoUsd: "1" }, { tokens: 1 }, { calls: 1 }, { toolCalls: 1 }, { timeMs: 1 }]) {
      expect(raised({}, by)).toBeUndefined();
    }
    expect(raised({ calls: 1 }, {})).toEqual({ calls: 1 });
  });
});
