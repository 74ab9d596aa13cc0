/**
 * Scores of cases that come in clusters. Cases of one cluster are alike (questions about one document), so that a hundred
 * of them say less than a hundred that have nothing in common; error bars that forget it are too short. Everything below
 * needs of a cluster only its size, the sum of its scores and the sum of their squares.
 */

/** A score and whose kin it is. Without a cluster, a case of its own. */
export interface Scored {
  readonly score: number;
  readonly cluster?: string | undefined;
}

/** Scores by their clusters; the lists have an element for each cluster. */
export interface Clusters {
  readonly sizes: readonly number[];
  readonly sums: readonly number[];
  readonly squares: readonly number[];
  /** Of all scores. */
  readonly cases: number;
  readonly mean: number;
}

export function clustersOf(scores: readonly Scored[]): Clusters {
  const places = new Map<string, number>();
  const sizes: number[] = [];
  const sums: number[] = [];
  const squares: number[] = [];
  let total = 0;
  for (const { score, cluster } of scores) {
    const at = (cluster === undefined ? undefined : places.get(cluster)) ?? sizes.length;
    if (cluster !== undefined) places.set(cluster, at);
    sizes[at] = (sizes[at] ?? 0) + 1;
    sums[at] = (sums[at] ?? 0) + score;
    squares[at] = (squares[at] ?? 0) + score * score;
    total += score;
  }
  return { sizes, sums, squares, cases: scores.length, mean: total / scores.length };
}

/**
 * The variance of the mean, robust to whatever cases of a cluster have in common, corrected for small numbers of clusters of
 * unequal size: the estimator CR2 of Bell and McCaffrey (2002), of a model that has a mean and nothing else. With clusters of
 * one case each it is the usual s²/n. Takes two clusters or more.
 */
export function varianceOfMean({ sizes, sums, cases, mean }: Clusters): number {
  let variance = 0;
  for (const [g, size] of sizes.entries()) {
    const residual = at(sums, g) - size * mean;
    variance += residual ** 2 / (1 - size / cases);
  }
  return variance / cases ** 2;
}

/**
 * How alike cases of one cluster are: 0 no more than any, 1 all the same. The estimator of the analysis of variance, held
 * between 0 and 1. 0 where no cluster has two cases.
 */
export function intraclassCorrelation({ sizes, sums, squares, cases, mean }: Clusters): number {
  const clusters = sizes.length;
  if (clusters < 2 || cases === clusters) return 0;
  let between = 0;
  let total = 0;
  let sizesSquared = 0;
  for (const [g, size] of sizes.entries()) {
    between += (at(sums, g) - size * mean) ** 2 / size;
    total += at(squares, g);
    sizesSquared += size ** 2;
  }
  total -= cases * mean ** 2;
  const among = between / (clusters - 1);
  const within = (total - between) / (cases - clusters);
  const usualSize = (cases - sizesSquared / cases) / (clusters - 1);
  const whole = among + (usualSize - 1) * within;
  return whole > 0 ? Math.min(1, Math.max(0, (among - within) / whole)) : 0;
}

/**
 * With how many degrees of freedom `varianceOfMean` is known: Satterthwaite's, as Bell and McCaffrey, and Imbens and Kolesár
 * (2016) take them, for cases that are alike by the correlation given. At most the number of clusters less one; far fewer,
 * where few clusters have most of the cases. With Q_gh the covariance of the residuals of clusters g and h, they are
 * (tr Q)² / tr Q²; the sums below are that, without writing down the matrix.
 */
export function degreesOfFreedom({ sizes, cases }: Clusters, correlation: number): number {
  let [all, trace, diagonal, uu, uw, ww] = [0, 0, 0, 0, 0, 0];
  const spreads = sizes.map((size) => size * (1 - correlation) + correlation * size ** 2);
  for (const spread of spreads) all += spread;
  for (const [g, size] of sizes.entries()) {
    const share = size / cases;
    const spread = at(spreads, g);
    const scale = 1 / (1 - share);
    const shared = -2 * share * spread + share ** 2 * all;
    trace += scale * (spread + shared);
    diagonal += scale ** 2 * (spread ** 2 + 2 * spread * shared);
    uu += scale * share ** 2;
    uw += scale * share * spread;
    ww += scale * spread ** 2;
  }
  const offDiagonal = 2 * ww * uu + 2 * uw ** 2 + all ** 2 * uu ** 2 - 4 * all * uw * uu;
  return trace ** 2 / (diagonal + offDiagonal);
}

/** How far a mean may be off, and how well that is known. */
export interface Uncertainty {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/**
 * The variance of the mean, and its degrees of freedom, also where hardly any cluster differs from the rest: nearly all cases
 * pass, or few have changed. Such a variance rests on those few. With K of them κ = Σr⁴ / (Σr²)², of the clusters' residuals r,
 * is some 1/K; of G clusters that scatter as usual it is 3/G. What κ has beyond that says that
 *
 * - the variance is known with few degrees of freedom: by Satterthwaite's formula 2 / (κ - 1/G), of what the residuals show;
 * - it is mostly too small, since the largest that may come are not among K seen: by K / (K + 1), when the few are as unequal as
 *   the sizes of clusters mostly are. So it grows by 1 + κ.
 *
 * How often intervals hold with it, and without, decision 0030 says.
 *
 * @param weight of what κ has beyond: 1 for a mean, whose interval is wider to one side anyway, more where it is not.
 */
export function uncertaintyOf(clusters: Clusters, correlation: number, weight = 1): Uncertainty {
  const { sizes, sums, mean } = clusters;
  let [squared, fourth] = [0, 0];
  for (const [g, size] of sizes.entries()) {
    const square = (at(sums, g) - size * mean) ** 2;
    squared += square;
    fourth += square ** 2;
  }
  const variance = varianceOfMean(clusters);
  const usual = degreesOfFreedom(clusters, correlation);
  if (squared === 0) return { variance, degreesOfFreedom: usual };
  const count = sizes.length;
  const beyond = weight * Math.max(0, fourth / squared ** 2 - byChance / count);
  return {
    variance: variance * (1 + beyond),
    degreesOfFreedom: Math.min(usual, 2 / (2 / count + beyond)),
  };
}
/** So much of κ, times the clusters, is no surprise: 3, and what chance adds. */
const byChance = 4;

/** An element of a list that has one for each cluster. */
const at = (list: readonly number[], g: number): number => list[g] as number;
