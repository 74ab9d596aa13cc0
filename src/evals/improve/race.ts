import type { Case } from "../dataset/case.ts";
import type { Contender } from "./contender.ts";
import type { Rollouts } from "./rollouts.ts";

/** Who runs against whom. */
export interface Race {
  readonly challenger: Contender;
  readonly leader: Contender;
  /** All there are, in the order they are run. */
  readonly cases: readonly Case[];
}

/** What a race has shown. `open`: neither is ahead, or the rollouts did not suffice to tell. */
export type Standing = "ahead" | "behind" | "open";

/** So many cases are run at a time. */
export const lapLength = 8;
/** From so many standard errors on, a lead or a lag is taken for more than chance. */
const clear = 1;

/**
 * A challenger against the leader on the same cases, a few at a time, until one is clearly ahead or half of them show no lead. So
 * what is plainly better is known to be so at the price of a few cases; what only seemed so is found out later, when others
 * run against it on other cases, and when it is tried on all of them in the end. Rollouts for that are left over.
 *
 * Their scores are added to, as far as they come.
 */
export async function race({ challenger, leader, cases }: Race, rollouts: Rollouts): Promise<Standing> {
  for (let run = lapLength; run < cases.length + lapLength; run += lapLength) {
    const lap = cases.slice(run - lapLength, run);
    const keep = Math.max(0, cases.length - run);
    if (!(await tried([leader, challenger], lap, rollouts, keep))) return "open";
    const standing = standingOn(cases.slice(0, run), challenger, leader, run >= cases.length / 2);
    if (standing !== "open") return standing;
  }
  return "open";
}

/**
 * Tries both, side by side, on the cases they were not tried on.
 *
 * @param keep rollouts that are to be left over.
 * @returns false where the rollouts do not allow it.
 */
export async function tried(
  contenders: readonly Contender[],
  cases: readonly Case[],
  rollouts: Rollouts,
  keep = 0,
): Promise<boolean> {
  const fresh = contenders.map((one) => ({ one, cases: cases.filter(({ id }) => !one.scores.has(id)) }));
  const needed = fresh.reduce((sum, { one, cases }) => sum + rollouts.needed(one.candidate, cases), keep);
  if (needed > rollouts.left) return false;
  const outcomes = await Promise.all(fresh.map(({ one, cases }) => rollouts.try(one.candidate, cases)));
  for (const [i, { one }] of fresh.entries())
    for (const { caseId, score } of outcomes[i] ?? []) one.scores.set(caseId, score);
  return true;
}

function standingOn(
  cases: readonly Case[],
  challenger: Contender,
  leader: Contender,
  isHalf: boolean,
): Standing {
  const gains = cases.map(({ id }) => (challenger.scores.get(id) ?? 0) - (leader.scores.get(id) ?? 0));
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / Math.max(1, gains.length - 1);
  const error = Math.sqrt(variance / gains.length);
  if (Math.abs(mean) > rounding && Math.abs(mean) >= clear * error) return mean > 0 ? "ahead" : "behind";
  return isHalf && mean <= rounding ? "behind" : "open";
}

const rounding = 1e-9;
