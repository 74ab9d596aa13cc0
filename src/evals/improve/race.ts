import type { Case } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { Rollouts } from "./rollouts.ts";

/** The validation split is run through in so many parts, of so many cases at least. */
const parts = 4;
const leastPart = 4;

/**
 * Tries candidates on the cases, part by part and side by side. Whoever is behind the best one so far by more than chance would
 * explain, or after half of the cases still not ahead of it, is tried no further: it would not become the best.
 *
 * @param best the scores of the best one so far, by the id of the case.
 * @returns their scores, as far as each came.
 */
export async function raced(
  candidates: readonly Candidate[],
  cases: readonly Case[],
  best: ReadonlyMap<string, number>,
  rollouts: Rollouts,
): Promise<ReadonlyMap<string, number>[]> {
  const scores = candidates.map(() => new Map<string, number>());
  const size = Math.max(leastPart, Math.ceil(cases.length / parts));
  const running = new Set(candidates.keys());
  for (let from = 0; from < cases.length && running.size > 0; from += size) {
    const part = cases.slice(from, from + size);
    const trials = [...running].map(async (runner) => {
      const candidate = candidates[runner] as Candidate; // one of its keys
      if (!rollouts.allows(candidate, part)) return running.delete(runner);
      for (const { caseId, score } of await rollouts.try(candidate, part)) scores[runner]?.set(caseId, score);
      return true;
    });
    await Promise.all(trials);
    const isHalf = from + size >= cases.length / 2;
    for (const runner of [...running])
      if (isBehind(scores[runner] ?? new Map(), best, isHalf)) running.delete(runner);
  }
  return scores;
}

function isBehind(
  own: ReadonlyMap<string, number>,
  best: ReadonlyMap<string, number>,
  isHalf: boolean,
): boolean {
  const gains = [...own].map(([caseId, score]) => score - (best.get(caseId) ?? 0));
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  if (isHalf && mean < 1e-9) return true;
  if (mean > -1e-9) return false;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / Math.max(1, gains.length - 1);
  return mean < -Math.sqrt(variance / gains.length);
}
