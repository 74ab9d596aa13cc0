/**
 * A scenario of the adversary: what is asked, what it may cost, and how the server misbehaves. All of it follows from
 * one number, so that the server, in a process of its own, knows it too.
 */
import { type Chance, chance } from "../../src/testing/chance.ts";

export interface Tariff extends Rates {
  /** Of requests with more input than so many tokens. */
  readonly long?: Rates & { readonly above: number };
}

/** Pico-dollars a token. */
export interface Rates {
  readonly input: number;
  /** Input read from a cache, and input written to one. */
  readonly cached: number;
  readonly written: number;
  readonly output: number;
}

/** What a token costs in a request with so much input. */
export const ratesFor = (tariff: Tariff, input: number): Rates =>
  tariff.long !== undefined && input > tariff.long.above ? tariff.long : tariff;

/** How the answer to one request goes. Only `rate-limit`, `refused` and `unheard` cost nothing. */
export type Ending =
  | "whole"
  /** An answer without its usage. */
  | "no-usage"
  /** An answer whose usage cannot be right. */
  | "broken-usage"
  /** Half a JSON document. */
  | "malformed"
  /** The line is cut within the body. */
  | "cut"
  /** The line is cut before anything is answered. */
  | "dropped"
  /** No answer, for as long as the caller waits. */
  | "silent"
  | "server-error"
  | "rate-limit"
  | "refused"
  /** The line is cut before the request is read. */
  | "unheard";

/** How the server treats one request. */
export interface Whim {
  readonly ending: Ending;
  /** The share of the output cap that is used, from 0 to 1: never more, unless the scenario is dishonest. */
  readonly length: number;
  /** The share of the output that is thought, not said. */
  readonly thought: number;
  /** `inside` the output's count, `beside` it (only the total knows), or `unsaid` (inside, and no detail tells). */
  readonly thoughtCounted: "inside" | "beside" | "unsaid";
  /** The share of the input read from a cache, and the share of the rest written to one. */
  readonly cached: number;
  readonly written: number;
  /** The same request comes twice, as from a proxy that tries again. Its key is the same, and it is billed once. */
  readonly delivered: 1 | 2;
  /** Which of the usages that cannot be right. */
  readonly broken: number;
  readonly delayMs: number;
  /** Billed and told: so many times what the caller allowed. 1 for a server that keeps to its caps. */
  readonly excess: number;
}

/** A limit as it stands around some places, in worst cases of one call. */
export interface Cap {
  readonly calls: number;
  readonly kind: "cost" | "tokens" | "calls";
}

export interface Scenario {
  readonly seed: number;
  readonly tariff: Tariff;
  /** Tokens the server makes of a byte: 1 is the most that can be. */
  readonly density: number;
  readonly honest: boolean;
  readonly streams: boolean;
  /** Two branches with so many items each, so many of them at once. */
  readonly branches: readonly { readonly items: number; readonly atOnce: number }[];
  readonly maxOutputTokens: number;
  readonly run: Cap;
  readonly branch: Cap | undefined;
  readonly item: Cap | undefined;
  /** Attempts of each item's agent. */
  readonly attempts: number;
  /** Whether a process gives the run up in the middle, and another goes on with it. */
  readonly handsOver: boolean;
  /** The bytes of one prompt. */
  readonly promptBytes: number;
}

const kinds = ["cost", "cost", "cost", "tokens", "calls"] as const;

export function scenarioOf(seed: number): Scenario {
  const draw = chance(seed);
  const branches = Array.from({ length: draw.whole(1, 2) }, () => ({
    items: draw.whole(1, 12),
    atOnce: draw.pick([1, 3, 12]),
  }));
  const calls = branches.reduce((sum, { items }) => sum + items, 0);
  const cap = (most: number): Cap => ({ calls: 0.4 + draw.next() * most, kind: draw.pick(kinds) });
  const scenario: Scenario = {
    seed,
    tariff: draw.pick([
      { input: 150_000, cached: 75_000, written: 187_500, output: 600_000 },
      { input: 1, cached: 0, written: 2, output: 3 },
      // A cache that costs more than it saves.
      { input: 3_000_000, cached: 3_750_000, written: 3_000_000, output: 15_000_000 },
      { input: 75_000, cached: 18_750, written: 75_000, output: 0 },
    ]),
    density: draw.pick([0.25, 0.6, 1]),
    honest: !draw.flip(0.1),
    streams: draw.flip(),
    branches,
    maxOutputTokens: draw.pick([1, 20, 300]),
    run: cap(calls * 1.5),
    branch: draw.flip() ? cap(calls) : undefined,
    item: draw.flip(0.3) ? cap(2) : undefined,
    attempts: draw.pick([1, 1, 2, 3]),
    handsOver: draw.flip(0.3),
    promptBytes: draw.pick([60, 400, 3_000]),
  };
  return { ...scenario, tariff: draw.flip() ? withTier(scenario.tariff, draw) : scenario.tariff };
}

/** Long inputs cost more, or (nobody forbids it) less. Each rate changes by itself. */
function withTier(tariff: Tariff, draw: Chance): Tariff {
  const above = draw.pick([50, 120, 400, 1_500]);
  const another = (rate: number): number => Math.floor((rate * draw.pick([0, 5, 10, 20, 40])) / 10);
  const { input, cached, written, output } = tariff;
  const long = {
    ...{ input: another(input), cached: another(cached) },
    ...{ written: another(written), output: another(output), above },
  };
  return { ...tariff, long };
}

const endings = [
  "no-usage",
  "broken-usage",
  "malformed",
  "cut",
  "dropped",
  "silent",
  "server-error",
  "rate-limit",
  "refused",
  "unheard",
] as const;

/** The whim for the `index`-th request of a scenario. */
export function whimOf({ seed, honest }: Scenario, index: number): Whim {
  const draw: Chance = chance(seed * 7_919 + index * 104_729 + 1);
  return {
    ending: draw.flip(0.55) ? "whole" : draw.pick(endings),
    length: draw.pick([0, 0.3, 1, 1]),
    thought: draw.pick([0, 0, 0.5, 1]),
    thoughtCounted: draw.pick(["inside", "beside", "unsaid"]),
    cached: draw.pick([0, 0, 0.5, 1]),
    written: draw.pick([0, 0, 0.5, 1]),
    delivered: draw.flip(0.1) ? 2 : 1,
    broken: draw.whole(0, brokenUsages - 1),
    delayMs: draw.pick([0, 0, 1, 4]),
    excess: honest || draw.flip() ? 1 : draw.pick([2, 10]),
  };
}

/** How many usages there are that cannot be right: see `brokenUsage` of the server. */
export const brokenUsages = 9;
