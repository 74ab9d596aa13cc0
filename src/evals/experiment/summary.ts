import { decimalUsd } from "../../core/limits.ts";
import { type MeanEstimate, meanInterval } from "../statistics/mean.ts";
import type { TrialRecord } from "./record.ts";

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
export function summaryOf(records: readonly TrialRecord[], { passMark = 0.5 }: SummaryOptions = {}): Summary {
  const cases = casesOf(records);
  const of = (some: readonly CaseSummary[], score: (one: CaseSummary) => number): MeanEstimate =>
    meanInterval(some.map((one) => ({ score: score(one), cluster: one.cluster })));
  const scorers = [...new Set(records.flatMap(({ scores }) => scores.map(({ scorer }) => scorer)))];
  const tags = [...new Set(cases.flatMap(({ tags }) => tags))].sort();
  const failed = records.filter((record) => record.status !== "completed" || record.score < passMark);
  const durations = records.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs]));
  return {
    score: of(cases, ({ score }) => score),
    scorers: fromEntries(scorers.map((name) => [name, of(cases, (one) => scoreBy(name, one))])),
    slices: fromEntries(
      tags.map((tag) => [
        tag,
        of(
          cases.filter((one) => one.tags.includes(tag)),
          ({ score }) => score,
        ),
      ]),
    ),
    cases,
    trials: records.length,
    failed: failed.length,
    failures: grouped(failed),
    costUsd: decimalUsd(records.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n)),
    ...(durations.length === 0 ? {} : { latency: latencyOf(durations) }),
  };
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
      score: meanOf(trials, ({ score }) => score),
      trials,
    };
  });
}

/** A run that did not complete has not pleased any scorer. */
const scoreBy = (name: string, { trials }: CaseSummary): number =>
  meanOf(trials, ({ scores }) => scores.find(({ scorer }) => scorer === name)?.score ?? 0);

const meanOf = <T>(list: readonly T[], value: (one: T) => number): number =>
  list.reduce((sum, one) => sum + value(one), 0) / list.length;

const fromEntries = <T>(entries: readonly (readonly [string, T])[]): { readonly [name: string]: T } =>
  Object.fromEntries(entries);

function latencyOf(durations: readonly number[]): NonNullable<Summary["latency"]> {
  const rising = durations.toSorted((a, b) => a - b);
  const quantile = (part: number): number => rising[Math.ceil(part * rising.length) - 1] as number; // there is one
  return { mean: Math.round(meanOf(rising, (ms) => ms)), p50: quantile(0.5), p95: quantile(0.95) };
}

const mostNamed = 5;

/** The largest group first. */
function grouped(failed: readonly TrialRecord[]): FailureGroup[] {
  const groups = Map.groupBy(failed, whatFailed);
  return [...groups]
    .map(([what, trials]) => ({
      what,
      trials: trials.length,
      caseIds: [...new Set(trials.map(({ caseId }) => caseId))].slice(0, mostNamed),
      example: exampleOf(trials[0] as TrialRecord), // a group has one
    }))
    .sort((a, b) => b.trials - a.trials);
}

function whatFailed({ status, error, scores }: TrialRecord): string {
  if (status !== "completed")
    return [status, error?.code, error?.path].filter((part) => part !== undefined).join(" ");
  const worst = scores.toSorted((a, b) => a.score - b.score)[0];
  return worst?.failed ? `the scorer ${worst.scorer} failed` : `wrong by ${worst?.scorer}`;
}

const exampleOf = ({ error, scores }: TrialRecord): string =>
  error?.message ?? scores.toSorted((a, b) => a.score - b.score)[0]?.feedback ?? "";
