/** Whether a change has shown, on cases that nothing was chosen by, that it helps: the gate before a patch is kept. */
import { InvalidOptionError } from "../../core/errors.ts";
import { decimalUsd } from "../../core/limits.ts";
import { holm } from "../statistics/holm.ts";
import { casesNeeded } from "../statistics/needed.ts";
import { type Pair, type PairedDifference, pairedDifference } from "../statistics/paired.ts";

/** One case of the test split, tried once. */
export interface TrialScore {
  readonly caseId: string;
  readonly cluster?: string | undefined;
  readonly tags: readonly string[];
  /** From 0 to 1. */
  readonly score: number;
  /** What the trial cost: digits of pico-dollars. */
  readonly picoUsd: string;
}

export interface PromotionTerms {
  /** The gain must be larger, by the lower end of its interval: from 0 to 1. Default 0. */
  readonly threshold?: number | undefined;
  /** How much worse a slice may seem: from 0 to 1. Default 0.05. */
  readonly sliceMargin?: number | undefined;
  /** A case may cost so many times what it did: from 0. Default 1.25. */
  readonly maxCostRatio?: number | undefined;
  /** Which use of this test split it is: from 1. Each makes the next one's interval wider. */
  readonly look: number;
}

/** What the gate says; the first of these that holds. */
export type PromotionVerdict =
  /** It is not better by more than the threshold, as far as one sees. */
  | "no-gain"
  /** A slice is worse by more than its margin, and that is no chance. */
  | "slice-regressed"
  | "too-costly"
  /** It seems better, and chance could do as much. */
  | "insufficient-evidence"
  | "promote";

export interface Promotion {
  readonly verdict: PromotionVerdict;
  /** Over all cases, at the confidence of this look. */
  readonly difference: PairedDifference;
  readonly confidence: number;
  readonly look: number;
  readonly slices: { readonly [tag: string]: SliceChange };
  /** US dollars a case, exact to the pico-dollar, rounded up. */
  readonly cost: { readonly before: string; readonly after: string };
  /** Of insufficient evidence: with so many cases like these, a gain as large as the one seen would be proven, four times in five. */
  readonly casesNeeded?: number;
  /** A sentence for people. */
  readonly why: string;
}

/** A slice before and after. Of one that has a single cluster nothing is known: its interval is -1 to 1. */
export interface SliceChange extends PairedDifference {
  /** How probable a fall so deep would be if there were none, corrected for the number of slices (Holm). 1 where it has risen. */
  readonly worse: number;
  /** `yes`: worse by more than its margin, and no chance. `maybe`: so it seems, and chance could do as much. */
  readonly regressed: "no" | "maybe" | "yes";
}

/** Nothing is promoted on fewer clusters: four that do nothing all rise once in sixteen times. */
export const fewestClusters = 5;

/**
 * The confidence of the k-th look at one test split. What the looks leave to chance is 0.05 · 6 / (π² k²), and the sum of
 * 1 / k² over all k is π² / 6: all looks there can ever be, together, are wrong in at most 5 of 100.
 *
 * @param look from 1.
 * @throws RangeError
 */
export function confidenceAt(look: number): number {
  if (!Number.isSafeInteger(look) || look < 1)
    throw new RangeError(`a look is a whole number from 1, not ${look}`);
  return 1 - (0.05 * 6) / (Math.PI * look) ** 2;
}

/**
 * Whether a change is kept: when the lower end of the interval of its paired gain is above the threshold, no slice has
 * fallen beyond its margin, and a case costs no more than it may.
 *
 * ```ts
 * const score = (caseId: string, score: number) => ({ caseId, tags: [], score, picoUsd: "1000000" });
 * const ids = Array.from({ length: 30 }, (_, i) => `case ${i}`);
 * const { verdict, why } = promotion(
 *   ids.map((id) => score(id, 0.2)),
 *   ids.map((id, i) => score(id, i % 3 === 0 ? 0.3 : 0.9)),
 *   { look: 1 },
 * );
 * ```
 *
 * The interval has two sides, and one of them decides. Where errors are as often too high as too low, a change that does
 * nothing is promoted half as often as the confidence allows; where they are not, never more often than it allows.
 * For the same reason slices are asked one thing only, whether they are worse.
 *
 * @param before of each case one trial or several, as of `after`.
 * @throws RangeError when the cases of both are not the same, there is none, or a score is not from 0 to 1;
 *   InvalidOptionError for terms out of their bounds.
 */
export function promotion(
  before: readonly TrialScore[],
  after: readonly TrialScore[],
  terms: PromotionTerms,
): Promotion {
  checkTerms(terms);
  const { threshold = 0, sliceMargin = 0.05, maxCostRatio = 1.25, look } = terms;
  const confidence = confidenceAt(look);
  const pairs = paired(before, after);
  const difference = pairedDifference(pairs, { confidence });
  const slices = slicesOf(pairs, sliceMargin);
  const cost = { before: averageCost(before), after: averageCost(after) };
  const known = {
    difference: recorded(difference),
    confidence,
    look,
    slices,
    cost: { before: usd(cost.before), after: usd(cost.after) },
  };
  const fallen = Object.keys(slices).filter((tag) => slices[tag]?.regressed === "yes");
  const gain = difference.mean - threshold;
  const told = (verdict: PromotionVerdict, why: string): Promotion => ({ verdict, ...known, why });
  if (gain <= 1e-12)
    return told("no-gain", `It is not better: the cases score ${signed(difference.mean)} on average.`);
  if (fallen.length > 0)
    return told(
      "slice-regressed",
      `It is better on the whole, and worse on ${fallen.map(quoted).join(", ")}.`,
    );
  if (isTooCostly(before, after, maxCostRatio)) {
    const most = `${maxCostRatio} times of that`;
    return told(
      "too-costly",
      `A case costs $${known.cost.after}, was $${known.cost.before}, and may cost ${most}.`,
    );
  }
  if (difference.low > threshold && difference.clusters >= fewestClusters)
    return told("promote", `The gain is ${signed(difference.mean)}, at least ${signed(difference.low)}.`);
  const needed = neededFor(difference, gain, confidence);
  return {
    ...told("insufficient-evidence", unproven(difference, needed)),
    ...(needed === undefined ? {} : { casesNeeded: needed }),
  };
}

/** @throws InvalidOptionError for a term out of its bounds. */
export function checkTerms(terms: Omit<PromotionTerms, "look">): void {
  const { threshold = 0, sliceMargin = 0, maxCostRatio = 0 } = terms;
  for (const [name, value] of Object.entries({ threshold, sliceMargin })) {
    if (!(value >= 0 && value <= 1))
      throw new InvalidOptionError(`${name} is ${value}; it takes a number from 0 to 1`);
  }
  if (!(maxCostRatio >= 0))
    throw new InvalidOptionError(`maxCostRatio is ${maxCostRatio}; it takes a number from 0`);
}

interface CasePair extends Pair {
  readonly tags: readonly string[];
}

/** Each case once, with the mean of its trials. */
function paired(before: readonly TrialScore[], after: readonly TrialScore[]): CasePair[] {
  const [old, fresh] = [Map.groupBy(before, idOf), Map.groupBy(after, idOf)];
  const odd = [...old.keys(), ...fresh.keys()].find((id) => !(old.has(id) && fresh.has(id)));
  if (odd !== undefined) throw new RangeError(`the case ${quoted(odd)} was not tried both before and after`);
  return [...old].map(([id, trials]) => {
    const { cluster, tags } = trials[0] as TrialScore; // a group has one
    return { before: meanScore(trials), after: meanScore(fresh.get(id) ?? []), cluster, tags }; // it is there
  });
}

const idOf = ({ caseId }: TrialScore): string => caseId;
const meanScore = (trials: readonly TrialScore[]): number =>
  trials.reduce((sum, { score }) => sum + score, 0) / trials.length;

function slicesOf(pairs: readonly CasePair[], margin: number): { [tag: string]: SliceChange } {
  const tags = [...new Set(pairs.flatMap(({ tags }) => tags))].sort();
  const differences = tags.map((tag) => pairedDifference(pairs.filter(({ tags }) => tags.includes(tag))));
  // Half of a two-sided probability: only a fall counts.
  const corrected = holm(differences.map(({ mean, p }) => (mean < 0 ? p / 2 : 1)));
  return Object.fromEntries(
    differences.map((difference, i) => {
      const worse = corrected[i] as number; // one for each
      const isDeep = difference.mean < -margin;
      const regressed = !isDeep ? "no" : worse < 0.05 ? "yes" : "maybe";
      return [tags[i] as string, { ...recorded(difference), worse, regressed }];
    }),
  );
}

/** As a journal takes it. Of a single cluster no error is known; it is 1 at most. */
const recorded = (difference: PairedDifference): PairedDifference =>
  Number.isNaN(difference.standardError) ? { ...difference, standardError: 1 } : difference;

const totalOf = (trials: readonly TrialScore[]): bigint =>
  trials.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n);

/** Of a trial, rounded up. */
const averageCost = (trials: readonly TrialScore[]): bigint =>
  (totalOf(trials) + BigInt(trials.length) - 1n) / BigInt(trials.length);

/** Compared in whole pico-dollars, with the ratio to the millionth. */
function isTooCostly(
  before: readonly TrialScore[],
  after: readonly TrialScore[],
  maxCostRatio: number,
): boolean {
  if (!Number.isFinite(maxCostRatio)) return false;
  const millionths = BigInt(Math.round(maxCostRatio * 1e6));
  const allowed = totalOf(before) * BigInt(after.length) * millionths;
  return totalOf(after) * BigInt(before.length) * 1_000_000n > allowed;
}

function neededFor(difference: PairedDifference, gain: number, confidence: number): number | undefined {
  const needed = casesNeeded(difference, gain, { confidence });
  if (needed === undefined) return undefined;
  const ofClusters = Math.ceil((difference.cases / difference.clusters) * fewestClusters);
  return Math.max(needed, ofClusters, difference.cases + 1);
}

function unproven(
  { mean, low, high, clusters, cases }: PairedDifference,
  needed: number | undefined,
): string {
  const seen = `The gain seen is ${signed(mean)}, and may be from ${signed(low)} to ${signed(high)}`;
  const few =
    clusters >= fewestClusters
      ? ""
      : ` The ${cases} cases are of ${clusters === 1 ? "one cluster" : `${clusters} clusters`}; it takes ${fewestClusters}.`;
  const wanted = needed === undefined ? "" : ` About ${needed} test cases would tell.`;
  return `${seen}.${few}${wanted}`;
}

const usd = (pico: bigint): string => decimalUsd(pico);
const signed = (score: number): string => `${score < 0 ? "" : "+"}${score.toFixed(3)}`;
const quoted = (name: string): string => JSON.stringify(name);
