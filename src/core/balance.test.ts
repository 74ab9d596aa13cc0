import { describe, expect, it } from "vitest";
import { type Balance, fixedPrice, reached, weigh } from "./balance.ts";
import { type Limits, nothingSpent, type Spent } from "./limits.ts";

const balance = (limits: Limits, posted: Partial<Spent> = {}, pending: Partial<Spent> = {}): Balance => ({
  limits,
  posted: { ...nothingSpent, ...posted },
  pending: { ...nothingSpent, ...pending },
  open: Object.keys(pending).length > 0 ? 1 : 0,
});

describe("a fixed price", () => {
  it("counts as what it is for", () => {
    const worst = (kind: "tool-call" | "spend") => weigh([], fixedPrice(kind, "it", 5n), 0);
    expect(worst("tool-call")).toMatchObject({ worst: { picoUsd: 5n, toolCalls: 1, calls: 0 } });
    expect(worst("spend")).toMatchObject({ worst: { picoUsd: 5n, toolCalls: 0, calls: 0 } });
  });

  it("is no model without a price, and needs no tokens or model calls that are used up", () => {
    const used = balance({ picoUsd: "10", tokens: 5, calls: 1 }, { inputTokens: 9, calls: 2 });
    expect(weigh([used], fixedPrice("spend", "it", 10n), 0)).toMatchObject({ verdict: "granted" });
    expect(weigh([used], fixedPrice("spend", "it", 11n), 0)).toMatchObject({ verdict: "refused", at: 0 });
  });

  it("waits for what another may leave", () => {
    const busy = balance({ picoUsd: "10" }, {}, { picoUsd: 6n });
    expect(weigh([busy], fixedPrice("spend", "it", 5n), 0)).toEqual({ verdict: "wait" });
    expect(weigh([busy], fixedPrice("spend", "it", 4n), 0)).toMatchObject({ verdict: "granted" });
  });

  it("that was paid already is granted, whatever the limits say", () => {
    const quote = { ...fixedPrice("spend", "it", 99n), reported: true as const };
    expect(weigh([balance({ picoUsd: "10" }, { picoUsd: 10n })], quote, 0)).toMatchObject({
      verdict: "granted",
      worst: { picoUsd: 99n },
    });
  });
});

describe("the parts of a limit that are reached", () => {
  const spent: Spent = { picoUsd: 50n, inputTokens: 3, outputTokens: 4, calls: 8, toolCalls: 1 };

  it("are those of the limit that is reached first in the list of them, and only of what is limited", () => {
    expect(reached({ picoUsd: "100", calls: 10 }, spent, [50, 80, 90])).toEqual([
      { percent: 50, of: "cost" },
      { percent: 80, of: "calls" },
    ]);
    expect(reached({ tokens: 7 }, spent, [100])).toEqual([{ percent: 100, of: "tokens" }]);
    expect(reached({ toolCalls: 3 }, spent, [33.33, 33.34])).toEqual([{ percent: 33.33, of: "toolCalls" }]);
    expect(reached({}, spent, [1])).toEqual([]);
  });

  it("are none while nothing is spent, also of a limit of nothing", () => {
    expect(reached({ calls: 0, picoUsd: "0" }, nothingSpent, [50])).toEqual([]);
  });
});
