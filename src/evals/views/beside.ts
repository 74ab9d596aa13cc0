import { defaultMargin, gate, inParts } from "../experiment/comparison.ts";
import type { Experiment } from "../experiment/results.ts";
import type { Difference } from "../statistics/paired.ts";
import { lineOf } from "./line.ts";
import type { ComparisonView, DifferenceView } from "./view.ts";

/**
 * An experiment beside an earlier one.
 *
 * @param pause awaited between parts of the work, which takes a second or more for ten thousand cases.
 * @throws RangeError when they have no case in common.
 */
export async function beside(
  before: Experiment,
  after: Experiment,
  { margin = defaultMargin, pause }: { readonly margin?: number; readonly pause: () => Promise<void> },
): Promise<ComparisonView> {
  const comparing = inParts(before.records, after.records, { margin });
  let step = comparing.next();
  for (; !step.done; step = comparing.next()) await pause();
  const { difference, slices, changed, unpaired, casesNeeded } = step.value;
  return {
    before: lineOf(before),
    after: lineOf(after),
    difference: view(difference),
    slices: Object.fromEntries(
      Object.entries(slices).map(([tag, one]) => [tag, { ...view(one), holm: one.holm }]),
    ),
    better: changed.filter((one) => one.after > one.before).length,
    worse: changed.filter((one) => one.after < one.before).length,
    unpaired,
    casesNeeded: casesNeeded ?? null,
    margin,
    verdict: gate(step.value, { margin }),
  };
}

const view = ({ mean, low, high, p, cases, clusters }: Difference): DifferenceView => ({
  ...{ mean, low, high, p, cases, clusters },
});
