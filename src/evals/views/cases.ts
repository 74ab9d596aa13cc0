import { decimalUsd } from "../../core/limits.ts";
import type { Case } from "../dataset/case.ts";
import { preview, type TrialRecord } from "../experiment/record.ts";
import type { Experiment } from "../experiment/results.ts";
import { type CaseSummary, casesOf } from "../experiment/summary.ts";
import type { CasePage, CaseView, PairPage, PairView, TrialView } from "./view.ts";

/** Which of its cases are asked for. */
export interface CaseChoice {
  /** Where the page begins, and how many it has at most. */
  readonly from: number;
  readonly limit: number;
  /** Only cases with this tag. */
  readonly tag?: string;
}

/** The cases of an experiment as it has tried them: the worst first, those alike in the dataset's order. */
export function casePage({ input, records }: Experiment, { from, limit, tag }: CaseChoice): CasePage {
  const order = places(input.cases);
  const chosen = tagged(casesOf(records), tag).sort(
    (a, b) => a.score - b.score || placeOf(order, a) - placeOf(order, b),
  );
  const cases = chosen.slice(from, from + limit).map((one) => ({
    ...about(one, input.cases[placeOf(order, one)]),
    score: one.score,
    trials: one.trials.map(trialView),
  }));
  return { cases, ...extent(chosen.length, from, limit) };
}

/** The cases that two experiments share: those first that have come to do worse, by most. */
export function pairPage(
  before: Experiment,
  after: Experiment,
  {
    from,
    limit,
    tag,
    changed = false,
  }: CaseChoice & { /** Only those whose scores differ. */ readonly changed?: boolean },
): PairPage {
  const order = places(after.input.cases);
  const known = new Map(casesOf(before.records).map((one) => [one.caseId, one]));
  const pairs = tagged(casesOf(after.records), tag)
    .flatMap((one) => {
      const earlier = known.get(one.caseId);
      return earlier === undefined || (changed && earlier.score === one.score) ? [] : [{ earlier, one }];
    })
    .sort(
      (a, b) =>
        a.one.score - a.earlier.score - (b.one.score - b.earlier.score) ||
        placeOf(order, a.one) - placeOf(order, b.one),
    );
  const cases = pairs.slice(from, from + limit).map(
    ({ earlier, one }): PairView => ({
      ...about(one, after.input.cases[placeOf(order, one)]),
      before: { score: earlier.score, trials: earlier.trials.map(trialView) },
      after: { score: one.score, trials: one.trials.map(trialView) },
    }),
  );
  return { cases, ...extent(pairs.length, from, limit) };
}

const tagged = (cases: readonly CaseSummary[], tag: string | undefined): CaseSummary[] =>
  cases.filter(({ tags }) => tag === undefined || tags.includes(tag));

const places = (cases: readonly Case[]): ReadonlyMap<string, number> =>
  new Map(cases.map(({ id }, i) => [id, i]));

const placeOf = (order: ReadonlyMap<string, number>, { caseId }: CaseSummary): number =>
  order.get(caseId) as number; // a record is of a case of the experiment's input

const extent = (total: number, from: number, limit: number) => ({
  total,
  next: from + limit < total ? from + limit : null,
});

function about(
  { caseId, cluster, tags }: CaseSummary,
  one: Case | undefined,
): Pick<CaseView, "caseId" | "cluster" | "tags" | "input" | "expected"> {
  return {
    caseId,
    cluster: cluster ?? null,
    tags,
    input: preview(one?.input ?? null),
    expected: one?.expected === undefined ? null : preview(one.expected),
  };
}

const trialView = ({
  trial,
  runId,
  status,
  score,
  scores,
  output,
  error,
  picoUsd,
  durationMs,
}: TrialRecord): TrialView => ({
  ...{ trial, runId, status, score, scores },
  output: output ?? null,
  error: error?.message ?? null,
  costUsd: decimalUsd(BigInt(picoUsd)),
  durationMs: durationMs ?? null,
});
