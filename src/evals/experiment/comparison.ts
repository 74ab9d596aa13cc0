import { holm } from "../statistics/holm.ts";
import { casesNeeded } from "../statistics/needed.ts";
import { type Pair, type PairedDifference, pairedDifference } from "../statistics/paired.ts";
import type { TrialRecord } from "./record.ts";
import { casesOf } from "./summary.ts";
import type { CaseScore } from "./tally.ts";

/** An experiment beside an earlier one, case by case. */
export interface Comparison {
  /** After less before, over the cases that both have. */
  readonly difference: PairedDifference;
  /** By tag; `holm` is the probability corrected for the number of slices. */
  readonly slices: { readonly [tag: string]: PairedDifference & { readonly holm: number } };
  /** Of cases whose scores differ: the worse first. */
  readonly changed: readonly { readonly caseId: string; readonly before: number; readonly after: number }[];
  /** Cases that only one of both has. */
  readonly unpaired: number;
  /** Where the interval holds 0: how many cases would tell a difference as large as the margin. Absent where nobody knows. */
  readonly casesNeeded?: number;
}

/** Terms of a verdict. */
export interface GateTerms {
  /** How much worse is still no worse: from 0 to 1. Default 0.05. */
  readonly margin?: number;
}
export const defaultMargin = 0.05;

/**
 * Compares two experiments on the cases that both have tried.
 *
 * ```ts
 * const store = sqlite(".flujo/flujo.db");
 * const [before, after] = [await readExperiment(store, "baseline"), await readExperiment(store, "new-prompt")];
 * const { difference } = compare(before?.records ?? [], after?.records ?? []);
 * console.log(difference.mean, difference.low, difference.high);
 * ```
 *
 * @throws RangeError when they have no case in common.
 */
export function compare(
  before: readonly TrialRecord[],
  after: readonly TrialRecord[],
  terms: GateTerms = {},
): Comparison {
  return compareCases(casesOf(before), casesOf(after), terms);
}

/** The same of cases whose trials are summed up. */
export function compareCases(
  before: Iterable<CaseScore>,
  after: Iterable<CaseScore>,
  { margin = defaultMargin }: GateTerms = {},
): Comparison {
  const known = new Map<string, number>();
  for (const { caseId, score } of before) known.set(caseId, score);
  const cases = [...after];
  const shared = cases.filter(({ caseId }) => known.has(caseId));
  const pairOf = ({ caseId, score, cluster }: CaseScore): Pair => ({
    before: known.get(caseId) ?? 0, // it is there
    after: score,
    cluster,
  });
  const difference = pairedDifference(shared.map(pairOf));
  const tags = [...new Set(shared.flatMap(({ tags }) => tags))].sort();
  const slices = tags.map((tag) =>
    pairedDifference(shared.filter(({ tags }) => tags.includes(tag)).map(pairOf)),
  );
  const corrected = holm(slices.map(({ p }) => p));
  const isKnown = difference.low > 0 || difference.high < 0;
  const needed = isKnown ? undefined : casesNeeded(difference, Math.max(margin, 0.01));
  return {
    difference,
    slices: Object.fromEntries(
      tags.map((tag, i) => [tag, { ...(slices[i] as PairedDifference), holm: corrected[i] as number }]), // one for each tag
    ),
    changed: shared
      .map((one) => ({ caseId: one.caseId, before: pairOf(one).before, after: one.score }))
      .filter(({ before, after }) => before !== after)
      .sort((a, b) => a.after - a.before - (b.after - b.before)),
    unpaired: cases.length + known.size - 2 * shared.length,
    ...(needed === undefined ? {} : { casesNeeded: needed }),
  };
}

/** What a gate says. */
export type Verdict = "pass" | "regress" | "inconclusive";

/**
 * Whether a comparison lets a change through. It passes when the interval shows that it is not worse by more than the margin,
 * and regresses when the interval shows that it is worse; or a slice is, by more than the margin, after Holm's correction.
 * Otherwise the cases do not tell.
 *
 * ```ts
 * const store = sqlite(".flujo/flujo.db");
 * const [before, after] = [await readExperiment(store, "baseline"), await readExperiment(store, "new-prompt")];
 * const verdict = gate(compare(before?.records ?? [], after?.records ?? []), { margin: 0.02 });
 * ```
 */
export function gate(
  { difference, slices }: Comparison,
  { margin = defaultMargin }: GateTerms = {},
): Verdict {
  const isWorse = Object.values(slices).some(({ mean, holm: p }) => p < 0.05 && mean < -margin);
  if (isWorse || (difference.high < 0 && difference.low < -margin)) return "regress";
  return difference.low >= -margin ? "pass" : "inconclusive";
}

/**
 * The same of an experiment by itself: whether its mean score is at least so high.
 *
 * ```ts
 * const verdict = gateAt({ low: 0.82, high: 0.9 }, 0.8); // "pass"
 * ```
 */
export function gateAt(
  { low, high }: { readonly low: number; readonly high: number },
  least: number,
): Verdict {
  return low >= least ? "pass" : high < least ? "regress" : "inconclusive";
}
