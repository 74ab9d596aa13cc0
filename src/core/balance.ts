/**
 * Whether limits can pay for a call: the arithmetic of every account, those of one run and those that runs share.
 * Money moves as in TigerBeetle's two-phase transfers: a reservation is *pending* until it is *posted* at what the
 * call cost, and always, posted + pending <= limit.
 */
import type { Purchase, Quote } from "./context.ts";
import type { ExceededLimit } from "./errors.ts";
import { addSpent, decimalUsd, type Limits, type PicoUsd, type Spent } from "./limits.ts";

/** Limits, and what of them is used. */
export interface Balance {
  readonly limits: Limits;
  readonly posted: Spent;
  readonly pending: Spent;
  /** Reservations that are pending. */
  readonly open: number;
  /** When its time began, in milliseconds since 1970; only with a limit of time. */
  readonly since?: number;
}

/** What balances say to a quote, together. */
export type Weighed =
  | { readonly verdict: "granted"; readonly outputTokens: number; readonly worst: Spent }
  /** Not now, but possibly once pending reservations are settled. */
  | { readonly verdict: "wait" }
  /** `at`: which of the balances cannot pay. */
  | { readonly verdict: "refused"; readonly at: number; readonly why: Shortage };

/** Why a call is refused; the text goes on after "it". */
export type Shortage =
  /** Nobody knows what the call may cost, and the cost is limited. */
  { readonly kind: "unpriced"; readonly text: string } | Short;

/** A limit that is too small. Amounts are in its own unit: pico-dollars, tokens, calls, milliseconds. */
export interface Short extends Pick<ExceededLimit, "limit" | "allowed" | "used" | "needed"> {
  readonly kind: "short";
  readonly text: string;
}

/** The most a call can use when its answer has at most so many tokens. */
export function worstCase(quote: Quote, outputTokens: number): Spent {
  const rates = quote.rates ?? { input: 0n, output: 0n };
  const tokens = BigInt(quote.inputTokens) * rates.input + BigInt(outputTokens) * rates.output;
  return {
    picoUsd: tokens + (quote.fee ?? 0n),
    inputTokens: quote.inputTokens,
    outputTokens,
    ...countOf(quote.kind),
  };
}

/**
 * The quote of something with a fixed price: a tool, what a step spends.
 *
 * @param fee pico-dollars.
 */
export function fixedPrice(kind: Exclude<Purchase, "model-call">, name: string, fee: PicoUsd): Quote {
  return { kind, model: name, fee, inputTokens: 0, outputTokens: { wanted: 0, least: 0 } };
}

/** Which count a purchase raises. A step's own spending raises none. */
export function countOf(kind: Purchase = "model-call"): Pick<Spent, "calls" | "toolCalls"> {
  return { calls: kind === "model-call" ? 1 : 0, toolCalls: kind === "tool-call" ? 1 : 0 };
}

/** Whether all can pay for a call now, later, or never; granted, the output cap is what they can all pay. */
export function weigh(balances: readonly Balance[], quote: Quote, now: number): Weighed {
  const { wanted, least } = quote.outputTokens;
  const smallest = Math.min(least, wanted);
  if (quote.reported) return { verdict: "granted", outputTokens: wanted, worst: worstCase(quote, wanted) };
  for (const [at, balance] of balances.entries()) {
    if (balance.limits.picoUsd !== undefined && !isPriced(quote)) {
      return { verdict: "refused", at, why: { kind: "unpriced", text: "has no known price" } };
    }
    const why = shortOf(balance, balance.posted, worstCase(quote, smallest), now);
    if (why !== undefined) return { verdict: "refused", at, why };
  }
  let cap = wanted;
  for (const balance of balances) {
    const used = addSpent(balance.posted, balance.pending);
    if (balance.open > 0 && shortOf(balance, used, worstCase(quote, wanted), now) !== undefined)
      return { verdict: "wait" };
    cap = Math.min(cap, affordableOutput(balance, used, quote));
  }
  return { verdict: "granted", outputTokens: cap, worst: worstCase(quote, cap) };
}

const isPriced = (quote: Quote): boolean =>
  quote.rates !== undefined || (quote.kind !== undefined && quote.kind !== "model-call");

/** Which limit would be broken; undefined when none. */
function shortOf(balance: Balance, used: Spent, worst: Spent, now: number): Short | undefined {
  const { picoUsd, tokens, calls, toolCalls, timeMs } = balance.limits;
  if (picoUsd !== undefined && used.picoUsd + worst.picoUsd > BigInt(picoUsd)) {
    const [allowed, has, needed] = [BigInt(picoUsd), used.picoUsd, worst.picoUsd];
    const text = `needs up to $${decimalUsd(needed)}, and $${decimalUsd(has)} of $${decimalUsd(allowed)} is spent`;
    return { kind: "short", limit: "cost", allowed, used: has, needed, text };
  }
  const asked = tokensOf(worst);
  const had = tokensOf(used);
  if (tokens !== undefined && asked > 0 && had + asked > tokens) {
    return short(
      "tokens",
      tokens,
      had,
      asked,
      `needs up to ${asked} tokens, and ${had} of ${tokens} are used`,
    );
  }
  if (calls !== undefined && worst.calls > 0 && used.calls + worst.calls > calls) {
    return short("calls", calls, used.calls, worst.calls, `would be call ${used.calls + 1} of ${calls}`);
  }
  if (toolCalls !== undefined && worst.toolCalls > 0 && used.toolCalls + worst.toolCalls > toolCalls) {
    const text = `would be tool call ${used.toolCalls + 1} of ${toolCalls}`;
    return short("toolCalls", toolCalls, used.toolCalls, worst.toolCalls, text);
  }
  const passed = now - (balance.since ?? now);
  if (timeMs !== undefined && passed >= timeMs) {
    return short(
      "time",
      timeMs,
      passed,
      0,
      `comes ${passed} ms after the start, and the limit is ${timeMs} ms`,
    );
  }
  return undefined;
}

function short(limit: Short["limit"], allowed: number, used: number, needed: number, text: string): Short {
  return { kind: "short", limit, allowed: BigInt(allowed), used: BigInt(used), needed: BigInt(needed), text };
}

/** The largest output cap the balance can pay. */
function affordableOutput(balance: Balance, used: Spent, quote: Quote): number {
  const base = addSpent(used, worstCase(quote, 0));
  const byCost = outputFor(balance.limits.picoUsd, base.picoUsd, quote.rates?.output ?? 0n);
  const { tokens } = balance.limits;
  const byTokens = tokens === undefined ? Number.POSITIVE_INFINITY : tokens - tokensOf(base);
  return Math.max(0, Math.min(byCost, byTokens));
}

function outputFor(limit: string | undefined, base: bigint, rate: bigint): number {
  return limit === undefined || rate === 0n
    ? Number.POSITIVE_INFINITY
    : Number((BigInt(limit) - base) / rate);
}

const tokensOf = (spent: Spent): number => spent.inputTokens + spent.outputTokens;

/** A part of a limit that is used up. */
export interface Reached {
  /** Of the limit, in percent. */
  readonly percent: number;
  readonly of: LimitKind;
}
export type LimitKind = "cost" | "tokens" | "calls" | "toolCalls";

/** The parts of its limits, of those asked about, that what is spent has reached: each once, by the first limit that has. */
export function reached(limits: Limits, posted: Spent, alertAt: readonly number[]): readonly Reached[] {
  const used: readonly (readonly [LimitKind, bigint, bigint | undefined])[] = [
    ["cost", posted.picoUsd, limits.picoUsd === undefined ? undefined : BigInt(limits.picoUsd)],
    ["tokens", BigInt(tokensOf(posted)), whole(limits.tokens)],
    ["calls", BigInt(posted.calls), whole(limits.calls)],
    ["toolCalls", BigInt(posted.toolCalls), whole(limits.toolCalls)],
  ];
  return alertAt.flatMap((percent): Reached[] => {
    const share = BigInt(Math.round(percent * 100)); // of 10,000
    const first = used.find(
      ([, spent, limit]) => limit !== undefined && spent > 0n && spent * 10_000n >= limit * share,
    );
    return first === undefined ? [] : [{ percent, of: first[0] }];
  });
}

const whole = (limit: number | undefined): bigint | undefined =>
  limit === undefined ? undefined : BigInt(limit);
