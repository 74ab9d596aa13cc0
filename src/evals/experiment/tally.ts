import { decimalUsd } from "../../core/limits.ts";
import { type MeanEstimate, meanInterval } from "../statistics/mean.ts";
import type { TrialRecord } from "./record.ts";
import type { CaseSummary, FailureGroup, Summary, SummaryOptions } from "./summary.ts";

/** A case and its score, the mean of its trials. */
export type CaseScore = Omit<CaseSummary, "trials">;

/** Of each group of failures so many cases are named. */
const mostNamed = 5;

/** A case's trials, summed up. */
interface Sum {
  readonly cluster: string | undefined;
  readonly tags: readonly string[];
  trials: number;
  score: number;
  /** By scorer, in the order the tally has them. */
  readonly by: number[];
}

interface Group {
  trials: number;
  readonly caseIds: Set<string>;
  readonly example: string;
}

/** An experiment, summed up record by record: of each case only sums are kept, not what it returned or what was said of it. */
export class Tally {
  readonly #passMark: number;
  readonly #cases = new Map<string, Sum>();
  readonly #scorers = new Map<string, number>();
  readonly #groups = new Map<string, Group>();
  readonly #durations: number[] = [];
  /** Texts and lists that many records have, each kept once. */
  readonly #clusters = new Map<string, string>();
  readonly #tags = new Map<string, readonly string[]>();
  #trials = 0;
  #failed = 0;
  #picoUsd = 0n;

  constructor({ passMark = 0.5 }: SummaryOptions = {}) {
    this.#passMark = passMark;
  }

  /** Trials so far. */
  get trials(): number {
    return this.#trials;
  }

  /** What their runs have cost. */
  get picoUsd(): bigint {
    return this.#picoUsd;
  }

  add(record: TrialRecord): void {
    this.#trials += 1;
    this.#picoUsd += BigInt(record.picoUsd);
    if (record.durationMs !== undefined) this.#durations.push(record.durationMs);
    if (isFailure(record, this.#passMark)) this.#addFailure(record);
    const sum = this.#sumOf(record);
    sum.trials += 1;
    sum.score += record.score;
    for (const { scorer, score } of record.scores) {
      const at = this.#scorers.get(scorer) ?? this.#scorers.size;
      this.#scorers.set(scorer, at);
      sum.by[at] = (sum.by[at] ?? 0) + score;
    }
  }

  /** The cases, in the order of the first trial of each. */
  *cases(): Generator<CaseScore> {
    for (const [caseId, { cluster, tags, score, trials }] of this.#cases)
      yield { caseId, ...(cluster === undefined ? {} : { cluster }), tags, score: score / trials };
  }

  /** @throws RangeError when there is no record. */
  summary(): Omit<Summary, "cases"> {
    const sums = [...this.#cases.values()];
    const whole = ({ score, trials }: Sum): number => score / trials;
    const of = (some: readonly Sum[], score: (one: Sum) => number): MeanEstimate =>
      meanInterval(some.map((one) => ({ score: score(one), cluster: one.cluster })));
    const tags = [...new Set(sums.flatMap(({ tags }) => tags))].sort();
    return {
      score: of(sums, whole),
      // A run that did not complete has not pleased any scorer.
      scorers: Object.fromEntries(
        [...this.#scorers].map(([name, at]) => [name, of(sums, ({ by, trials }) => (by[at] ?? 0) / trials)]),
      ),
      slices: Object.fromEntries(
        tags.map((tag) => [
          tag,
          of(
            sums.filter((one) => one.tags.includes(tag)),
            whole,
          ),
        ]),
      ),
      trials: this.#trials,
      failed: this.#failed,
      failures: this.#failures(),
      costUsd: decimalUsd(this.#picoUsd),
      ...(this.#durations.length === 0 ? {} : { latency: latencyOf(this.#durations) }),
    };
  }

  #sumOf({ caseId, cluster, tags = [], scores }: TrialRecord): Sum {
    const known = this.#cases.get(caseId);
    if (known !== undefined) return known;
    const sum: Sum = {
      cluster: cluster === undefined ? undefined : once(this.#clusters, cluster, cluster),
      tags: once(this.#tags, JSON.stringify(tags), tags),
      trials: 0,
      score: 0,
      by: scores.map(() => 0), // as long as it has to be: a list that grows takes room for seventeen
    };
    this.#cases.set(caseId, sum);
    return sum;
  }

  #addFailure(record: TrialRecord): void {
    this.#failed += 1;
    const what = whatFailed(record);
    const known = this.#groups.get(what);
    const group = known ?? { trials: 0, caseIds: new Set(), example: exampleOf(record) };
    if (known === undefined) this.#groups.set(what, group);
    group.trials += 1;
    if (group.caseIds.size < mostNamed) group.caseIds.add(record.caseId);
  }

  /** The largest group first. */
  #failures(): FailureGroup[] {
    return [...this.#groups]
      .map(([what, { trials, caseIds, example }]) => ({ what, trials, caseIds: [...caseIds], example }))
      .sort((a, b) => b.trials - a.trials);
  }
}

/** Whether a trial counts as failed: its run did not complete, or its score is below the mark. */
export const isFailure = (
  { status, score }: Pick<TrialRecord, "status" | "score">,
  passMark: number,
): boolean => status !== "completed" || score < passMark;

function once<T>(known: Map<string, T>, key: string, value: T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  known.set(key, value);
  return value;
}

function latencyOf(durations: readonly number[]): NonNullable<Summary["latency"]> {
  const rising = Float64Array.from(durations).sort();
  const quantile = (part: number): number => rising[Math.ceil(part * rising.length) - 1] as number; // there is one
  const sum = rising.reduce((sum, ms) => sum + ms, 0);
  return { mean: Math.round(sum / rising.length), p50: quantile(0.5), p95: quantile(0.95) };
}

function whatFailed({ status, error, scores }: TrialRecord): string {
  if (status !== "completed")
    return [status, error?.code, error?.path].filter((part) => part !== undefined).join(" ");
  const worst = scores.toSorted((a, b) => a.score - b.score)[0];
  return worst?.failed ? `the scorer ${worst.scorer} failed` : `wrong by ${worst?.scorer}`;
}

const exampleOf = ({ error, scores }: TrialRecord): string =>
  error?.message ?? scores.toSorted((a, b) => a.score - b.score)[0]?.feedback ?? "";
