import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import { comparison } from "./governors.ts";
import { killing } from "./kills.ts";
import { live } from "./life.ts";
import { type Opponent, opponent } from "./opponent.ts";
import { liveTogether, size } from "./tenant.ts";

/**
 * Seeds that once broke the budget, and why. A seed stands for its scenario only as long as what draws it stays the
 * same; each cause has a test of its own, too.
 */
const kept: readonly (readonly [seed: number, because: string])[] = [
  [60, "thoughts that only the total of the usage counted were not charged"],
  [304, "as 60, and with a cap on tokens"],
];

const tenants = 168;
const seeds = tenants * size;
const tenantsAtOnce = 4;

const isSharedHalt = (entry: Entry): boolean =>
  entry.type === "run-halted" && entry.error.message.startsWith("the shared budget");

let server: Opponent;
beforeAll(async () => {
  server = await opponent();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("a server that keeps its own books and treats its callers badly", () => {
  test.each(kept)("kept seed %i: %s", async (seed) => {
    expect((await live(seed, server.url)).violations).toEqual([]);
  });

  test(`is never paid a pico-dollar over a cap, in ${seeds} scenarios that share ${tenants} accounts`, async () => {
    const seen = { halts: 0, breaches: 0, requests: 0, honest: 0, sharedHalts: 0, honestTenants: 0 };
    const failed: string[] = [];
    for (let tenant = 0; tenant < tenants; tenant += tenantsAtOnce) {
      const firsts = Array.from({ length: tenantsAtOnce }, (_, i) => 1_002 + (tenant + i) * size);
      const groups = await Promise.all(firsts.map((first) => liveTogether(first, server.url)));
      seen.honestTenants += groups.filter((lives) => lives.every(({ scenario }) => scenario.honest)).length;
      for (const { scenario, violations, bill, entries, halts } of groups.flat()) {
        if (violations.length > 0) failed.push(`seed ${scenario.seed}: ${violations.join("; ")}`);
        seen.halts += halts;
        seen.requests += bill.requests;
        seen.honest += scenario.honest ? 1 : 0;
        seen.sharedHalts += entries.filter(isSharedHalt).length;
        seen.breaches += entries.filter(({ type }) => type === "budget-breached").length;
      }
    }
    expect(failed).toEqual([]);
    // The scenarios are what they are meant to be: caps are reached, servers are caught.
    expect(seen.halts).toBeGreaterThan(seeds);
    expect(seen.sharedHalts).toBeGreaterThan(seeds / 2);
    expect(seen.honestTenants).toBeGreaterThan(tenants / 3);
    expect(seen.breaches).toBeGreaterThan(seeds / 10);
    expect(seen.honest).toBeGreaterThan(seeds / 2);
  });

  test("is not paid over a cap by four processes on one database, killed at random", async () => {
    const { kills, runs, refused, tenants, requests, doubts, violations } = await killing(40, 5_000);
    expect(violations).toEqual([]);
    expect(kills).toBe(40);
    expect(runs).toBeGreaterThan(40);
    expect(requests).toBeGreaterThan(runs);
    expect(doubts).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(tenants).toBeGreaterThan(1);
  });

  test("is paid over a cap by budgets as they are often built, on the same scenarios", async () => {
    const { Flujo: ours, ...others } = await comparison(40);
    expect(ours?.broken).toBe(0);
    for (const other of Object.values(others)) expect(other.broken).toBeGreaterThan(0);
  });
});
