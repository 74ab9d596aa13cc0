import { InvalidOptionError } from "../../core/errors.ts";
import { decimalUsd } from "../../core/limits.ts";
import type { Comparison, Verdict } from "../experiment/comparison.ts";
import type { Standing } from "../experiment/reading.ts";
import type { ExperimentInput, TrialRecord } from "../experiment/record.ts";
import type { Summary } from "../experiment/summary.ts";
import type { CaseScore, Tally } from "../experiment/tally.ts";
import { cautionOn } from "../statistics/caution.ts";

/** All about an experiment but what may be long: what reports are made of. */
export interface ExperimentDocument {
  readonly format: "flujo-eval";
  readonly name: string;
  readonly status: Standing["status"];
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
  /** Null while no trial is over. */
  readonly summary: Omit<Summary, "cases"> | null;
  readonly comparison: (Comparison & { readonly with: string }) | null;
  readonly verdict: Verdict | null;
  /** Null of one that tries no case of the test split. */
  readonly look: TestLook | null;
  /** Why the interval of the score may not hold; null where nothing speaks against it. */
  readonly caution: string | null;
}

/** What may be long: its cases, and what became of each trial, told one after the other as often as it is asked for. */
export interface Listed {
  readonly cases: () => Iterable<ListedCase>;
  readonly records: () => AsyncIterable<TrialRecord>;
}

export type ListedCase = Pick<CaseScore, "caseId" | "score" | "tags">;

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
  { name, status, at, input, judged }: Standing,
  tally: Tally,
  { passMark, comparison, verdict, look }: DocumentOptions,
): ExperimentDocument {
  const summary = tally.trials === 0 ? undefined : tally.summary();
  return {
    format: "flujo-eval",
    name,
    status,
    at: new Date(at).toISOString(),
    pipeline: input.pipeline,
    fingerprint: input.fingerprint,
    dataset: input.dataset,
    trials: input.trials,
    costUsd: decimalUsd(tally.picoUsd + judged.picoUsd),
    judgesUsd: decimalUsd(judged.picoUsd),
    passMark,
    summary: summary ?? null,
    comparison: comparison ?? null,
    verdict: verdict ?? null,
    look: look ?? null,
    caution: (summary && cautionOn(summary.score)) ?? null,
  };
}

/**
 * The records of a document that `flujo eval --json` has printed.
 *
 * @throws InvalidOptionError
 */
export function recordsIn(text: string, name: string): readonly TrialRecord[] {
  let document: { readonly format?: unknown; readonly records?: unknown } | null;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new InvalidOptionError(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (document?.format === "flujo-eval" && Array.isArray(document.records)) return document.records; // as it was printed
  throw new InvalidOptionError(`${name} is no experiment`, {
    hint: "Compare with what flujo eval --json has printed.",
  });
}
