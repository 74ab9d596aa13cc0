import type { JsonObject } from "../../core/json.ts";
import type { Candidate } from "./candidate.ts";

/** A candidate that has been tried on cases of the validation split: on all of them, or as far as it was worth it. */
export interface Contender {
  readonly candidate: Candidate;
  /** The document's values under it. */
  readonly values: JsonObject;
  /** From 0 to 1, by the id of the case: there are more of them as more cases are tried. */
  readonly scores: Map<string, number>;
}

/** The mean of its scores; 0 where it has none. */
export const meanScore = ({ scores }: Contender): number => {
  let sum = 0;
  for (const score of scores.values()) sum += score;
  return scores.size === 0 ? 0 : sum / scores.size;
};

/** The best of those tried on every case: of equal ones, who came first. */
export function bestOf(contenders: readonly Contender[], cases: number): Contender | undefined {
  let best: Contender | undefined;
  for (const one of contenders) {
    if (one.scores.size < cases) continue;
    if (best === undefined || meanScore(one) > meanScore(best) + rounding) best = one;
  }
  return best;
}

/** Means of the same scores, added in another order, differ by less. */
const rounding = 1e-9;
