import type { MeanEstimate } from "./mean.ts";

/** Clusters of so many cases, on average, can hide what this is about. */
const largeCluster = 7;
/** So many clusters' worth of failures (or of passes) is enough to know how clusters fail: see decision 0030. */
const enough = 5;

/**
 * What whoever reads an interval should know besides, where it may not hold; undefined where there is nothing. Of few large
 * clusters that nearly all pass, one that fails as a whole may just not have been among them: cases within clusters do not tell.
 */
export function cautionOn({
  mean,
  cases,
  clusters,
}: Pick<MeanEstimate, "mean" | "cases" | "clusters">): string | undefined {
  if (clusters < 2)
    return cases === 1
      ? "One case tells nothing of others."
      : "All cases are of one cluster: however many, they tell nothing of others, and no interval can be given.";
  const rare = clusters * Math.min(mean, 1 - mean);
  if (cases / clusters <= largeCluster || rare >= enough) return undefined;
  const which = mean > 0.5 ? "fails" : "passes";
  return `Of ${clusters} clusters with ${Math.round(cases / clusters)} cases each hardly any ${which}: one that does as a whole may not have been seen, and the interval be too short. More clusters would tell, more cases of these would not.`;
}
