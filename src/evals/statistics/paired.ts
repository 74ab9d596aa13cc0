import { Resampled } from "./bootstrap.ts";
import {
  type Clusters,
  clustersOf,
  intraclassCorrelation,
  uncertaintyOf,
  varianceOfMean,
} from "./clusters.ts";
import { intervalOfSame } from "./mean.ts";
import { tBeyond, tQuantile } from "./quantiles.ts";

/** One case, scored before and after a change. */
export interface Pair {
  readonly before: number;
  readonly after: number;
  readonly cluster?: string | undefined;
}

/** How much better, on average, a case does after a change. */
export interface PairedDifference {
  /** After less before, from -1 to 1. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** How probable a difference so far from 0 would be if there were none: from 0 to 1. Not corrected for other looks. */
  readonly p: number;
  /** NaN of a single cluster. */
  readonly standardError: number;
  readonly cases: number;
  readonly clusters: number;
}

export interface PairedOptions {
  /** Between 0 and 1. Default 0.95. */
  readonly confidence?: number;
  /**
   * `"t"` (default): Student's, with the robust variance. `"bootstrap"`: clusters drawn anew, of the studentised difference,
   * symmetric; it says little where few clusters differ.
   */
  readonly by?: "t" | "bootstrap";
  /** Of the bootstrap's draws. Default 1: the same scores always give the same interval. */
  readonly seed?: number;
  /** Of the bootstrap: a whole number from 99. Default: 9,999, and fewer from a thousand clusters on. */
  readonly resamples?: number;
}

/**
 * The difference between scores of the same cases, with an interval that holds when cases come in clusters. Pairing takes away
 * what makes cases hard or easy, and with it most of the noise.
 *
 * ```ts
 * const pairs = [0.2, 0.9, 0.4].map((before, i) => ({ before, after: before + 0.1, cluster: `document ${i}` }));
 * const { mean, low, high, p } = pairedDifference(pairs);
 * ```
 *
 * How often a 95 % interval holds the truth, docs/evals.md says. Of a single cluster nothing is known: the interval is -1 to 1.
 *
 * @throws RangeError when there is no pair, or a score is not from 0 to 1.
 */
export function pairedDifference(pairs: readonly Pair[], options: PairedOptions = {}): PairedDifference {
  const { confidence = 0.95 } = options;
  if (pairs.length === 0) throw new RangeError("the difference of no scores");
  for (const { before, after } of pairs) {
    if (!(before >= 0 && before <= 1 && after >= 0 && after <= 1))
      throw new RangeError(`the scores ${before} and ${after} are not from 0 to 1`);
  }
  const clusters = clustersOf(
    pairs.map(({ before, after, cluster }) => ({ score: after - before, cluster })),
  );
  const known = { mean: clusters.mean, cases: clusters.cases, clusters: clusters.sizes.length };
  if (known.clusters < 2) return { ...known, low: -1, high: 1, p: 1, standardError: Number.NaN };
  if (varianceOfMean(clusters) < 1e-24) {
    const interval = intervalOfSame(known.mean, known.clusters, confidence, [-1, 1]);
    const p = Math.abs(known.mean) < 1e-12 ? 1 : Math.min(1, 2 ** (1 - known.clusters));
    return { ...known, ...interval, p, standardError: 0 };
  }
  const { standardError, reach, p } = off(clusters, confidence, options);
  const half = reach * standardError;
  return {
    ...known,
    ...{ low: Math.max(-1, known.mean - half), high: Math.min(1, known.mean + half) },
    ...{ p, standardError },
  };
}

/** How far the mean may be off: the interval's reach in standard errors, and how probable it is to be as far from 0. */
function off(
  clusters: Clusters,
  confidence: number,
  { by = "t", seed = 1, resamples }: PairedOptions,
): { readonly standardError: number; readonly reach: number; readonly p: number } {
  if (by === "bootstrap") {
    const standardError = Math.sqrt(varianceOfMean(clusters));
    const resampled = new Resampled(clusters, seed, resamples);
    const p = resampled.beyond(Math.abs(clusters.mean) / standardError);
    return { standardError, reach: resampled.within(confidence), p };
  }
  const { variance, degreesOfFreedom } = uncertaintyOf(clusters, intraclassCorrelation(clusters), 1.5);
  const standardError = Math.sqrt(variance);
  const p = tBeyond(clusters.mean / standardError, degreesOfFreedom);
  return { standardError, reach: tQuantile((1 + confidence) / 2, degreesOfFreedom), p };
}
