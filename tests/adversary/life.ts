/** One scenario from its start to its end, and what must hold of the money at each point of it. */
import { createOpenAI } from "@ai-sdk/openai";
import { agent } from "../../src/agents/agent.ts";
import { models } from "../../src/agents/models.ts";
import { tokenBound } from "../../src/budget/token-bound.ts";
import { mapOver, parallel, pipeline } from "../../src/core/compose.ts";
import type { Duration } from "../../src/core/duration.ts";
import type { Entry } from "../../src/core/entries.ts";
import { BudgetExceededError } from "../../src/core/errors.ts";
import { type Budget, decimalUsd, type Usd } from "../../src/core/limits.ts";
import type { SharedScope } from "../../src/core/scopes.ts";
import type { Step } from "../../src/core/step.ts";
import { Runner } from "../../src/engine/runner.ts";
import { nodeWorld } from "../../src/node-world.ts";
import type { Store } from "../../src/ports/store.ts";
import type { World } from "../../src/ports/world.ts";
import { memory } from "../../src/stores/memory.ts";
import { chance } from "../../src/testing/chance.ts";
import { billOf } from "./opponent.ts";
import { type Cap, type Rates, type Scenario, scenarioOf } from "./scenario.ts";
import type { Bill } from "./server.ts";

/** What came of a scenario. */
export interface Life {
  readonly scenario: Scenario;
  /** What should not have been, as sentences. */
  readonly violations: readonly string[];
  readonly bill: Bill;
  readonly entries: readonly Entry[];
  /** How often the run came to stand at its budget, which was doubled then. */
  readonly halts: number;
  /** The run's cap at last, in its own unit. */
  readonly cap: bigint;
}

const system = "Answer.";
/** So much faster than the real clock: a wait of a second takes 20 ms. */
const haste = 50;

/**
 * The real world in fast motion: back-offs and time-outs last as long as the scenario says, for a clock that hurries
 * from `began` (milliseconds since 1970) on. Processes with the same beginning agree on the time.
 */
export function hastyWorld(began: number = Date.now()): World {
  const world = nodeWorld();
  return {
    ...world,
    now: () => began + (world.now() - began) * haste,
    timer: (ms, callback, options) => world.timer(ms / haste, callback, options),
  };
}

/** Where scenarios are lived, and what pays for them beside their own caps. */
export interface Surroundings {
  readonly store: Store;
  readonly world: World;
  readonly scopes: readonly SharedScope[];
  /** A run has come to stand at what it shares with others. */
  readonly raise: () => Promise<void>;
}

/** Nobody dies here, and a machine that is busy for a moment, which is long for a clock that hurries, is no death. */
const patientLease: Duration = "30m";

const alone = (): Surroundings => ({
  store: memory(),
  world: hastyWorld(),
  scopes: [],
  raise: async () => {},
});

/** @param url the adversary's. */
export async function live(
  seed: number,
  url: string,
  { store, world, scopes, raise }: Surroundings = alone(),
): Promise<Life> {
  const scenario = scenarioOf(seed);
  const runId = `s${seed}`;
  const violations: string[] = [];
  const journal = async (): Promise<readonly Entry[]> => (await store.read(runId, 0, 100_000)) ?? [];
  const draw = chance(seed ^ 0xadd);
  const look = async (stands: boolean): Promise<void> => {
    violations.push(...wrongs(scenario, await billOf(url, seed), await journal(), scale, stands));
  };
  let scale = 1;
  let halts = 0;
  let cap = 0n;
  for (let round = 0; round < 4; round++) {
    cap = BigInt(amount(scenario.run, scenario, scale));
    await using runner = runnerOf(scenario, url, store, world, scale, patientLease);
    const budget = limit(scenario.run, scenario, scale);
    const handle = runner.start(undefined as never, { runId, budget, scopes });
    if (scenario.handsOver && round === 0) {
      await new Promise<void>((resolve) => void world.timer(draw.whole(0, 1_500), resolve));
      await runner[Symbol.asyncDispose]();
      await handle.result().catch(() => {}); // handed over, or done
      await look(false);
      continue;
    }
    const result = await handle.result();
    await look(true);
    if (result.status === "completed" || result.status === "failed") break;
    if (result.status !== "halted") violations.push(`it ended ${result.status}`);
    else if (result.error instanceof BudgetExceededError && result.error.exceeded?.of === "shared")
      await raise();
    halts += 1;
    scale *= 2;
  }
  const entries = await journal();
  return { scenario, violations, bill: await billOf(url, seed), entries, halts, cap };
}

export function runnerOf(
  scenario: Scenario,
  url: string,
  store: Store,
  world: World,
  scale: number,
  lease?: Duration,
): Runner<never, unknown> {
  const provider = createOpenAI({ baseURL: `${url}/${scenario.seed}/v1`, apiKey: "none" });
  const { long, ...rates } = scenario.tariff;
  const price = {
    ...priced(rates),
    ...(long === undefined ? {} : { tiers: [{ above: long.above, ...priced(long) }] }),
  };
  return new Runner(pipelineOf(scenario, scale), {
    store,
    world,
    ...(lease === undefined ? {} : { lease }),
    models: models({
      providers: { adversary: (id) => provider.chat(id) },
      prices: { "adversary:model": price },
      now: world.now,
    }),
  });
}

/** Branches of maps of agents, each with the caps that the scenario draws around it. */
export function pipelineOf(scenario: Scenario, scale: number): Step<never, unknown> {
  const branches = scenario.branches.map(({ items, atOnce }, b) => {
    const name = "ab"[b] as string; // there are at most two
    const ask = agent(`ask-${name}`, {
      model: "adversary:model",
      system,
      prompt: (place: string) => promptOf(scenario, place),
      maxOutputTokens: scenario.maxOutputTokens,
      minOutputTokens: 1,
      stream: scenario.streams,
      onCut: scenario.seed % 2 === 0 ? "repeat" : "continue",
    });
    const patient =
      scenario.attempts > 1 ? ask.retry({ attempts: scenario.attempts, backoff: "200ms" }) : ask;
    const timed = patient.timeout("5s");
    const each = scenario.item === undefined ? timed : timed.budget(limit(scenario.item, scenario, scale));
    const places = placesOf(b, items);
    const all = mapOver(`all-${name}`, each, {
      over: () => places,
      concurrency: atOnce,
      onFailure: "collect",
    });
    return [
      name,
      scenario.branch === undefined ? all : all.budget(limit(scenario.branch, scenario, scale)),
    ] as const;
  });
  const both = parallel("both", Object.fromEntries(branches), { onFailure: "collect" });
  // A name of its own: nobody takes over the runs of another scenario. Its input is nobody's business.
  return pipeline(`adversary-${scenario.seed}`, both as never) as Step<never, unknown>;
}

/** The names of a branch's items, as they stand in their prompts. */
export function placesOf(branch: number, items: number): string[] {
  return Array.from({ length: items }, (_, i) => `${"ab"[branch]}/${i}`);
}

export function promptOf({ promptBytes }: Scenario, place: string): string {
  const label = `place=${place} `;
  return label + "x".repeat(Math.max(0, promptBytes - label.length));
}

/** What the ledger must hold for one call: the caps are so many of these. */
function worstCase(scenario: Scenario): { picoUsd: number; tokens: number } {
  const content = [{ type: "text", text: promptOf(scenario, "a/0") }];
  const messages = [
    { role: "system", content: system },
    { role: "user", content },
  ];
  const input = tokenBound({ messages });
  const { tariff, maxOutputTokens } = scenario;
  const tiers = [tariff, tariff.long ?? tariff];
  const dearest = Math.max(...tiers.flatMap((rates) => [rates.input, rates.cached, rates.written]));
  const output = Math.max(...tiers.map((rates) => rates.output));
  return { picoUsd: input * dearest + maxOutputTokens * output, tokens: input + maxOutputTokens };
}

/** A cap in the unit of its kind. */
export function amount(cap: Cap, scenario: Scenario, scale: number): number {
  const worst = worstCase(scenario);
  const calls = cap.calls * scale;
  return Math.floor(
    cap.kind === "cost" ? calls * worst.picoUsd : cap.kind === "tokens" ? calls * worst.tokens : calls,
  );
}

export function limit(cap: Cap, scenario: Scenario, scale: number): Budget {
  const most = amount(cap, scenario, scale);
  if (cap.kind === "cost") return { cost: `$${decimalUsd(BigInt(most))}` as Usd }; // digits and a point
  return cap.kind === "tokens" ? { tokens: most } : { calls: most };
}

const priced = ({ input, cached, written, output }: Rates) => ({
  input: perMillion(input),
  cacheRead: perMillion(cached),
  cacheWrite: perMillion(written),
  output: perMillion(output),
});

const perMillion = (picoUsd: number): Usd => `$${decimalUsd(BigInt(picoUsd) * 1_000_000n)}` as Usd; // as above

/** Everything that is wrong with the money now. Where the run stands, nothing is held any more. */
export function wrongs(
  scenario: Scenario,
  bill: Bill,
  entries: readonly Entry[],
  scale: number,
  stands: boolean,
): string[] {
  const wrong: string[] = [];
  if (bill.uncapped > 0) wrong.push(`${bill.uncapped} requests had no output cap`);
  const breaches = entries.filter((entry) => entry.type === "budget-breached");
  for (const { allowed, amount: used } of breaches) {
    if (used.outputTokens <= allowed.outputTokens) wrong.push("a breach is recorded that is none");
  }
  const isPunctual = !entries.some((entry) => entry.type === "step-failed" && entry.error.code === "timeout");
  if (stands && isPunctual && !scenario.handsOver && breaches.length < bill.toldExcesses)
    wrong.push(`${bill.toldExcesses} answers were too dear, and ${breaches.length} breaches are recorded`);
  if (scenario.honest) {
    if (breaches.length > 0) wrong.push("a breach is recorded, and the server kept to its caps");
    wrong.push(...over("the run", bill, scenario.run, scenario, scale));
    for (const [place, used] of Object.entries(bill.places)) {
      const cap = place.includes("/") ? scenario.item : scenario.branch;
      if (cap !== undefined) wrong.push(...over(place, used, cap, scenario, scale));
    }
  }
  const spent = spentIn(entries);
  if (stands && spent.open > 0) wrong.push(`${spent.open} reservations are open, and nothing is under way`);
  if (scenario.honest && spent.picoUsd < bill.picoUsd)
    wrong.push(`${spent.picoUsd} is recorded as spent, and ${bill.picoUsd} was billed`);
  if (scenario.honest && spent.tokens < bill.tokens)
    wrong.push(`${spent.tokens} tokens are recorded, and ${bill.tokens} were used`);
  return wrong;
}

function over(
  whose: string,
  used: { picoUsd: bigint; tokens: number; calls: number },
  cap: Cap,
  scenario: Scenario,
  scale: number,
): string[] {
  const most = amount(cap, scenario, scale);
  const has =
    cap.kind === "cost" ? used.picoUsd : cap.kind === "tokens" ? BigInt(used.tokens) : BigInt(used.calls);
  return has > BigInt(most) ? [`${whose} has used ${has} of ${most} (${cap.kind})`] : [];
}

/** Settled and still held, by the journal. */
function spentIn(entries: readonly Entry[]): { picoUsd: bigint; tokens: number; open: number } {
  const held = new Map<number, { picoUsd: bigint; tokens: number; open: boolean }>();
  for (const entry of entries) {
    if (entry.type === "budget-reserved") held.set(entry.seq, { ...sum(entry.amount), open: true });
    if (entry.type === "budget-settled") held.set(entry.of, { ...sum(entry.amount), open: false });
    if (entry.type === "budget-released") held.set(entry.of, { picoUsd: 0n, tokens: 0, open: false });
  }
  const all = [...held.values()];
  return {
    picoUsd: all.reduce((total, { picoUsd }) => total + picoUsd, 0n),
    tokens: all.reduce((total, { tokens }) => total + tokens, 0),
    open: all.filter(({ open }) => open).length,
  };
}

const sum = (amount: { picoUsd: string; inputTokens: number; outputTokens: number }) => ({
  picoUsd: BigInt(amount.picoUsd),
  tokens: amount.inputTokens + amount.outputTokens,
});
