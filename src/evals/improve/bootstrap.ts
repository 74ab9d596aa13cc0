import type { Json } from "../../core/json.ts";
import type { Case } from "../dataset/case.ts";
import type { Chance } from "./chance.ts";
import type { Outcome } from "./laboratory.ts";

/** So many examples a prompt has at most, unless its owner allows fewer; and so many more at a time. */
const mostExamples = 8;
const mostAdded = 2;

/**
 * Examples from cases of the train split: what they ask, and what they expect. Cases that went wrong come first, as there is
 * something to be shown; then the others.
 *
 * @returns undefined where no case expects anything that the examples do not show yet.
 */
export function bootstrapped(
  examples: readonly Json[],
  {
    cases,
    outcomes,
    most = mostExamples,
  }: {
    readonly cases: readonly Case[];
    readonly outcomes: readonly Outcome[];
    readonly most?: number | undefined;
  },
  chance: Chance,
): readonly Json[] | undefined {
  const shown = new Set(examples.map((one) => JSON.stringify((one as { readonly input?: Json }).input))); // whatever it is
  const scores = new Map(outcomes.map(({ caseId, score }) => [caseId, score]));
  const able = chance
    .shuffled(cases)
    .filter(({ input, expected }) => expected !== undefined && !shown.has(JSON.stringify(input)))
    .sort((a, b) => (scores.get(a.id) ?? 1) - (scores.get(b.id) ?? 1));
  const bound = Math.min(most, mostExamples);
  const room = Math.max(1, bound - examples.length);
  const added = able
    .slice(0, Math.min(mostAdded, room))
    .map(({ input, expected = null }) => ({ input, output: expected }));
  if (added.length === 0) return undefined;
  return [...examples, ...added].slice(-bound);
}
