import { InvalidOptionError } from "../../core/errors.ts";
import { decimalUsd, type Spent } from "../../core/limits.ts";
import type { Comparison, Verdict } from "../experiment/comparison.ts";
import type { ExperimentInput, TrialRecord } from "../experiment/record.ts";
import type { Experiment } from "../experiment/results.ts";
import { type Summary, summaryOf } from "../experiment/summary.ts";
import { cautionOn } from "../statistics/caution.ts";

/** Everything about an experiment: what `flujo eval --json` prints, and what all reports are made of. */
export interface ExperimentDocument {
  readonly format: "flujo-eval";
  readonly name: string;
  readonly status: Experiment["status"];
  readonly at: string;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly dataset: ExperimentInput["dataset"];
  /** Trials that were to be made of each case. */
  readonly trials: number;
  /** Of the trials' runs and of judges, in US dollars, exact. */
  readonly costUsd: string;
  readonly judgesUsd: string;
  readonly passMark: number;
  /** Without the trials of each case: they are in `records`. Null while none is over. */
  readonly summary: Omit<Summary, "cases"> | null;
  readonly cases: readonly {
    readonly caseId: string;
    readonly score: number;
    readonly tags: readonly string[];
  }[];
  readonly comparison: (Comparison & { readonly with: string }) | null;
  readonly verdict: Verdict | null;
  /** Null of one that tries no case of the test split. */
  readonly look: TestLook | null;
  /** Why the interval of the score may not hold; null where nothing speaks against it. */
  readonly caution: string | null;
  readonly records: readonly TrialRecord[];
}

/** Which look at the test split an experiment is. */
export interface TestLook {
  /** From 1. */
  readonly number: number;
  /** How many test cases it tries. */
  readonly cases: number;
  /** The runs that looked before, the first one first. */
  readonly earlier: readonly string[];
}

export interface DocumentOptions {
  readonly passMark: number;
  readonly comparison?: (Comparison & { readonly with: string }) | undefined;
  readonly verdict?: Verdict | undefined;
  readonly look?: TestLook | undefined;
}

export function documentOf(
  { name, status, at, input, records, judged }: Experiment,
  { passMark, comparison, verdict, look }: DocumentOptions,
): ExperimentDocument {
  const summed = records.length === 0 ? undefined : summaryOf(records, { passMark });
  const { cases = [], ...summary } = summed ?? {};
  return {
    format: "flujo-eval",
    name,
    status,
    at: new Date(at).toISOString(),
    pipeline: input.pipeline,
    fingerprint: input.fingerprint,
    dataset: input.dataset,
    trials: input.trials,
    costUsd: decimalUsd(totalOf(records, judged)),
    judgesUsd: decimalUsd(judged.picoUsd),
    passMark,
    summary: summed === undefined ? null : (summary as Omit<Summary, "cases">), // it is all of it but the cases
    cases: cases.map(({ caseId, score, tags }) => ({ caseId, score, tags })),
    comparison: comparison ?? null,
    verdict: verdict ?? null,
    look: look ?? null,
    caution: (summed && cautionOn(summed.score)) ?? null,
    records,
  };
}

const totalOf = (records: readonly TrialRecord[], judged: Spent): bigint =>
  records.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), judged.picoUsd);

/**
 * The records of a document that `flujo eval --json` has printed.
 *
 * @throws InvalidOptionError
 */
export function recordsIn(text: string, name: string): readonly TrialRecord[] {
  let document: Partial<ExperimentDocument> | null;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new InvalidOptionError(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (document?.format === "flujo-eval" && Array.isArray(document.records)) return document.records;
  throw new InvalidOptionError(`${name} is no experiment`, {
    hint: "Compare with what flujo eval --json has printed.",
  });
}
