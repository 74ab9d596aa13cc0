/**
 * The account that enforces limits. Money moves as in TigerBeetle's two-phase transfers: a reservation is *pending*
 * until it is *posted* at what the call cost, and on every scope, always, posted + pending <= limit.
 */

import type { Quote } from "../core/context.ts";
import { BudgetExceededError } from "../core/errors.ts";
import { addSpent, decimalUsd, type Limits, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";

/** One account: the run's, or that of a place with a budget of its own. */
export interface Scope {
  readonly path: Path;
  limits: Limits;
  /** When its time began, in milliseconds since 1970. */
  readonly since: number;
  posted: Spent;
  pending: Spent;
}

export function openScope(path: Path, limits: Limits, since: number, posted: Spent = nothingSpent): Scope {
  return { path, limits, since, posted, pending: nothingSpent };
}

/** What a scope says to a quote. */
export type Answer =
  | { readonly verdict: "granted"; readonly outputTokens: number; readonly worst: Spent }
  /** Not now, but possibly once pending reservations are settled. */
  | { readonly verdict: "wait" }
  | { readonly verdict: "refused"; readonly error: BudgetExceededError };

/** The most a call can use when its answer has at most so many tokens. */
export function worstCase(quote: Quote, outputTokens: number): Spent {
  const rates = quote.rates ?? { input: 0n, output: 0n };
  return {
    picoUsd: BigInt(quote.inputTokens) * rates.input + BigInt(outputTokens) * rates.output,
    inputTokens: quote.inputTokens,
    outputTokens,
    calls: 1,
  };
}

/** Whether all scopes can pay for a call now, later, or never; granted, the output cap is what they can all pay. */
export function ask(scopes: readonly Scope[], quote: Quote, now: number): Answer {
  const { wanted, least } = quote.outputTokens;
  const smallest = Math.min(least, wanted);
  let cap = wanted;
  for (const scope of scopes) {
    if (scope.limits.picoUsd !== undefined && quote.rates === undefined) {
      return { verdict: "refused", error: unpriced(scope, quote) };
    }
    const never = shortOf(scope, scope.posted, worstCase(quote, smallest), now);
    if (never) return { verdict: "refused", error: refusal(scope, quote, never) };
  }
  for (const scope of scopes) {
    const used = addSpent(scope.posted, scope.pending);
    if (scope.pending.calls > 0 && shortOf(scope, used, worstCase(quote, wanted), now))
      return { verdict: "wait" };
    cap = Math.min(cap, affordableOutput(scope, used, quote));
  }
  return { verdict: "granted", outputTokens: cap, worst: worstCase(quote, cap) };
}

/** Which limit would be broken, in words; undefined when none. */
function shortOf(scope: Scope, used: Spent, worst: Spent, now: number): string | undefined {
  const { picoUsd, tokens, calls, timeMs } = scope.limits;
  if (picoUsd !== undefined && used.picoUsd + worst.picoUsd > BigInt(picoUsd)) {
    return `needs up to $${decimalUsd(worst.picoUsd)}, and $${decimalUsd(used.picoUsd)} of $${decimalUsd(BigInt(picoUsd))} is spent`;
  }
  const asked = worst.inputTokens + worst.outputTokens;
  const had = used.inputTokens + used.outputTokens;
  if (tokens !== undefined && had + asked > tokens) {
    return `needs up to ${asked} tokens, and ${had} of ${tokens} are used`;
  }
  if (calls !== undefined && used.calls + worst.calls > calls)
    return `would be call ${used.calls + 1} of ${calls}`;
  if (timeMs !== undefined && now - scope.since >= timeMs) {
    return `comes ${now - scope.since} ms after the start, and the limit is ${timeMs} ms`;
  }
  return undefined;
}

/** The largest output cap the scope can pay. */
function affordableOutput(scope: Scope, used: Spent, quote: Quote): number {
  const base = addSpent(used, worstCase(quote, 0));
  const byCost = outputFor(scope.limits.picoUsd, base.picoUsd, quote.rates?.output ?? 0n);
  const byTokens =
    scope.limits.tokens === undefined
      ? Number.POSITIVE_INFINITY
      : scope.limits.tokens - base.inputTokens - base.outputTokens;
  return Math.max(0, Math.min(byCost, byTokens));
}

function outputFor(limit: string | undefined, base: bigint, rate: bigint): number {
  return limit === undefined || rate === 0n
    ? Number.POSITIVE_INFINITY
    : Number((BigInt(limit) - base) / rate);
}

/** Moves money: `pending` up at a reservation; down, and `posted` up by the true amount, at its settlement. */
export function hold(scopes: readonly Scope[], worst: Spent): void {
  for (const scope of scopes) scope.pending = addSpent(scope.pending, worst);
}
export function post(scopes: readonly Scope[], worst: Spent, actual: Spent): void {
  for (const scope of scopes) {
    scope.pending = addSpent(scope.pending, negative(worst));
    scope.posted = addSpent(scope.posted, actual);
  }
}

const negative = (spent: Spent): Spent => ({
  picoUsd: -spent.picoUsd,
  inputTokens: -spent.inputTokens,
  outputTokens: -spent.outputTokens,
  calls: -spent.calls,
});

function refusal(scope: Scope, quote: Quote, why: string): BudgetExceededError {
  return new BudgetExceededError(
    `the budget of ${scope.path} does not allow a call to ${quote.model}: it ${why}`,
    {
      path: scope.path,
      hint: "Nothing was sent. Raise the limit and resume: flujo resume RUN --budget '$…'.",
    },
  );
}

function unpriced(scope: Scope, quote: Quote): BudgetExceededError {
  return new BudgetExceededError(
    `${quote.model} has no known price, and the budget of ${scope.path} has a cost limit`,
    {
      path: scope.path,
      hint: `Give it a price: prices: { "${quote.model}": { input: "$…", output: "$…" } }.`,
    },
  );
}
