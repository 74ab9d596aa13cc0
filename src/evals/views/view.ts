/** Experiments as people look at them, over HTTP and in the dashboard. Moments are ISO dates; money is exact, in texts. */
import type { Verdict } from "../experiment/comparison.ts";
import type { NamedScore, TrialRecord } from "../experiment/record.ts";
import type { FailureGroup } from "../experiment/summary.ts";
import type { PairedDifference } from "../statistics/paired.ts";

/** A mean and what it is known to within; null for what cannot be known. */
export interface EstimateView {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly cases: number;
  readonly clusters: number;
}

/** An experiment in a list. */
export interface ExperimentLine {
  readonly name: string;
  readonly status: string;
  readonly at: string;
  readonly pipeline: string;
  /** Of the pipeline, as it was tried. */
  readonly fingerprint: string;
  readonly dataset: { readonly name: string; readonly hash: string };
  readonly scorers: readonly string[];
  /** Cases that were to be tried, and how often each. */
  readonly cases: number;
  readonly trials: number;
  /** Trials that are over, and those of them below the mark of 0.5. */
  readonly tried: number;
  readonly failed: number;
  /** Null while no trial is over. */
  readonly score: EstimateView | null;
  /** Judges included. */
  readonly costUsd: string;
}

export interface ExperimentPage {
  readonly experiments: readonly ExperimentLine[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
}

/** One experiment, summed up. */
export interface ExperimentView extends ExperimentLine {
  readonly judgesUsd: string;
  readonly scorerScores: { readonly [scorer: string]: EstimateView };
  /** By tag. */
  readonly slices: { readonly [tag: string]: EstimateView };
  readonly failures: readonly FailureGroup[];
  readonly latency: { readonly mean: number; readonly p50: number; readonly p95: number } | null;
  /** Why the interval of the score may not hold. */
  readonly caution: string | null;
}

/** One case as an experiment has tried it. */
export interface CaseView {
  readonly caseId: string;
  readonly cluster: string | null;
  readonly tags: readonly string[];
  /** The beginnings of what was asked and of what was to come of it. */
  readonly input: string;
  readonly expected: string | null;
  /** The mean of its trials. */
  readonly score: number;
  readonly trials: readonly TrialView[];
}

export interface TrialView {
  readonly trial: number;
  readonly runId: string;
  readonly status: TrialRecord["status"];
  readonly score: number;
  readonly scores: readonly NamedScore[];
  /** The beginning of what it returned. */
  readonly output: string | null;
  readonly error: string | null;
  readonly costUsd: string;
  readonly durationMs: number | null;
}

export interface CasePage {
  readonly cases: readonly CaseView[];
  /** How many fit in all. */
  readonly total: number;
  /** The `from` of the next page; null on the last one. */
  readonly next: number | null;
}

/** Two experiments, summed up. */
export interface ComparisonView {
  readonly before: ExperimentLine;
  readonly after: ExperimentLine;
  readonly difference: DifferenceView;
  /** By tag; `holm` is the probability corrected for the number of slices. */
  readonly slices: { readonly [tag: string]: DifferenceView & { readonly holm: number } };
  /** Cases that do better, and worse, after the change. */
  readonly better: number;
  readonly worse: number;
  /** Cases that only one of both has. */
  readonly unpaired: number;
  /** How many cases would tell a difference of the margin, where these do not and it can be known. */
  readonly casesNeeded: number | null;
  readonly margin: number;
  readonly verdict: Verdict;
}

export type DifferenceView = Omit<PairedDifference, "standardError">;

/** One case in both. */
export interface PairView extends Pick<CaseView, "caseId" | "cluster" | "tags" | "input" | "expected"> {
  readonly before: Pick<CaseView, "score" | "trials">;
  readonly after: Pick<CaseView, "score" | "trials">;
}

export interface PairPage {
  readonly cases: readonly PairView[];
  readonly total: number;
  readonly next: number | null;
}
