/**
 * Two budgets as they are often built, on the adversary's scenarios, to see what they lose: one checks what is spent and
 * then calls; the other reserves an estimate, and gives it back when the call fails or takes too long.
 */
import { setTimeout as pause } from "node:timers/promises";
import { amount, live, placesOf, promptOf } from "./life.ts";
import { billOf, opponent } from "./opponent.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";

/** What a governor let happen in one scenario: pico-dollars billed, and allowed. */
interface Loss {
  readonly billed: bigint;
  readonly cap: bigint;
}

const system = "Answer.";
/** A caller loses patience after so long, real time. */
const patienceMs = 100;
const charactersPerToken = 4;
/** Scenarios at once. */
const atOnce = 10;

/** Runs all calls of a scenario under a governor that holds the run's cap, in cost. */
async function governed(ask: Ask, seed: number, url: string): Promise<Loss> {
  const scenario = scenarioOf(seed);
  const cap = BigInt(amount({ ...scenario.run, kind: "cost" }, scenario, 1));
  const account = { spent: 0n, cap };
  const lines = scenario.branches.flatMap(({ items, atOnce }, b) => {
    const left = placesOf(b, items);
    return Array.from({ length: atOnce }, async () => {
      for (let place = left.shift(); place !== undefined; place = left.shift())
        await ask(account, scenario, place, url);
    });
  });
  await Promise.all(lines);
  return { billed: (await billOf(url, seed)).picoUsd, cap };
}

type Ask = (account: Account, scenario: Scenario, place: string, url: string) => Promise<void>;

interface Account {
  spent: bigint;
  readonly cap: bigint;
}

/** While there is money left, call; what a call cost is known when its usage is. */
async function checked(account: Account, scenario: Scenario, place: string, url: string): Promise<void> {
  for (let attempt = 0; attempt < scenario.attempts && account.spent < account.cap; attempt++) {
    const cost = await call(scenario, place, url);
    if (cost === undefined) continue;
    account.spent += cost;
    return;
  }
}

/** The estimate is what such calls usually cost; a call that fails, or is too slow, is taken for free. */
async function reserved(account: Account, scenario: Scenario, place: string, url: string): Promise<void> {
  const estimate = estimated(scenario, place);
  for (let attempt = 0; attempt < scenario.attempts; attempt++) {
    if (account.spent + estimate > account.cap) return;
    account.spent += estimate;
    const cost = await call(scenario, place, url);
    account.spent += (cost ?? 0n) - estimate;
    if (cost !== undefined) return;
  }
}

function estimated({ tariff, maxOutputTokens, ...scenario }: Scenario, place: string): bigint {
  const input = Math.ceil(
    (promptOf(scenario as Scenario, place).length + system.length) / charactersPerToken,
  );
  return BigInt(input * tariff.input + maxOutputTokens * tariff.output);
}

/** What a call cost by the usage it told; undefined when it told none. */
async function call(scenario: Scenario, place: string, url: string): Promise<bigint | undefined> {
  const body = JSON.stringify({
    model: "model",
    messages: [
      { role: "system", content: system },
      { role: "user", content: promptOf(scenario, place) },
    ],
    max_completion_tokens: scenario.maxOutputTokens,
  });
  const headers = { "content-type": "application/json", "idempotency-key": `${place} ${Math.random()}` };
  const { tariff } = scenario;
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(`${url}/${scenario.seed}/v1/chat/completions`, {
      method: "POST",
      headers,
      body,
      signal,
    });
    const { usage } = (await response.json()) as {
      usage?: { prompt_tokens: number; completion_tokens: number };
    };
    if (!response.ok || usage === undefined) return undefined;
    return BigInt(usage.prompt_tokens * tariff.input + usage.completion_tokens * tariff.output);
  } catch {
    await pause(1);
    return undefined;
  }
}

/** How governors fare over many scenarios. */
export interface Comparison {
  readonly scenarios: number;
  /** Scenarios whose cap was passed. */
  readonly broken: number;
  /** The most that was billed for a dollar allowed. */
  readonly worst: number;
}

/** The same scenarios under each governor, each against a server of its own. */
export async function comparison(count: number): Promise<{ readonly [governor: string]: Comparison }> {
  const seeds = comparable(count);
  const lived = async (seed: number, url: string): Promise<Loss> => {
    const { bill, cap } = await live(seed, url);
    return { billed: bill.picoUsd, cap };
  };
  return {
    "checks, then calls": await faring(seeds, (seed, url) => governed(checked, seed, url)),
    "reserves, with a time-out": await faring(seeds, (seed, url) => governed(reserved, seed, url)),
    Flujo: await faring(seeds, lived),
  };
}

async function faring(
  seeds: readonly number[],
  losses: (seed: number, url: string) => Promise<Loss>,
): Promise<Comparison> {
  await using server = await opponent();
  let broken = 0;
  let worst = 0;
  for (let at = 0; at < seeds.length; at += atOnce) {
    const some = seeds.slice(at, at + atOnce);
    for (const { billed, cap } of await Promise.all(some.map((seed) => losses(seed, server.url)))) {
      if (billed > cap) broken += 1;
      if (cap > 0n) worst = Math.max(worst, Number((billed * 1_000n) / cap) / 1_000);
    }
  }
  return { scenarios: seeds.length, broken, worst };
}

/** Scenarios with an honest server and a cap on a cost that depends on the answer. */
function comparable(count: number): number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < count; seed++) {
    const { honest, run, tariff } = scenarioOf(seed);
    if (honest && run.kind === "cost" && tariff.output > 0) seeds.push(seed);
  }
  return seeds;
}
