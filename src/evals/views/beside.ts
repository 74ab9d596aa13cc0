import { compare, defaultMargin, type GateTerms, gate } from "../experiment/comparison.ts";
import type { Experiment } from "../experiment/results.ts";
import type { PairedDifference } from "../statistics/paired.ts";
import { lineOf } from "./line.ts";
import type { ComparisonView, DifferenceView } from "./view.ts";

/**
 * An experiment beside an earlier one.
 *
 * @throws RangeError when they have no case in common.
 */
export function beside(
  before: Experiment,
  after: Experiment,
  { margin = defaultMargin }: GateTerms = {},
): ComparisonView {
  const comparison = compare(before.records, after.records, { margin });
  const { difference, slices, changed, unpaired, casesNeeded } = comparison;
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
    verdict: gate(comparison, { margin }),
  };
}

const view = ({ mean, low, high, p, cases, clusters }: PairedDifference): DifferenceView => ({
  ...{ mean, low, high, p, cases, clusters },
});
