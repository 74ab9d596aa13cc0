import { type Clusters, clustersOf, intraclassCorrelation, type Scored, uncertaintyOf } from "./clusters.ts";
import { betaQuantile, normalQuantile, tQuantile } from "./quantiles.ts";

/** A mean score, and what it is known to within. */
export interface MeanEstimate {
  readonly mean: number;
  /** The interval: of a hundred such, as many hold the true mean as the confidence says. */
  readonly low: number;
  readonly high: number;
  /** 0 where all scores are the same; NaN of a single cluster. */
  readonly standardError: number;
  readonly degreesOfFreedom: number;
  readonly cases: number;
  readonly clusters: number;
  /** How alike cases of one cluster are, from 0 to 1. */
  readonly correlation: number;
}

/**
 * The mean of scores from 0 to 1, with an interval that holds when cases come in clusters: Wilson's, of as many cases as
 * would be as telling if they had nothing in common, with Student's t for what little is known of the variance; and no wider
 * than it would be if all cases of a cluster were the same.
 *
 * ```ts
 * const scores = [1, 1, 0, 1, 0].map((score, i) => ({ score, cluster: `document ${i % 3}` }));
 * const { mean, low, high } = meanInterval(scores);
 * ```
 *
 * How often a 95 % interval holds the truth, and of which clusters none can know, docs/evals.md says.
 * Of a single cluster nothing is known: the interval is 0 to 1.
 *
 * @param confidence between 0 and 1. Default 0.95.
 * @throws RangeError when there is no score, or one is not from 0 to 1.
 */
export function meanInterval(scores: readonly Scored[], confidence = 0.95): MeanEstimate {
  if (scores.length === 0) throw new RangeError("the mean of no scores");
  for (const { score } of scores) {
    if (!(score >= 0 && score <= 1)) throw new RangeError(`the score ${score} is not from 0 to 1`);
  }
  const clusters = clustersOf(scores);
  const correlation = intraclassCorrelation(clusters);
  const known = { mean: clusters.mean, cases: clusters.cases, clusters: clusters.sizes.length, correlation };
  if (known.clusters < 2) {
    return { ...known, low: 0, high: 1, standardError: Number.NaN, degreesOfFreedom: 0 };
  }
  const { variance, degreesOfFreedom } = uncertaintyOf(clusters, correlation);
  const interval = isAllSame(clusters)
    ? intervalOfSame(clusters.mean, known.clusters, confidence)
    : narrowed(
        clusters,
        confidence,
        wilson(clusters.mean, variance, tQuantile((1 + confidence) / 2, degreesOfFreedom)),
      );
  return { ...known, ...interval, standardError: Math.sqrt(variance), degreesOfFreedom };
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The means from which the one seen is no further than `t` standard errors, as large as those would be at that mean. */
function wilson(mean: number, variance: number, t: number): Interval {
  const spread = mean * (1 - mean);
  const k = (t ** 2 * variance) / spread;
  const centre = (mean + k / 2) / (1 + k);
  const half = Math.sqrt(k * (spread + k / 4)) / (1 + k);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Cases of a cluster can have no more in common than all: then a cluster is worth one case, and clusters of unequal size are worth
 * (Σn)² / Σn² (Kish 1965). The variance of so many cases is known from their mean; where few clusters leave more than that open,
 * the interval ends where that of so many cases does (Jeffreys', as Brown, Cai and DasGupta 2001 have it).
 */
function narrowed({ mean, sizes, cases }: Clusters, confidence: number, found: Interval): Interval {
  if (cases === sizes.length) return found; // nothing is alike
  const worth = cases ** 2 / sizes.reduce((sum, size) => sum + size ** 2, 0);
  const alike = wilson(mean, (mean * (1 - mean)) / worth, normalQuantile((1 + confidence) / 2));
  if (found.high - found.low <= alike.high - alike.low) return found;
  const end = (part: number): number => betaQuantile(part, mean * worth + 0.5, (1 - mean) * worth + 0.5);
  const [low, high] = [end((1 - confidence) / 2), end((1 + confidence) / 2)];
  // Next to 0 or 1 its end may not reach the mean; there it says nothing.
  return {
    low: low < mean ? Math.max(found.low, low) : found.low,
    high: high > mean ? Math.min(found.high, high) : found.high,
  };
}

const isAllSame = ({ sizes, sums, mean }: Clusters): boolean =>
  sums.every((sum, g) => Math.abs(sum - (sizes[g] as number) * mean) < 1e-12);

/**
 * Scores that are all the same show no variance, and still the next cluster may differ: as often, at most, as that would
 * have gone unseen in all clusters so far with half of what the confidence leaves.
 */
export function intervalOfSame(
  mean: number,
  clusters: number,
  confidence: number,
  [least, most]: readonly [number, number] = [0, 1],
): Interval {
  const unseen = 1 - ((1 - confidence) / 2) ** (1 / clusters);
  return { low: mean - unseen * (mean - least), high: mean + unseen * (most - mean) };
}
