/** What `flujo improve` makes of task worlds, many of them: for bench/improve.ts, and for the tests that hold its findings. */
import { normalQuantile, tQuantile } from "../../src/evals/statistics/quantiles.ts";
import { quickImprove, type Searcher } from "../../src/testing/worlds/quick-improve.ts";
import { taskWorld, type WorldFamily, worldFamilies } from "../../src/testing/worlds/world.ts";

/** A figure, with its 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A mean over seeds (Student's t). */
export function overSeeds(values: readonly number[]): Estimate {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = tQuantile(0.975, count - 1) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half };
}

/** A share of runs (Wilson). */
export function ofRuns(count: number, runs: number): Estimate {
  const z = normalQuantile(0.975);
  const mean = count / runs;
  const centre = mean + z ** 2 / (2 * runs);
  const half = z * Math.sqrt((mean * (1 - mean)) / runs + (z / (2 * runs)) ** 2);
  const whole = 1 + z ** 2 / runs;
  return { mean, low: Math.max(0, (centre - half) / whole), high: Math.min(1, (centre + half) / whole) };
}

export interface WorldsOptions {
  readonly variant?: "helpful" | "faint";
  /** The first of the seeds. Default 1. */
  readonly first?: number;
}

/** What share of the oracle's gain is reached with so many rollouts: by seed. */
export type Course = (rollouts: number) => readonly number[];

/** Of plain GEPA, whose way does not depend on where it is to end: each seed is searched once. */
export async function courseOf(
  family: WorldFamily,
  seeds: number,
  most: number,
  { variant = "helpful", first = 1 }: WorldsOptions = {},
): Promise<Course> {
  const courses: ((rollouts: number) => number)[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const world = taskWorld({ family, seed, variant });
    const { course, worth } = await quickImprove(world, { seed, rollouts: most, by: "gepa" });
    const { base, oracle } = world.reach;
    courses.push((rollouts) => {
      const best = course.findLast((one) => one.rollouts <= rollouts)?.best;
      return best === undefined ? 0 : (worth(best).score - base.score) / (oracle.score - base.score);
    });
  }
  return (rollouts) => courses.map((shareAt) => shareAt(rollouts));
}

/** Of `improve`, which is told how many rollouts it may use. */
export async function sharesAt(
  family: WorldFamily,
  seeds: number,
  rollouts: number,
  { variant = "helpful", first = 1 }: WorldsOptions = {},
): Promise<number[]> {
  const shares: number[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const world = taskWorld({ family, seed, variant });
    const { before, after } = await quickImprove(world, { seed, rollouts });
    shares.push((after.score - before.score) / (world.reach.oracle.score - before.score));
  }
  return shares;
}

/** The fewest rollouts, in steps of ten, with which the mean over seeds is so high; undefined where the most do not suffice. */
export function rolloutsFor(share: number, course: Course, most: number): number | undefined {
  for (let rollouts = 10; rollouts <= most; rollouts += 10)
    if (overSeeds(course(rollouts)).mean >= share) return rollouts;
  return undefined;
}

/** What is kept of changes that help nobody. */
export interface Keeping {
  readonly runs: number;
  /** Of so many the search brought something that looked better on the validation split. */
  readonly found: number;
  readonly kept: number;
  /** Kept, and worse in truth. */
  readonly harmful: number;
  /** Kept, and in truth no better on the whole, and worse on a slice by more than the margin. */
  readonly slicesHurt: number;
}

const rollouts = 250;
const sliceMargin = 0.05;

/**
 * Improves worlds in which no patch helps: of every family in turn, small and large, their cases alone or in clusters.
 *
 * @param searches so many in each world, one after the other, on the same test split, until something is kept. Default 1.
 */
export async function keepingIn(
  variant: "null" | "harm",
  runs: number,
  by: Searcher,
  searches = 1,
): Promise<Keeping> {
  let [found, kept, harmful, slicesHurt] = [0, 0, 0, 0];
  for (let seed = 1; seed <= runs; seed += 1) {
    const pick = <T>(among: readonly T[], stride: number): T =>
      among[Math.floor(seed / stride) % among.length] as T; // within the list
    const validation = pick([20, 40], 6);
    const test = pick([40, 80, 160, 240], 12);
    const world = taskWorld({
      ...{ family: pick(worldFamilies, 1), seed, variant },
      ...{ sizes: { train: 40, validation, test }, clusterSize: pick([1, 2, 4], 48) },
    });
    let look = 0;
    for (let search = 0; search < searches; search += 1) {
      // Whatever it costs: a change that is refused for its price would hide how often chance is taken for a gain.
      const terms = { maxCostRatio: Number.POSITIVE_INFINITY, sliceMargin, look: look + 1 };
      const improved = await quickImprove(world, { seed: seed + 10_000 * search, rollouts, by, terms });
      if (improved.promotion === undefined) continue;
      look += 1;
      if (!improved.isKept) continue;
      kept += 1;
      const { before, after } = improved;
      if (after.score < before.score - 1e-9) harmful += 1;
      if (
        Object.entries(before.slices).some(([tag, score]) => (after.slices[tag] ?? 0) < score - sliceMargin)
      )
        slicesHurt += 1;
      break;
    }
    if (look > 0) found += 1;
  }
  return { runs, found, kept, harmful, slicesHurt };
}
