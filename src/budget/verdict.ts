import { decimalUsd, type Limits } from "../core/limits.ts";
import { type Bound, isOpen, shortage, type Use } from "./bounds.ts";

/**
 * Whether a budget is enough, by what is known before a run. A run never costs more than its budget either way:
 * `might-not-fit` may halt, `cannot-fit` will.
 */
export type Verdict = "fits" | "might-not-fit" | "cannot-fit" | "no-budget";

export interface Judgement {
  readonly verdict: Verdict;
  /** Sentences. */
  readonly why: readonly string[];
}

/** @param limits of the whole run. Time and the calls of tools are not estimated. */
export function judge(bound: Bound, { picoUsd, tokens, calls, toolCalls, timeMs }: Limits): Judgement {
  const limits: Partial<Use> = {
    ...(picoUsd === undefined ? {} : { picoUsd: BigInt(picoUsd) }),
    ...(tokens === undefined ? {} : { tokens: BigInt(tokens) }),
    ...(calls === undefined ? {} : { calls: BigInt(calls) }),
  };
  const short = shortage(bound.must, limits);
  const impossible = [...(short === undefined ? [] : [`the budget ${short}`]), ...bound.impossible];
  if (impossible.length > 0) return { verdict: "cannot-fit", why: impossible };
  const kinds = Object.keys(limits) as (keyof Use)[]; // as just made
  const unjudged = [
    ...(toolCalls === undefined ? [] : ["how many calls of tools there are is not estimated"]),
    ...(timeMs === undefined ? [] : ["how long it takes is not estimated"]),
  ];
  if (kinds.length + unjudged.length === 0) return { verdict: "no-budget", why: [] };
  const open = bound.open.filter(({ of }) => of.some((kind) => kinds.includes(kind)));
  const over = kinds.filter((kind) => !isOpen(bound, kind) && bound.use[kind] > (limits[kind] ?? 0n));
  const why = [
    ...over.map((kind) => `it may need up to ${amountText(bound.use, kind)}`),
    ...open.map((one) => one.why),
    ...unjudged,
  ];
  return { verdict: why.length === 0 ? "fits" : "might-not-fit", why };
}

function amountText(use: Use, kind: keyof Use): string {
  return kind === "picoUsd" ? `$${decimalUsd(use.picoUsd)}` : `${use[kind]} ${kind}`;
}
