import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { comparison } from "./governors.ts";
import { killing } from "./kills.ts";
import { live } from "./life.ts";
import { type Opponent, opponent } from "./opponent.ts";

/**
 * Seeds that once broke the budget, and why. A seed stands for its scenario only as long as what draws it stays the
 * same; each cause has a test of its own, too.
 */
const kept: readonly (readonly [seed: number, because: string])[] = [
  [60, "thoughts that only the total of the usage counted were not charged"],
  [304, "as 60, and with a cap on tokens"],
];

const seeds = 1_000;
const atOnce = 25;

let server: Opponent;
beforeAll(async () => {
  server = await opponent();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("a server that keeps its own books and treats its callers badly", () => {
  test.each(kept)("kept seed %i: %s", async (seed) => {
    expect((await live(seed, server.url)).violations).toEqual([]);
  });

  test(`is never paid a pico-dollar over a cap, in ${seeds} scenarios`, async () => {
    const seen = { halts: 0, breaches: 0, requests: 0, honest: 0 };
    const failed: string[] = [];
    for (let from = 1_000; from < 1_000 + seeds; from += atOnce) {
      const lives = await Promise.all(Array.from({ length: atOnce }, (_, i) => live(from + i, server.url)));
      for (const { scenario, violations, bill, entries, halts } of lives) {
        if (violations.length > 0) failed.push(`seed ${scenario.seed}: ${violations.join("; ")}`);
        seen.halts += halts;
        seen.requests += bill.requests;
        seen.honest += scenario.honest ? 1 : 0;
        seen.breaches += entries.filter(({ type }) => type === "budget-breached").length;
      }
    }
    expect(failed).toEqual([]);
    // The scenarios are what they are meant to be: caps are reached, servers are caught.
    expect(seen.halts).toBeGreaterThan(seeds);
    expect(seen.breaches).toBeGreaterThan(seeds / 10);
    expect(seen.honest).toBeGreaterThan(seeds / 2);
  }, 300_000);

  test("is not paid over a cap by four processes on one database, killed at random", async () => {
    const { kills, runs, refused, tenants, requests, doubts, violations } = await killing(12, 5_000);
    expect(violations).toEqual([]);
    expect(kills).toBe(12);
    expect(runs).toBeGreaterThan(12);
    expect(requests).toBeGreaterThan(runs);
    expect(doubts).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(tenants).toBeGreaterThan(1);
  }, 120_000);

  test("is paid over a cap by budgets as they are often built, on the same scenarios", async () => {
    const { Flujo: ours, ...others } = await comparison(40);
    expect(ours?.broken).toBe(0);
    for (const other of Object.values(others)) expect(other.broken).toBeGreaterThan(0);
  }, 120_000);
});
