/**
 * What many do: ask for changes again and again, take what scores best on the validation split, and keep it if it scores higher on
 * the test split as well. It has no notion of chance: `flujo improve` is measured beside it where no change helps.
 */
import { baseOf, candidateOf } from "../../../evals/improve/candidate.ts";
import { chanceOf } from "../../../evals/improve/chance.ts";
import { type Component, componentsOf } from "../../../evals/improve/components.ts";
import { valuesOf } from "../../../evals/improve/document.ts";
import { Deck } from "../../../evals/improve/minibatch.ts";
import { Rollouts } from "../../../evals/improve/rollouts.ts";
import { type BaselineOptions, type BaselineResult, withValues } from "./gepa.ts";

const shown = 3;

/**
 * Climbs: each change of the best so far is tried on the whole validation split, and holds when its mean is higher.
 *
 *     const { best } = await plainArgmax({ document, train, validation, laboratory, check, seed: 1, rollouts: 500 });
 */
export async function plainArgmax(options: BaselineOptions): Promise<BaselineResult> {
  const { document, train, validation, laboratory, check, seed } = options;
  const chance = chanceOf(seed);
  const rollouts = new Rollouts(laboratory, options.rollouts);
  const deck = new Deck(train, chance);
  const components = componentsOf(document);
  const baseValues = valuesOf(document);
  const base = baseOf(baseValues);
  let best = { candidate: base, values: baseValues, mean: 0 };
  const course = [{ rollouts: 0, best: base }];
  const meanOf = async (candidate: typeof base): Promise<number> => {
    const outcomes = await rollouts.try(candidate, validation);
    return outcomes.reduce((sum, { score }) => sum + score, 0) / outcomes.length;
  };
  if (rollouts.allows(base, validation)) best = { ...best, mean: await meanOf(base) };
  for (let round = 0; round < options.rollouts && components.length > 0; round += 1) {
    const { candidate, values } = best;
    const cases = deck.deal(shown);
    if (!rollouts.allows(candidate, cases)) break;
    const outcomes = await rollouts.try(candidate, cases);
    const { place, field } = components[round % components.length] as Component; // there is one
    const drawn = Math.floor(chance.next() * 2 ** 31);
    const [proposal] = await laboratory.reflect({
      ...{ document, candidate, values, place, field, outcomes, cases, kind: "rewrite", seed: drawn },
    });
    const checked = await check(withValues(document, values), proposal?.patch);
    if (!checked.ok) continue;
    const child = candidateOf(baseValues, checked.values, {
      ...{ parents: [candidate.id], by: "reflection", note: proposal?.note ?? "" },
    });
    if (!rollouts.allows(child, validation)) break;
    const mean = await meanOf(child);
    if (mean <= best.mean) continue;
    best = { candidate: child, values: checked.values, mean };
    course.push({ rollouts: rollouts.used, best: child });
  }
  return { best: best.candidate, base, rollouts: rollouts.used, course };
}

/** Whether it keeps a change: when it scored higher. */
export const keptByArgmax = (before: readonly number[], after: readonly number[]): boolean =>
  after.reduce((sum, score) => sum + score, 0) > before.reduce((sum, score) => sum + score, 0);
