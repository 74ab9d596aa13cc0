/**
 * Scores in clusters whose truth is known. Each case has its cluster's own draw with the probability √ICC, and a draw of its own
 * otherwise: so two cases of a cluster correlate by exactly the ICC, whatever scores are made of the draws.
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Scored } from "../../src/evals/statistics/clusters.ts";
import { meanInterval } from "../../src/evals/statistics/mean.ts";
import { type Pair, pairedDifference } from "../../src/evals/statistics/paired.ts";

/** What is simulated. */
export interface Scenario {
  /** Passed or failed; or anything from 0 to 1, skewed as the mean asks. */
  readonly kind: "binary" | "continuous";
  readonly clusters: number;
  readonly icc: number;
  readonly mean: number;
}

export interface PairScenario extends Scenario {
  /** The mean after the change. */
  readonly after: number;
}

type Draw = () => number;

/** A number from 0 to 1 as a score with that mean. */
const scoreOf = (kind: Scenario["kind"], mean: number, draw: number): number =>
  kind === "binary" ? Number(draw < mean) : draw ** (1 / mean - 1);

/** Clusters of one to many cases, five on average, far from equal. */
const sizeOf = (draw: Draw): number => 1 + Math.floor(-4 * Math.log(1 - draw()));

function scoresOf({ kind, clusters, icc, mean }: Scenario, draw: Draw): Scored[] {
  const share = Math.sqrt(icc);
  return Array.from({ length: clusters }, (_, g) => {
    const common = draw();
    return Array.from({ length: sizeOf(draw) }, () => ({
      score: scoreOf(kind, mean, draw() < share ? common : draw()),
      cluster: `${g}`,
    }));
  }).flat();
}

/** Six cases of ten do after the change as they did before. */
export function pairsOf({ kind, clusters, icc, mean, after }: PairScenario, draw: Draw): Pair[] {
  const share = Math.sqrt(icc);
  return Array.from({ length: clusters }, (_, g) => {
    const common = [draw(), draw()] as const;
    return Array.from({ length: sizeOf(draw) }, () => {
      const first = draw() < share ? common[0] : draw();
      const second = draw() < 0.6 ? first : draw() < share ? common[1] : draw();
      return { before: scoreOf(kind, mean, first), after: scoreOf(kind, after, second), cluster: `${g}` };
    });
  }).flat();
}

export const drawFrom = (seed: number): Draw => {
  const random = xoroshiro128plus(seed);
  return () => (random.next() >>> 0) / 2 ** 32;
};

/** In which part of so many experiments the interval held the true mean. */
export function coverageOfMean(scenario: Scenario, experiments: number, seed = 1): number {
  const draw = drawFrom(seed);
  let held = 0;
  for (let i = 0; i < experiments; i += 1) {
    const { low, high } = meanInterval(scoresOf(scenario, draw));
    held += Number(low <= scenario.mean && scenario.mean <= high);
  }
  return held / experiments;
}

/** The same of the true difference. */
export function coverageOfDifference(scenario: PairScenario, experiments: number, seed = 1): number {
  const draw = drawFrom(seed);
  const truth = scenario.after - scenario.mean;
  let held = 0;
  for (let i = 0; i < experiments; i += 1) {
    const { low, high } = pairedDifference(pairsOf(scenario, draw));
    held += Number(low <= truth && truth <= high);
  }
  return held / experiments;
}

/** By how much a coverage found in so many experiments may be off: the standard error of a share of 0.95. */
export const monteCarloError = (experiments: number): number => Math.sqrt((0.95 * 0.05) / experiments);
