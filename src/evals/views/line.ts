import { decimalUsd } from "../../core/limits.ts";
import type { Experiment } from "../experiment/results.ts";
import { type Summary, summaryOf } from "../experiment/summary.ts";
import { cautionOn } from "../statistics/caution.ts";
import type { MeanEstimate } from "../statistics/mean.ts";
import type { EstimateView, ExperimentLine, ExperimentView } from "./view.ts";

/** An experiment as it stands, in a list. */
export function lineOf(experiment: Experiment, summary = summed(experiment)): ExperimentLine {
  const { name, status, at, input, records, judged } = experiment;
  const { pipeline, fingerprint, dataset, scorers, cases, trials, part } = input;
  return {
    name,
    status,
    at: new Date(at).toISOString(),
    pipeline,
    fingerprint,
    dataset,
    scorers: scorers.map((scorer) => scorer.name),
    cases: part?.cases ?? cases.length,
    trials,
    tried: records.length,
    failed: summary?.failed ?? 0,
    score: summary === undefined ? null : estimate(summary.score),
    costUsd: decimalUsd(records.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), judged.picoUsd)),
  };
}

/** The same with everything that is summed up. */
export function viewOf(experiment: Experiment): ExperimentView {
  const summary = summed(experiment);
  return {
    ...lineOf(experiment, summary),
    judgesUsd: decimalUsd(experiment.judged.picoUsd),
    scorerScores: estimates(summary?.scorers),
    slices: estimates(summary?.slices),
    failures: summary?.failures ?? [],
    latency: summary?.latency ?? null,
    caution: (summary && cautionOn(summary.score)) ?? null,
  };
}

const summed = ({ records }: Experiment): Summary | undefined =>
  records.length === 0 ? undefined : summaryOf(records);

const estimates = (of: { readonly [name: string]: MeanEstimate } = {}): { [name: string]: EstimateView } =>
  Object.fromEntries(Object.entries(of).map(([name, one]) => [name, estimate(one)]));

const estimate = ({ mean, low, high, cases, clusters }: MeanEstimate): EstimateView => ({
  ...{ mean, low, high, cases, clusters },
});
