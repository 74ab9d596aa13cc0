/**
 * `flujo improve` is a Flujo pipeline: one step that searches, each of whose trials is a run of its own. So it can be killed and
 * gone on with, everything is inside one budget, and lens shows all of it.
 */
import { modelName } from "../../agents/language-model.ts";
import { pipeline, step } from "../../core/compose.ts";
import type { PaidContext } from "../../core/context.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import { versionOf } from "../../core/fingerprint.ts";
import { limitsOf, type PicoUsd, type Usd } from "../../core/limits.ts";
import type { Step } from "../../core/step.ts";
import { archiveOf } from "../../engine/archive.ts";
import { rootOf } from "../../engine/root.ts";
import { type Case, type Split, splits } from "../dataset/case.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { splitOf } from "../dataset/split.ts";
import type { ExperimentOptions } from "../experiment/experiment.ts";
import { looksAt } from "../experiment/looks.ts";
import { improvePipeline } from "../experiment/pipelines.ts";
import { checkPatch } from "./check.ts";
import { componentsOf } from "./components.ts";
import { documentOf } from "./document.ts";
import { DurableLaboratory } from "./durable-laboratory.ts";
import type { ImproveInput, Improvement, SearchLimits } from "./improvement.ts";
import type { Outcome } from "./laboratory.ts";
import { checkTerms, type PromotionTerms, promotion, type TrialScore } from "./promotion.ts";
import { Purse } from "./purse.ts";
import { search } from "./search.ts";
import type { SearchProgress } from "./search-terms.ts";

export interface ImproveOptions extends ExperimentOptions {
  /** Who is asked for better texts: `"provider:model"`, or an AI SDK language model. Default: nobody, rules propose. */
  readonly reflector?: string | object;
  /** Told how far it has come: after each trial, and after each round. */
  readonly onProgress?: (progress: ImproveProgress) => void;
}

/** How far a search, and the proof after it, has come. */
export interface ImproveProgress extends SearchProgress {
  /** That are over, those on the test split included. */
  readonly trials: number;
  /** What was paid so far; for judges and reflections up to the last round. */
  readonly picoUsd: PicoUsd;
}

/** What a run of `improve` may use, and what decides. */
export interface SearchTerms extends Omit<PromotionTerms, "look"> {
  /** Of all choices. Default 1: the same cases bring the same result. */
  readonly seed?: number;
  /** The most cases that are tried in the search. Default: ten times what the validation split has, 300 at least. */
  readonly rollouts?: number;
  /** Proposals side by side. Default 2. */
  readonly proposals?: number;
  /** Cases that a change is tried on first. Default 3. */
  readonly minibatch?: number;
  /** The search ends after so many rounds without a better candidate. Default 20. */
  readonly patience?: number;
  /**
   * What all may cost: the search ends while there is enough left for the test split. A shared budget of the name `improve:` and
   * the run's id holds the limit; where that is raised, a search that has halted goes on.
   */
  readonly budget?: Usd;
}

/**
 * What a run of `improve` is given: the pipeline's document of improvables, the cases, each with its split, and the terms.
 *
 * ```ts
 * const dataset = await readDataset("greetings.jsonl");
 * const input = improveInput({ task: greet, scorers: [exact()] }, dataset, { rollouts: 400, budget: "$5" });
 * ```
 *
 * @throws InvalidOptionError when a split has no case, nothing of the pipeline may change, or a number is out of bounds.
 */
export function improveInput(
  { task, scorers, reflector }: Pick<ImproveOptions, "task" | "scorers" | "reflector">,
  dataset: Dataset,
  options: SearchTerms = {},
): ImproveInput {
  const root = rootOf(task.node);
  const document = documentOf(root.node);
  if (componentsOf(document).length === 0) {
    throw new InvalidOptionError(`nothing of the pipeline "${root.pipeline.name}" may be changed`, {
      hint: "Agents with prompts that are texts, and not functions, can be improved: flujo improve document FILE lists what there is.",
    });
  }
  const cases = dataset.cases.map((one) => ({ ...one, split: splitOf(one) }));
  const counts = countsOf(cases);
  const empty = splits.find((split) => counts[split] === 0);
  if (empty !== undefined) throw unsplit(dataset, cases, empty);
  checkTerms(options);
  const { threshold, sliceMargin, maxCostRatio } = options;
  return {
    pipeline: root.pipeline.name,
    fingerprint: versionOf(root.node).fingerprint,
    document,
    scorers: scorers.map(({ name, version }) => ({ name, version })),
    reflector: reflector === undefined ? null : modelName(reflector),
    dataset: { name: dataset.name, hash: dataset.hash },
    cases,
    seed: whole("seed", options.seed ?? 1, 0),
    limits: limitsFor(counts.validation, options),
    terms: {
      ...(threshold === undefined ? {} : { threshold }),
      ...(sliceMargin === undefined ? {} : { sliceMargin }),
      ...(maxCostRatio === undefined ? {} : { maxCostRatio }),
    },
  };
}

function limitsFor(validation: number, options: SearchTerms): SearchLimits {
  const { rollouts = Math.max(300, 10 * validation), proposals = 2, minibatch = 3, patience = 20 } = options;
  const { budget } = options;
  const { picoUsd } = budget === undefined ? {} : limitsOf(budget);
  return {
    rollouts: whole("rollouts", rollouts, validation),
    proposals: whole("proposals", proposals, 1),
    minibatch: whole("minibatch", minibatch, 1),
    patience: whole("patience", patience, 1),
    ...(picoUsd === undefined ? {} : { picoUsd }),
  };
}

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  const why = name === "rollouts" ? ": the pipeline as it is has to be tried on the validation split" : "";
  throw new InvalidOptionError(`${name} is ${value}; it takes a whole number from ${least}${why}`);
}

const countsOf = (cases: readonly { readonly split: Split }[]): { readonly [split in Split]: number } => {
  const of = (split: Split): number => cases.filter((one) => one.split === split).length;
  return { train: of("train"), validation: of("validation"), test: of("test") };
};

function unsplit(dataset: Dataset, cases: readonly Case[], empty: Split): InvalidOptionError {
  const clusters = new Set(
    cases.map(({ id, cluster }) => (cluster === undefined ? `case ${id}` : `cluster ${cluster}`)),
  );
  const alike = clusters.size === 1 && cases.length > 1 ? `, as all of them are of one cluster` : "";
  return new InvalidOptionError(
    `none of the ${cases.length} cases of ${dataset.name} is in the ${empty} split${alike}`,
    {
      hint: "It takes cases to learn from (train), to choose by (validation) and to prove with (test): of clusters of their own, or with a split of their own.",
    },
  );
}

/**
 * The pipeline that improves another one: it searches for better prompts and settings, and tries the best on the test split,
 * beside the pipeline as it is.
 *
 * ```ts
 * const store = sqlite(".flujo/flujo.db");
 * await using flujo = new Flujo(greet, { store, takeOver: false });
 * const how = { task: greet, flujo, store, scorers: [exact()], reflector: "openai:gpt-4o" };
 * await using improver = new Flujo(improve(how), { store });
 * const input = improveInput(how, await readDataset("greetings.jsonl"));
 * const result = await improver.run(input, { runId: "greetings-1" });
 * if (result.status === "completed") console.log(result.output.promotion?.verdict, result.output.best.patch);
 * ```
 *
 * The same run id again goes on where it stopped, and comes to the same result. Give both `Flujo`s the same `scopes` for one
 * budget over trials, judges and reflections.
 *
 * @throws InvalidOptionError without a scorer.
 */
export function improve(options: ImproveOptions): Step<ImproveInput, Improvement> {
  const { task, scorers, reflector } = options;
  if (scorers.length === 0)
    throw new InvalidOptionError("there is nothing to score by", { hint: "scorers: [exact()]" });
  const { fingerprint } = versionOf(rootOf(task.node).node);
  const by = scorers.map(({ name, version }) => [name, version]);
  const version = JSON.stringify([fingerprint, by, reflector === undefined ? null : modelName(reflector)]);
  const body = (input: ImproveInput, ctx: unknown) => improvement(input, ctx as PaidContext, options); // which every body is handed
  return pipeline(improvePipeline, step("search", body, { version }));
}

async function improvement(
  input: ImproveInput,
  ctx: PaidContext,
  options: ImproveOptions,
): Promise<Improvement> {
  const { flujo, store, scorers, scopes = [], reflector, concurrency = 8, onProgress } = options;
  const { document, cases, seed, limits, dataset } = input;
  const of = (split: Split): readonly Case[] => cases.filter((one) => one.split === split);
  const [train, validation, test] = [of("train"), of("validation"), of("test")];
  let latest: SearchProgress = { round: 0, rollouts: 0, candidates: 1, base: 0, best: 0 };
  const tell = (progress: SearchProgress = latest): void => {
    latest = progress;
    onProgress?.({ ...progress, trials: laboratory.trials.count, picoUsd: purse.seen });
  };
  const laboratory = new DurableLaboratory(ctx, {
    ...{ flujo, store, scorers, scopes, reflector, concurrency },
    onTrial: () => tell(),
    places: Object.keys(document.places),
    traced: new Set(train.map(({ id }) => id)),
  });
  const purse = new Purse(ctx, {
    store,
    laboratory,
    limits,
    validation: validation.length,
    test: test.length,
  });
  const found = await search({
    ...{ document, train, validation, laboratory, seed, ...limits },
    check: (document, patch) => checkPatch(document, patch, { training: train }),
    hasReflector: reflector !== undefined,
    affords: ({ base, best }) => purse.affords(best > base),
    onProgress: tell,
  });
  const { base, best, candidates, rollouts, rounds, proposals, stopped } = found;
  const isBetter = best.id !== base.id;
  const verdict = isBetter ? await proof() : undefined;

  /** Both are tried on the test split, once. */
  async function proof() {
    const look = await ctx.run("look", async () => {
      const looks = await looksAt(archiveOf(store), { name: dataset.name, cases });
      return looks.filter(({ run }) => run !== ctx.runId).length + 1;
    });
    const before = await laboratory.try(base, test, 1);
    const after = await laboratory.try(best, test, 1);
    return promotion(scoresOf(test, before), scoresOf(test, after), { ...input.terms, look });
  }

  return {
    ...{ pipeline: input.pipeline, fingerprint: input.fingerprint, document, dataset },
    cases: countsOf(cases),
    scorers: scorers.map(({ name }) => name),
    ...{ reflector: input.reflector, seed, limits, base, best, candidates },
    search: { rollouts, rounds, proposals, stopped },
    ...(verdict === undefined ? {} : { promotion: verdict }),
    picoUsd: `${await purse.total()}`,
  };
}

const scoresOf = (cases: readonly Case[], outcomes: readonly Outcome[]): TrialScore[] =>
  outcomes.map(({ score, picoUsd }, i) => {
    const { id, cluster, tags = [] } = cases[i] as Case; // an outcome each
    return { caseId: id, cluster, tags, score, picoUsd };
  });
