/** What a pipeline is likely to cost, from what past runs did. */
import { addSpent, nothingSpent, type PicoUsd, type Spent } from "../core/limits.ts";

/** What past runs say of a run, or of one place in it. */
export interface Expected {
  /** How many runs say so. */
  readonly runs: number;
  /** Rounded up. */
  readonly meanPicoUsd: PicoUsd;
  /** 95 of 100 runs cost no more (nearest rank). */
  readonly p95PicoUsd: PicoUsd;
  readonly mostPicoUsd: PicoUsd;
  /** Calls of models, rounded up. */
  readonly meanCalls: number;
}

/** Undefined without a run. */
export function expected(runs: readonly Spent[]): Expected | undefined {
  if (runs.length === 0) return undefined;
  const count = BigInt(runs.length);
  const sum = runs.reduce(addSpent, nothingSpent);
  const costs = runs.map(({ picoUsd }) => picoUsd).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const rank = Math.ceil((runs.length * 95) / 100);
  return {
    runs: runs.length,
    meanPicoUsd: (sum.picoUsd + count - 1n) / count,
    p95PicoUsd: costs[rank - 1] as PicoUsd, // from 1 to their number
    mostPicoUsd: costs.at(-1) as PicoUsd,
    meanCalls: Math.ceil(sum.calls / runs.length),
  };
}
