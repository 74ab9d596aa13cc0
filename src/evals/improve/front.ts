/**
 * The Pareto front of a search: who is the best at something, be it a single case. Parents are chosen from it, so that what
 * one candidate has learned is not lost because another is better on average (GEPA, arXiv 2507.19457, algorithm 2).
 */
import { type Contender, meanScore } from "./contender.ts";

/**
 * Who stands on the front of these cases, each with the number of them at which nobody is better; a case that somebody was not
 * tried on is none of his. Whoever is matched by others on each of
 * those cases is left out: of such, the worst on average first, and of equal ones who came last.
 */
export function frontOf(contenders: readonly Contender[], cases: Iterable<string>): Map<Contender, number> {
  const winners = new Map<string, Contender[]>();
  const tops = new Map<string, number>();
  for (const caseId of cases) {
    for (const one of contenders) {
      const score = one.scores.get(caseId);
      if (score === undefined) continue;
      const top = tops.get(caseId) ?? Number.NEGATIVE_INFINITY;
      if (score < top) continue;
      if (score > top) winners.set(caseId, []);
      tops.set(caseId, score);
      winners.get(caseId)?.push(one);
    }
  }
  const shares = [...winners.values()].map((all) => new Set(all));
  const standing = new Set(shares.flatMap((all) => [...all]));
  const worstFirst = contenders
    .filter((one) => standing.has(one))
    .reverse()
    .sort((a, b) => meanScore(a) - meanScore(b));
  for (const one of worstFirst) {
    if (!shares.every((all) => !all.has(one) || all.size > 1)) continue;
    for (const all of shares) all.delete(one);
    standing.delete(one);
  }
  return new Map(
    contenders
      .filter((one) => standing.has(one))
      .map((one) => [one, shares.filter((all) => all.has(one)).length]),
  );
}
