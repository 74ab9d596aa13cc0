/** Scenarios that share an account, whoever runs them: six in a row, whose tenant pays for less than half of them. */

import { decimalUsd, type Usd } from "../../src/core/limits.ts";
import type { SharedScope } from "../../src/core/scopes.ts";
import { amount } from "./life.ts";
import { type Cap, type Scenario, scenarioOf } from "./scenario.ts";
import type { Bill } from "./server.ts";

const size = 6;
const paidFor = 0.4;

/** The first seed of a tenant's. */
const firstOf = (seed: number): number => seed - (seed % size);

function scenariosOf(seed: number): Scenario[] {
  return Array.from({ length: size }, (_, i) => scenarioOf(firstOf(seed) + i));
}

/** Tenants differ in what is limited: cost, or calls. */
function kindOf(seed: number): "cost" | "calls" {
  return (firstOf(seed) / size) % 2 === 0 ? "cost" : "calls";
}

/** The tenant's limit, in pico-dollars or calls. */
export function tenantLimit(seed: number): bigint {
  return scenariosOf(seed).reduce((sum, scenario) => {
    const calls = scenario.branches.reduce((all, { items }) => all + items, 0) * paidFor;
    const cap: Cap = { calls, kind: kindOf(seed) };
    return sum + BigInt(amount(cap, scenario, 1));
  }, 0n);
}

/** The account of a scenario's tenant. */
export function tenantOf(seed: number): SharedScope {
  const limit = tenantLimit(seed);
  const scope = `tenant:${firstOf(seed)}`;
  return kindOf(seed) === "cost"
    ? { scope, cost: `$${decimalUsd(limit)}` as Usd } // digits and a point
    : { scope, calls: Number(limit) };
}

/** What is wrong with the tenants of these bills, by the server's books. */
export function tenantWrongs(bills: ReadonlyMap<number, Bill>): string[] {
  const tenants = Map.groupBy(bills.keys(), firstOf);
  return [...tenants].flatMap(([first, seeds]) => {
    // A dishonest server may bill what it likes.
    if (scenariosOf(first).some(({ honest }) => !honest)) return [];
    const kind = kindOf(first);
    const used = seeds.reduce((sum, seed) => {
      const { picoUsd, calls } = bills.get(seed) as Bill; // of the map's own keys
      return sum + (kind === "cost" ? picoUsd : BigInt(calls));
    }, 0n);
    const limit = tenantLimit(first);
    return used > limit ? [`the tenant of seed ${first} has used ${used} of ${limit} (${kind})`] : [];
  });
}
