import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { worstCase } from "../core/balance.ts";
import type { Quote } from "../core/context.ts";
import { nothingSpent } from "../core/limits.ts";
import { ask, hold, openScope, post, type Scope } from "./ledger.ts";

const quote = (inputTokens: number, wanted: number, least = wanted): Quote => ({
  model: "test:m",
  inputTokens,
  outputTokens: { wanted, least },
  rates: { input: 1n, output: 10n },
});
const scope = (picoUsd: string, path = "/p"): Scope => openScope(path, { picoUsd }, 0);

describe("ask", () => {
  it("grants what fits", () => {
    expect(ask([scope("1000")], quote(100, 50), 0)).toMatchObject({ verdict: "granted", outputTokens: 50 });
  });

  it("shrinks the output to what is left, down to the least worth calling for", () => {
    expect(ask([scope("400")], quote(100, 50, 10), 0)).toMatchObject({
      verdict: "granted",
      outputTokens: 30,
    });
    expect(ask([scope("199")], quote(100, 50, 10), 0)).toMatchObject({ verdict: "refused" });
  });

  it("waits while a pending call may leave enough", () => {
    const account = scope("1000");
    const first = worstCase(quote(100, 50), 50);
    hold([account], first);
    expect(ask([account], quote(100, 50), 0)).toEqual({ verdict: "wait" });
    post([account], first, { ...nothingSpent, picoUsd: 100n, calls: 1 });
    expect(ask([account], quote(100, 50), 0)).toMatchObject({ verdict: "granted" });
  });

  it("refuses at once what will never fit, and says why", () => {
    const account = scope("1000");
    account.posted = { ...nothingSpent, picoUsd: 900n };
    hold([account], worstCase(quote(1, 1), 1));
    const answer = ask([account], quote(100, 50), 0);
    expect(answer).toMatchObject({
      verdict: "refused",
      error: {
        code: "budget-exceeded",
        path: "/p",
        message: expect.stringContaining("$0.0000000009 of $0.000000001 is spent"),
        exceeded: { of: "run", scope: "/p", limit: "cost", allowed: 1_000n, used: 900n, needed: 600n },
      },
    });
  });

  it.each([
    [{ tokens: 149 }, { limit: "tokens", allowed: 149n, used: 0n, needed: 150n }],
    [{ calls: 0 }, { limit: "calls", allowed: 0n, used: 0n, needed: 1n }],
    [{ timeMs: 5 }, { limit: "time", allowed: 5n, used: 7n, needed: 0n }],
  ])("says whose limit refused, of what, and by how much: %j", (limits, figures) => {
    expect(ask([openScope("/p/a[1]", limits, 0)], quote(100, 50), 7)).toMatchObject({
      error: { exceeded: { of: "place", scope: "/p/a[1]", ...figures } },
    });
  });

  it("holds tokens, calls and time as well", () => {
    const limited = (limits: Scope["limits"]) => openScope("/p", limits, 1_000);
    expect(ask([limited({ tokens: 149 })], quote(100, 50), 0)).toMatchObject({ verdict: "refused" });
    expect(ask([limited({ tokens: 150 })], quote(100, 50), 0)).toMatchObject({ verdict: "granted" });
    expect(ask([limited({ calls: 0 })], quote(1, 1), 0)).toMatchObject({ verdict: "refused" });
    expect(ask([limited({ timeMs: 5 })], quote(1, 1), 1_005)).toMatchObject({ verdict: "refused" });
    expect(ask([limited({ timeMs: 5 })], quote(1, 1), 1_004)).toMatchObject({ verdict: "granted" });
  });

  it("refuses a model without a price under a cost limit, and lets it pass without one", () => {
    const { rates: _, ...unpriced } = quote(1, 1);
    expect(ask([scope("1000")], unpriced, 0)).toMatchObject({ verdict: "refused" });
    expect(ask([openScope("/p", { calls: 1 }, 0)], unpriced, 0)).toMatchObject({ verdict: "granted" });
  });

  it("lets the tightest scope decide", () => {
    expect(ask([scope("10000"), scope("250", "/p/inner")], quote(100, 50, 1), 0)).toMatchObject({
      outputTokens: 15,
    });
  });
});

describe("the account", () => {
  it("never has posted + pending over the limit, whatever is asked, held and posted in any order", () => {
    const call = fc.record({
      input: fc.nat(500),
      wanted: fc.integer({ min: 1, max: 100 }),
      used: fc.nat(100),
      settleFirst: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 40 }), fc.nat(20_000), fc.nat(5_000), (calls, outer, inner) => {
        const scopes = [scope(String(outer), "/p"), scope(String(inner), "/p/in")];
        const open: { worst: ReturnType<typeof worstCase>; used: number }[] = [];
        const settle = (): void => {
          const first = open.shift();
          if (first)
            post(scopes, first.worst, {
              ...first.worst,
              picoUsd: (first.worst.picoUsd * BigInt(first.used)) / 100n,
            });
        };
        for (const { input, wanted, used, settleFirst } of calls) {
          if (settleFirst) settle();
          const answer = ask(scopes, quote(input, wanted, 1), 0);
          if (answer.verdict === "granted") {
            hold(scopes, answer.worst);
            open.push({ worst: answer.worst, used });
          } else if (answer.verdict === "wait") expect(open.length).toBeGreaterThan(0);
          for (const { posted, pending, limits } of scopes) {
            expect(posted.picoUsd + pending.picoUsd <= BigInt(limits.picoUsd as string)).toBe(true);
          }
        }
        while (open.length > 0) settle();
        for (const { pending } of scopes) expect(pending).toEqual(nothingSpent);
      }),
      { numRuns: 500 },
    );
  });
});
