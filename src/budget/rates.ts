/**
 * What tokens cost: a tariff is the rates of one model at one time, exact integers throughout. A published price is a
 * decimal in US dollars a million tokens; `0.15` becomes 150,000 pico-dollars a token without passing through
 * floating-point arithmetic.
 */
import type { PicoUsd } from "../core/limits.ts";

/** 1e-12 pico-dollars: fine enough that a price divided by a million tokens stays a whole number. */
type AttoUsd = bigint;
const attoPerPico = 1_000_000_000_000n;

/** A rate that rises when a request's input is long: above `start` input tokens, all its tokens cost `atto` each. */
interface Step {
  readonly start: number;
  readonly atto: AttoUsd;
}
/** The steps of one rate; the first starts at -1, so that it always applies. */
export type Rate = readonly Step[];

/** The rates of one model. Rates that are absent are those of plain input or output. */
export interface Tariff {
  readonly input: Rate;
  readonly cacheRead?: Rate;
  readonly cacheWrite?: Rate;
  /** Of what is written to be kept for longer, where that costs more. */
  readonly longCacheWrite?: Rate;
  readonly output: Rate;
  readonly reasoning?: Rate;
}

/** Tokens of one call as its provider counted them. Cached tokens are part of the input, reasoning of the output. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cacheReadTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  /** How many of those are written to be kept for longer. Undefined: nobody says, so all of them count as that. */
  readonly longCacheWriteTokens?: number | undefined;
  readonly outputTokens: number;
  readonly reasoningTokens?: number | undefined;
}

/** The highest pico-dollars a token of input, and of output, can cost. */
export interface WorstRates {
  readonly input: PicoUsd;
  readonly output: PicoUsd;
}

/**
 * A rate from decimal text, in US dollars a million tokens; tiers apply to requests with more input than `start`.
 * Undefined for anything that is not a number from 0.
 */
export function rate(
  base: string,
  tiers: readonly { start: number; price: string }[] = [],
): Rate | undefined {
  const steps = [{ start: -1, price: base }, ...tiers].map(({ start, price }) => ({
    start,
    atto: attoPerToken(price),
  }));
  steps.sort((a, b) => a.start - b.start);
  return steps.every((step): step is Step => step.atto !== undefined) ? steps : undefined;
}

/** The rate of what a model does not make. */
export const noRate: Rate = [{ start: -1, atto: 0n }];

/** `"0.15"` and `"1e-7"` alike, exactly; digits beyond what an atto-dollar can hold are rounded up. */
function attoPerToken(dollarsPerMillion: string): AttoUsd | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,40}))?(?:e([+-]\d{1,2}))?$/.exec(dollarsPerMillion);
  if (!match) return undefined;
  const [, whole = "", fraction = "", exponent = "0"] = match;
  // 1 dollar a million tokens is 1e-6 dollars a token: 1e6 pico-dollars, 1e18 of the unit.
  const shift = 18 - fraction.length + Number(exponent);
  const digits = BigInt(whole + fraction);
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
}

/** What a usage costs, rounded up to a whole pico-dollar; undefined when the usage contradicts itself. */
export function costOf(tariff: Tariff, usage: TokenUsage): PicoUsd | undefined {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  const { longCacheWriteTokens: longWritten = cacheWriteTokens } = usage;
  const counts = [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, longWritten, reasoningTokens];
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined;
  const fresh = inputTokens - cacheReadTokens - cacheWriteTokens;
  const written = cacheWriteTokens - longWritten;
  const spoken = outputTokens - reasoningTokens;
  if (fresh < 0 || written < 0 || spoken < 0) return undefined;
  const at = (one: Rate | undefined, plain: Rate, tokens: number) =>
    stepFor(one ?? plain, inputTokens) * BigInt(tokens);
  const atto =
    at(tariff.input, tariff.input, fresh) +
    at(tariff.cacheRead, tariff.input, cacheReadTokens) +
    at(tariff.cacheWrite, tariff.input, written) +
    at(tariff.longCacheWrite ?? tariff.cacheWrite, tariff.input, longWritten) +
    at(tariff.output, tariff.output, spoken) +
    at(tariff.reasoning, tariff.output, reasoningTokens);
  return divideUp(atto, attoPerPico);
}

function stepFor(rate: Rate, inputTokens: number): AttoUsd {
  let atto = 0n;
  for (const step of rate) if (inputTokens > step.start) atto = step.atto;
  return atto;
}

/** A tariff for people to read: exact decimals, in US dollars a million tokens. */
export interface RateCard {
  /** It applies to requests with more input tokens than this; 0 to all. */
  readonly above: number;
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite?: string;
  /** Of what is written to be kept for longer, where that costs more. */
  readonly longCacheWrite?: string;
  readonly reasoning?: string;
}

/** A tariff's rates, and those it rises to for long inputs. */
export function cardOf(tariff: Tariff): readonly RateCard[] {
  const { input, output, ...further } = tariff;
  const starts = new Set(Object.values(tariff).flatMap((one: Rate) => one.map(({ start }) => start)));
  return [...starts]
    .sort((a, b) => a - b)
    .map((start) => {
      const at = (one: Rate): string => decimalOf(stepFor(one, start + 1));
      const rest = Object.entries(further).map(([field, one]: [string, Rate]) => [field, at(one)]);
      return { above: Math.max(0, start), input: at(input), output: at(output), ...Object.fromEntries(rest) };
    });
}

/** Atto-dollars a token as US dollars a million tokens. */
function decimalOf(atto: AttoUsd): string {
  const digits = atto.toString().padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return `${digits.slice(0, -18)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The highest of all rates of several tariffs, each rounded up: no usage within a bound can cost more. */
export function worstOf(tariffs: readonly Tariff[]): WorstRates {
  const inputs = tariffs.flatMap((tariff) =>
    [tariff.input, tariff.cacheRead ?? [], tariff.cacheWrite ?? [], tariff.longCacheWrite ?? []].flat(),
  );
  const outputs = tariffs.flatMap((tariff) => [tariff.output, tariff.reasoning ?? []].flat());
  return { input: highest(inputs), output: highest(outputs) };
}

function highest(steps: readonly Step[]): PicoUsd {
  let atto: AttoUsd = 0n;
  for (const step of steps) if (step.atto > atto) atto = step.atto;
  return divideUp(atto, attoPerPico);
}

const divideUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;
