import { afterAll, describe, test } from "vitest";
import { recordError } from "../core/error-record.ts";
import type { Usd } from "../core/limits.ts";
import type { Step } from "../core/step.ts";
import type { RunResult } from "../engine/options.ts";
import type { Case } from "../evals/dataset/case.ts";
import type { Dataset } from "../evals/dataset/dataset.ts";
import { splitOf } from "../evals/dataset/split.ts";
import { experiment, experimentInput, trialRunId } from "../evals/experiment/experiment.ts";
import { plain } from "../evals/experiment/plain.ts";
import { preview, type TrialRecord } from "../evals/experiment/record.ts";
import type { Scorer } from "../evals/scorers/scorer.ts";
import { exact } from "../evals/scorers/texts.ts";
import { Flujo, type FlujoOptions } from "../flujo.ts";
import { nodeWorld } from "../node-world.ts";
import { memory } from "../stores/memory.ts";

export interface CaseTestOptions<In, Out, State> extends Pick<FlujoOptions<State>, "store" | "models"> {
  /** The pipeline to try. */
  readonly task: Step<In, Out, State>;
  /** Default `[exact()]`; with a check of your own, none. */
  readonly scorers?: readonly Scorer[];
  /** The most that all tests together may cost, judges included: `"$0.50"`. Default: no limit. */
  readonly budget?: Usd;
  /** Default: all but those of the test split, which is sealed. */
  readonly cases?: readonly Case[];
  /** A score below fails the test: from 0 to 1. Default 0.5. With a check of your own that alone decides. */
  readonly passMark?: number;
  /** Of the group of tests. Default: the dataset's name. */
  readonly name?: string;
  /** For each case, in milliseconds. Default 60,000. */
  readonly timeout?: number;
  /** Several cases at once, as vitest's `maxConcurrency` says. Default false. */
  readonly concurrent?: boolean;
}

/** What came of a case. */
export interface TriedCase<Out> {
  readonly output: Out;
  /** As an experiment has it: status, cost, and what scorers say. Without scorers its score is not known yet: 0. */
  readonly record: TrialRecord;
}

/** What the tests have tried so far. */
export interface CaseTests {
  /** Of the tests that are over, in the order they were. */
  readonly records: readonly TrialRecord[];
}

/**
 * Declares one test a case, called by the case's id: it runs the pipeline on the case's input, and passes when the scorers
 * are content, or your own check throws nothing. All tests share one budget; once it is spent, those that are left fail.
 *
 * ```ts
 * import { expect, test } from "vitest";
 * import { testCases } from "flujo/vitest";
 *
 * const dataset = await readDataset("towns.jsonl");
 * const tried = testCases(dataset, { task: greet, scorers: [contains()], budget: "$0.50" });
 * test("on the whole", () => {
 *   expect(tried).toScoreAtLeast(0.8);
 * });
 * testCases(dataset, { task: greet, name: "politeness" }, (one, { output }) => {
 *   expect(output).toMatch(/please/);
 * });
 * ```
 *
 * Runs are kept in memory, unless `store` says otherwise: then `flujo lens` shows what happened in them.
 *
 * @returns what was tried, for a test of all of it that comes after.
 */
export function testCases<In, Out, State>(
  dataset: Dataset,
  options: CaseTestOptions<In, Out, State>,
  check?: (one: Case, tried: TriedCase<Out>) => unknown,
): CaseTests {
  const { name = dataset.name, passMark = 0.5, timeout = 60_000, concurrent = false } = options;
  const cases = options.cases ?? dataset.cases.filter((one) => splitOf(one) !== "test");
  const records: TrialRecord[] = [];
  describe(name, { concurrent }, () => {
    const trier = new Trier(dataset, options, check === undefined ? [exact()] : []);
    afterAll(() => trier.leave());
    for (const [i, one] of cases.entries()) {
      test(one.id, { timeout }, async () => {
        const { result, record } = await trier.conduct(one, i);
        if (result.status !== "completed") {
          records.push(record);
          throw "error" in result ? result.error : new Error(record.error?.message);
        }
        if (check === undefined) {
          records.push(record);
          if (record.score < passMark) throw new Error(discontent(record));
          return;
        }
        const tried = { output: result.output, record };
        const isScored = record.scores.length > 0;
        try {
          await check(one, tried);
        } catch (error) {
          records.push(record);
          throw error;
        }
        records.push(isScored ? record : { ...record, score: 1 });
      });
    }
  });
  return { records };
}

const discontent = ({ score, scores, output }: TrialRecord): string =>
  [
    `the score is ${score.toFixed(3)}`,
    ...scores.map((one) => `  ${one.scorer} ${one.score.toFixed(3)}: ${one.feedback}`),
    `  it returned: ${output}`,
  ].join("\n");

/** Runs cases one by one, under one budget. */
class Trier<In, Out, State> {
  readonly #dataset: Dataset;
  readonly #task: Step<In, Out, State>;
  readonly #scorers: readonly Scorer[];
  readonly #flujo: Flujo<In, Out, State>;
  readonly #judge: Flujo<ReturnType<typeof experimentInput>, TrialRecord[]> | undefined;
  readonly #name = `test-${nodeWorld().id()}`;
  readonly #scopes: readonly { readonly scope: string; readonly cost?: Usd }[];

  constructor(
    dataset: Dataset,
    { task, store = memory(), models, budget, scorers }: CaseTestOptions<In, Out, State>,
    usual: readonly Scorer[],
  ) {
    this.#dataset = dataset;
    this.#task = task;
    this.#scorers = scorers ?? usual;
    this.#scopes = [{ scope: `test:${this.#name}`, ...(budget === undefined ? {} : { cost: budget }) }];
    const common: FlujoOptions<never> = {
      store,
      takeOver: false,
      awake: "24h", // a run that sleeps is waited for
      scopes: this.#scopes,
      ...(models === undefined ? {} : { models }),
    };
    this.#flujo = new Flujo(task, common);
    const trying = {
      task: task as Step<never, unknown, never>, // whether an input fits, its schema says
      ...{ flujo: this.#flujo, store, scorers: this.#scorers, scopes: this.#scopes },
    };
    this.#judge = this.#scorers.length === 0 ? undefined : new Flujo(experiment(trying), common);
  }

  /** @throws whatever keeps it from being tried or scored. */
  async conduct(
    one: Case,
    index: number,
  ): Promise<{ readonly result: RunResult<Out>; readonly record: TrialRecord }> {
    const name = `${this.#name}.${index}`;
    const runId = trialRunId(name, { case: one, trial: 1 });
    const result = await this.#flujo.run(one.input as In, { runId }); // as above
    if (result.status !== "completed" || this.#judge === undefined)
      return { result, record: recordOf(one, runId, result) };
    // The experiment finds this run, and scores it.
    const task = this.#task as Step<never, unknown, never>; // as above
    const input = experimentInput({ task, scorers: this.#scorers }, this.#dataset, { cases: [one] });
    const judged = await this.#judge.run(input, { runId: name });
    if ("error" in judged) throw judged.error;
    const [record] = judged.status === "completed" ? judged.output : [];
    if (record === undefined) throw new Error(`the scorers of ${runId} wait for somebody`);
    return { result, record };
  }

  async leave(): Promise<void> {
    await Promise.all([this.#flujo[Symbol.asyncDispose](), this.#judge?.[Symbol.asyncDispose]()]);
  }
}

/** What an experiment without scorers would record. */
function recordOf({ id, cluster, tags }: Case, runId: string, result: RunResult<unknown>): TrialRecord {
  const error = "error" in result ? recordError(result.error) : undefined;
  return {
    ...{ caseId: id, trial: 1, runId, status: result.status, score: 0, scores: [] },
    ...(cluster === undefined ? {} : { cluster }),
    ...(tags === undefined ? {} : { tags }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    ...(result.status === "completed" ? { output: preview(plain(result.output)) } : {}),
    picoUsd: result.spent.picoUsd.toString(),
  };
}
