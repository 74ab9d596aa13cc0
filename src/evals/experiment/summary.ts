import type { MeanEstimate } from "../statistics/mean.ts";
import type { TrialRecord } from "./record.ts";
import { Tally } from "./tally.ts";

/** What an experiment came to. */
export interface Summary {
  /** Of the cases' scores, each the mean of its trials. */
  readonly score: MeanEstimate;
  readonly scorers: { readonly [scorer: string]: MeanEstimate };
  /** By tag. */
  readonly slices: { readonly [tag: string]: MeanEstimate };
  readonly cases: readonly CaseSummary[];
  readonly trials: number;
  /** Trials with a score below the mark. */
  readonly failed: number;
  readonly failures: readonly FailureGroup[];
  /** Of the trials' runs, in US dollars, exact. */
  readonly costUsd: string;
  /** In milliseconds; absent where no trial has one. */
  readonly latency?: { readonly mean: number; readonly p50: number; readonly p95: number };
}

export interface CaseSummary {
  readonly caseId: string;
  readonly cluster?: string;
  readonly tags: readonly string[];
  /** The mean of its trials. */
  readonly score: number;
  readonly trials: readonly TrialRecord[];
}

/** Failures that look alike. */
export interface FailureGroup {
  /** What they have in common: the error, or the scorer that was not content. */
  readonly what: string;
  readonly trials: number;
  /** Of the first few cases. */
  readonly caseIds: readonly string[];
  /** The feedback of the first. */
  readonly example: string;
}

export interface SummaryOptions {
  /** A trial with a lower score is a failure: from 0 to 1. Default 0.5. */
  readonly passMark?: number;
}

/**
 * Sums up the records of an experiment.
 *
 * ```ts
 * const found = await readExperiment(sqlite(".flujo/flujo.db"), "baseline");
 * const { score, failures } = summaryOf(found?.records ?? []);
 * ```
 *
 * Trials of one case are no cases of their own: each case counts once, with their mean.
 *
 * @throws RangeError when there is no record.
 */
export function summaryOf(records: readonly TrialRecord[], options: SummaryOptions = {}): Summary {
  const tally = new Tally(options);
  for (const one of records) tally.add(one);
  const { score, scorers, slices, ...rest } = tally.summary();
  return { score, scorers, slices, cases: casesOf(records), ...rest };
}

/** The records by their cases, in the order of the first of each. */
export function casesOf(records: readonly TrialRecord[]): CaseSummary[] {
  const byCase = Map.groupBy(records, ({ caseId }) => caseId);
  return [...byCase].map(([caseId, trials]) => {
    const { cluster, tags = [] } = trials[0] as TrialRecord; // a group has one
    return {
      caseId,
      ...(cluster === undefined ? {} : { cluster }),
      tags,
      score: trials.reduce((sum, { score }) => sum + score, 0) / trials.length,
      trials,
    };
  });
}
