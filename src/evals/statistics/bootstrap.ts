import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Clusters } from "./clusters.ts";

/** So many cases are drawn in all; the number of resamples follows, within these bounds. */
const drawn = 10_000_000;
const fewestResamples = 999;
const mostResamples = 9_999;

/** How far, in standard errors, means of clusters drawn anew lie from the one that was seen. */
export class Resampled {
  readonly #distances: Float64Array;

  constructor(clusters: Clusters, seed: number, resamples = resamplesFor(clusters.sizes.length)) {
    this.#distances = studentised(clusters, seed, resamples);
  }

  /** Within so many standard errors lies such a part of them. */
  within(part: number): number {
    const { length } = this.#distances;
    return this.#distances[Math.ceil(part * (length + 1)) - 1] ?? Number.POSITIVE_INFINITY;
  }

  /** Which part of them lies as far off, or further: never none. */
  beyond(standardErrors: number): number {
    const { length } = this.#distances;
    return (length - below(this.#distances, standardErrors) + 1) / (length + 1);
  }
}

const resamplesFor = (clusters: number): number =>
  Math.min(mostResamples, Math.max(fewestResamples, Math.floor(drawn / clusters)));

/** How far, in standard errors, resampled means lie from the one seen: from near to far. */
function studentised(clusters: Clusters, seed: number, resamples: number): Float64Array {
  const { sizes, sums, mean } = clusters;
  const count = sizes.length;
  const random = xoroshiro128plus(seed);
  const [drawnSizes, drawnSums] = [new Float64Array(count), new Float64Array(count)];
  const distances = new Float64Array(resamples);
  for (let r = 0; r < resamples; r += 1) {
    let cases = 0;
    let total = 0;
    for (let g = 0; g < count; g += 1) {
      const pick = Math.floor(((random.next() >>> 0) / 2 ** 32) * count);
      const [size, sum] = [sizes[pick] as number, sums[pick] as number]; // one of the clusters
      drawnSizes[g] = size;
      drawnSums[g] = sum;
      cases += size;
      total += sum;
    }
    const resampled = total / cases;
    const variance = varianceOf(drawnSizes, drawnSums, cases, resampled);
    const distance = Math.abs(resampled - mean);
    // A resample without any variance that is off the mean is as far off as can be.
    distances[r] = variance > 1e-24 ? distance / Math.sqrt(variance) : distance < 1e-12 ? 0 : Infinity;
  }
  return distances.sort();
}

/** `varianceOfMean`, of lists that are used again and again. */
function varianceOf(sizes: Float64Array, sums: Float64Array, cases: number, mean: number): number {
  let variance = 0;
  for (let g = 0; g < sizes.length; g += 1) {
    const size = sizes[g] as number; // within its length
    const residual = (sums[g] as number) - size * mean; // as above
    variance += (residual * residual) / (1 - size / cases);
  }
  return variance / cases ** 2;
}

/** How many of them, in rising order, lie below a value. */
function below(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) < value - 1e-12)
      low = middle + 1; // within its length
    else high = middle;
  }
  return low;
}
