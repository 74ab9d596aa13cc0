/** Scenarios that share an account, whoever runs them: six in a row, whose tenant pays for less than half of them. */

import { decimalUsd, type Usd } from "../../src/core/limits.ts";
import type { SharedScope } from "../../src/core/scopes.ts";
import { topUpScope } from "../../src/engine/raises.ts";
import { memory } from "../../src/stores/memory.ts";
import { amount, hastyWorld, type Life, live } from "./life.ts";
import { billOf } from "./opponent.ts";
import { type Cap, type Scenario, scenarioOf } from "./scenario.ts";
import type { Bill } from "./server.ts";

export const size = 6;
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
export function tenantWrongs(bills: ReadonlyMap<number, Bill>, limitOf = tenantLimit): string[] {
  const tenants = Map.groupBy(bills.keys(), firstOf);
  return [...tenants].flatMap(([first, seeds]) => {
    // A dishonest server may bill what it likes.
    if (scenariosOf(first).some(({ honest }) => !honest)) return [];
    const kind = kindOf(first);
    const used = seeds.reduce((sum, seed) => {
      const { picoUsd, calls } = bills.get(seed) as Bill; // of the map's own keys
      return sum + (kind === "cost" ? picoUsd : BigInt(calls));
    }, 0n);
    const limit = limitOf(first);
    return used > limit ? [`the tenant of seed ${first} has used ${used} of ${limit} (${kind})`] : [];
  });
}

/** All scenarios of a tenant at once, on one store. Whatever is wrong with their account is told with the first. */
export async function liveTogether(first: number, url: string): Promise<readonly Life[]> {
  const store = memory();
  const tenant = tenantOf(first);
  const seeds = Array.from({ length: size }, (_, i) => firstOf(first) + i);
  const wrong: string[] = [];
  let limit = tenantLimit(first);
  const look = async (): Promise<void> => {
    const standing = limit; // it may be raised before the bills are here
    const bills = await Promise.all(seeds.map(async (seed) => [seed, await billOf(url, seed)] as const));
    if (limit === standing) wrong.push(...tenantWrongs(new Map(bills), () => standing));
  };
  const raise = async (): Promise<void> => {
    await look();
    const more = tenantLimit(first) / 4n;
    limit += more;
    await topUpScope(
      store,
      tenant.scope,
      tenant.cost === undefined ? { calls: Number(more) } : { picoUsd: `${more}` },
    );
  };
  const around = { store, world: hastyWorld(), scopes: [tenant], raise };
  const lives = await Promise.all(seeds.map((seed) => live(seed, url, around)));
  await look();
  for (const { scope, holds } of await store.accounts({}))
    if (holds.length > 0) wrong.push(`${scope} has money held, and nothing is under way`);
  return lives.map((life, i) => (i === 0 ? { ...life, violations: [...life.violations, ...wrong] } : life));
}
