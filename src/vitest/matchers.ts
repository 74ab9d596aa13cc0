import { compare, type GateTerms, gate, gateAt } from "../evals/experiment/comparison.ts";
import type { TrialRecord } from "../evals/experiment/record.ts";
import { type SummaryOptions, summaryOf } from "../evals/experiment/summary.ts";

/** What the matchers take: an experiment, the result of its run, what `testCases` has tried, or records alone. */
export type Scorable =
  | readonly TrialRecord[]
  | { readonly records: readonly TrialRecord[] }
  | { readonly output: readonly TrialRecord[] };

export interface ScoreTerms extends SummaryOptions {
  /**
   * `"interval"` (default): the whole 95 % interval has to lie above. `"mean"`: the mean alone, which is luck where cases are
   * few.
   */
  readonly by?: "interval" | "mean";
}

/** What a matcher answers. */
export interface Judgement {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Whether the mean score is at least so high, as far as the cases tell. */
export function toScoreAtLeast(received: unknown, least: number, terms: ScoreTerms = {}): Judgement {
  const { by = "interval", ...options } = terms;
  const records = recordsOf(received);
  const { score } = summaryOf(records, options);
  const verdict = by === "mean" ? (score.mean >= least ? "pass" : "regress") : gateAt(score, least);
  const { mean, low, high, cases, clusters } = score;
  const seen = `the mean score is ${number(mean)}, known to lie from ${number(low)} to ${number(high)} (${cases} cases, ${clusters} clusters)`;
  const words = {
    pass: `expected it not to score at least ${least}`,
    regress: `expected a score of at least ${least}`,
    inconclusive: `expected a score of at least ${least}, and the cases do not tell: more of them may, or by: "mean"`,
  } as const;
  return {
    pass: verdict === "pass",
    message: () => [`${words[verdict]}; ${seen}`, ...failures(records, options)].join("\n"),
  };
}

/** Whether it is no worse than an earlier experiment, by more than a margin, as far as the cases tell. */
export function toBeNoWorseThan(received: unknown, base: unknown, terms: GateTerms = {}): Judgement {
  const after = recordsOf(received);
  const comparison = compare(recordsOf(base), after, terms);
  const verdict = gate(comparison, terms);
  const { difference, slices, changed, casesNeeded } = comparison;
  const { mean, low, high, cases } = difference;
  const seen = `the difference is ${signed(mean)}, known to lie from ${signed(low)} to ${signed(high)} (${cases} cases in both)`;
  const needed = casesNeeded === undefined ? "" : `: ${casesNeeded} would`;
  const words = {
    pass: "expected it to be worse",
    regress: "expected it to be no worse",
    inconclusive: `expected it to be no worse, and the cases do not tell${needed}`,
  } as const;
  const worse = changed.filter((one) => one.after < one.before);
  const parts = Object.entries(slices).map(
    ([tag, one]) => `  tag ${tag}: ${signed(one.mean)}, p ${number(one.holm)}`,
  );
  const byCase = Map.groupBy(after, ({ caseId }) => caseId);
  return {
    pass: verdict === "pass",
    message: () =>
      [
        `${words[verdict]}; ${seen}`,
        ...parts,
        ...worse
          .slice(0, mostListed)
          .flatMap(({ caseId, before, after: now }) => [
            `  ${caseId}: ${number(before)} before, ${number(now)} after`,
            ...(byCase.get(caseId) ?? []).flatMap(said),
          ]),
        ...more(worse.length),
      ].join("\n"),
  };
}

/** @throws TypeError for what has no records. */
function recordsOf(received: unknown): readonly TrialRecord[] {
  const { records, output } = (received ?? {}) as { readonly records?: unknown; readonly output?: unknown }; // looked at below
  const list = [received, records, output].find(Array.isArray);
  if (list === undefined || list.length === 0 || !list.every(isRecord))
    throw new TypeError(
      "there are no records of trials in it: expect() takes an experiment, the result of its run, or what testCases returns once its tests are over",
    );
  return list;
}

const isRecord = (one: unknown): one is TrialRecord =>
  typeof one === "object" && one !== null && "caseId" in one && "score" in one && "scores" in one;

const mostListed = 10;

/** The trials that failed, the worst first, each with what was said of it. */
function failures(records: readonly TrialRecord[], { passMark = 0.5 }: SummaryOptions): string[] {
  const failed = records
    .filter(({ status, score }) => status !== "completed" || score < passMark)
    .sort((a, b) => a.score - b.score);
  const lines = failed
    .slice(0, mostListed)
    .flatMap((one) => [`  ${one.caseId}, trial ${one.trial}: ${number(one.score)}`, ...said(one)]);
  return [...lines, ...more(failed.length)];
}

const more = (count: number): string[] => (count > mostListed ? [`  … and ${count - mostListed} more`] : []);

const said = ({ error, scores }: TrialRecord): string[] =>
  error === undefined
    ? scores.map(({ scorer, score, feedback }) => `    ${scorer} ${number(score)}: ${feedback}`)
    : [`    ${error.code}: ${error.message}`];

const number = (score: number): string => score.toFixed(3);
const signed = (score: number): string => `${score < 0 ? "" : "+"}${number(score)}`;
