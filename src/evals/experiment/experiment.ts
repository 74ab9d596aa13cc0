/**
 * An experiment is a Flujo pipeline: it maps over the cases of a dataset, each trial of which is a run of its own. So it can be
 * killed and gone on with, it has one budget for the tried pipeline and its judges together, and lens shows all of it.
 */
import { hash } from "node:crypto";
import { mapOver, pipeline, step } from "../../core/compose.ts";
import type { PaidContext } from "../../core/context.ts";
import type { Entry } from "../../core/entries.ts";
import { type ErrorRecord, recordError } from "../../core/error-record.ts";
import { type BudgetExceededError, FlujoError, InvalidOptionError } from "../../core/errors.ts";
import { versionOf } from "../../core/fingerprint.ts";
import { fold } from "../../core/fold.ts";
import type { Json } from "../../core/json.ts";
import { decimalUsd } from "../../core/limits.ts";
import type { Overlay } from "../../core/overlay.ts";
import { isRunId } from "../../core/paths.ts";
import type { SharedScope } from "../../core/scopes.ts";
import type { Step } from "../../core/step.ts";
import { archiveOf } from "../../engine/archive.ts";
import { Interruption } from "../../engine/interruption.ts";
import type { RunHandle, RunResult, StartOptions } from "../../engine/options.ts";
import { rootOf } from "../../engine/root.ts";
import type { Store } from "../../ports/store.ts";
import type { Case } from "../dataset/case.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { type Answered, type Scorer, type Scoring, type ScoringContext, scored } from "../scorers/scorer.ts";
import { journalOf } from "./journal.ts";
import { experimentPipeline, partPipeline } from "./pipelines.ts";
import { plain } from "./plain.ts";
import { type ExperimentInput, preview, type TrialRecord } from "./record.ts";

/** What runs a pipeline: a `Flujo`. */
export interface Starter {
  start(input: never, options: StartOptions): RunHandle<unknown>;
}

export interface ExperimentOptions {
  /** The pipeline to try. */
  readonly task: Step<never, unknown, never>;
  /** The `Flujo` that runs it. */
  readonly flujo: Starter;
  /** Where that keeps its runs. */
  readonly store: Store;
  /** At least one. */
  readonly scorers: readonly Scorer[];
  /** Shared budgets that every trial is charged to. Give the experiment's own run the same ones. */
  readonly scopes?: readonly (string | SharedScope)[];
  /** How many trials at once. Default 8. */
  readonly concurrency?: number;
}

/**
 * What an experiment tries and how it scores: some cases of a dataset, each so many times. It is recorded, so that lens and
 * whoever compares know.
 *
 * ```ts
 * const dataset = await readDataset("greetings.jsonl");
 * const cases = dataset.cases.filter((one) => splitOf(one) === "validation");
 * const input = experimentInput({ task: greet, scorers: [exact()] }, dataset, { cases, trials: 3 });
 * ```
 *
 * @param options `cases`: default all of them. `trials`: 1 to 1,000, default 1.
 * @throws InvalidOptionError
 */
export function experimentInput(
  { task, scorers }: Pick<ExperimentOptions, "task" | "scorers">,
  dataset: Dataset,
  { cases = dataset.cases, trials = 1 }: { readonly cases?: readonly Case[]; readonly trials?: number } = {},
): ExperimentInput {
  const root = rootOf(task.node);
  if (!(Number.isInteger(trials) && trials >= 1 && trials <= mostTrials)) {
    throw new InvalidOptionError(`trials is ${trials}; it takes a whole number from 1 to ${mostTrials}`);
  }
  const { name, hash } = dataset;
  const { fingerprint } = versionOf(root.node);
  const by = scorers.map(({ name, version }) => ({ name, version }));
  return { pipeline: root.pipeline.name, fingerprint, scorers: by, dataset: { name, hash }, cases, trials };
}
const mostTrials = 1_000;

/**
 * The pipeline that tries another one on cases, and scores what comes.
 *
 * ```ts
 * const store = sqlite(".flujo/flujo.db");
 * await using flujo = new Flujo(greet, { store });
 * const trial = { task: greet, flujo, store, scorers: [exact()] };
 * await using trier = new Flujo(experiment(trial), { store });
 * const dataset = await readDataset("greetings.jsonl");
 * const result = await trier.run(experimentInput(trial, dataset), { runId: "baseline" });
 * if (result.status === "completed") console.log(summaryOf(result.output).score.mean);
 * ```
 *
 * The same run id again goes on where it stopped: trials that are recorded are not run, nor bought, again. A pipeline or
 * scorer that has changed meanwhile is refused with VersionChangedError.
 *
 * @throws InvalidOptionError without a scorer, and for two of one name.
 */
export function experiment(options: ExperimentOptions): Step<ExperimentInput, TrialRecord[]> {
  return trying(options, experimentPipeline, (runId) => runId);
}

/** The same for the later parts of a large one, whose trials are called after the whole. */
export function laterPart(options: ExperimentOptions, name: string): Step<ExperimentInput, TrialRecord[]> {
  return trying(options, partPipeline, () => name);
}

function trying(
  options: ExperimentOptions,
  name: string,
  calledAfter: (runId: string) => string,
): Step<ExperimentInput, TrialRecord[]> {
  const { task, scorers, concurrency = 8 } = options;
  const names = scorers.map(({ name }) => name);
  if (names.length === 0)
    throw new InvalidOptionError("there is nothing to score by", { hint: "scorers: [exact()]" });
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidOptionError(`two scorers are called "${twice}"`);
  const tried = versionOf(rootOf(task.node).node).fingerprint;
  const version = JSON.stringify([tried, scorers.map(({ name, version }) => [name, version])]);
  const trial = step(
    "trial",
    (which: Trial, ctx) =>
      conduct(which, trialRunId(calledAfter(ctx.runId), which), ctx as PaidContext, options),
    { version },
  );
  const each = mapOver("trials", trial, {
    over: trialsOf,
    key: ({ case: { id }, trial }: Trial) => `${id}#${trial}`,
    concurrency,
  });
  return pipeline(name, each);
}

/** One case, tried once: from 1. */
export interface Trial {
  readonly case: Case;
  readonly trial: number;
}

/** What a trial needs. */
export type TrialOptions = Pick<ExperimentOptions, "flujo" | "store" | "scorers" | "scopes"> & {
  /** Changed of the pipeline for this trial. */
  readonly overlay?: Overlay;
};

/** All first trials, then all second ones: what is known when money runs out is known of as many cases as can be. */
function* trialsOf({ cases, trials, part }: ExperimentInput): Generator<Trial> {
  const { first, last } = part ?? { first: 1, last: trials };
  for (let trial = first; trial <= last; trial += 1) for (const one of cases) yield { case: one, trial };
}

/** Tries a case in a run of its own, and scores what comes. Recorded in the context, it is done once. */
export async function conduct(
  which: Trial,
  runId: string,
  ctx: ScoringContext,
  options: TrialOptions,
): Promise<TrialRecord> {
  const ending = await ctx.run("run", () => run(runId, which.case.input, options));
  const { id, cluster, tags } = which.case;
  const scores =
    ending.status === "completed" ? await scoresOf(ending, which.case, ctx, options.scorers) : [];
  return {
    caseId: id,
    trial: which.trial,
    runId,
    ...(cluster === undefined ? {} : { cluster }),
    ...(tags === undefined ? {} : { tags }),
    status: ending.status,
    ...(ending.error === undefined ? {} : { error: briefly(ending.error) }),
    ...(ending.status === "completed" ? { output: preview(ending.output) } : {}),
    score: scores.length === 0 ? 0 : scores.reduce((sum, { score }) => sum + score, 0) / scores.length,
    scores: scores.map((score, i) => ({ scorer: (options.scorers[i] as Scorer).name, ...score })), // a score each
    picoUsd: ending.picoUsd,
    ...(ending.durationMs === undefined ? {} : { durationMs: ending.durationMs }),
  };
}

/** The id of the run that tries a case. One that cannot be part of an id, or would make it too long, goes in as its hash. */
export function trialRunId(experiment: string, { case: { id }, trial }: Trial): string {
  const readable = `${experiment}.${id}.${trial}`;
  if (isRunId(readable)) return readable;
  const digest = hash("sha256", id).slice(0, 16);
  const short = `${experiment}.${digest}.${trial}`;
  return isRunId(short) ? short : `eval-${hash("sha256", experiment).slice(0, 16)}.${digest}.${trial}`;
}

/** How a trial's run came to stand. */
interface Ending {
  readonly status: TrialRecord["status"];
  readonly output: Json;
  readonly error: ErrorRecord | undefined;
  readonly picoUsd: string;
  readonly durationMs: number | undefined;
}

async function run(
  runId: string,
  input: Json,
  { flujo, store, scopes = [], overlay = [] }: TrialOptions,
): Promise<Ending> {
  const archive = archiveOf(store);
  // A run that has failed counts as it is: starting it again would try, and pay, once more.
  const before = await journalOf(archive, runId);
  const known = endingIn(before);
  if (known !== undefined) return known;
  const isWhole = before.at(-1)?.type === "run-completed"; // else it is gone on with
  let result: RunResult<unknown>;
  try {
    result = await flujo.start(input as never, { runId, scopes, overlay }).result(); // whether it fits, its pipeline says
  } catch (error) {
    if (!FlujoError.isInstance(error)) throw error;
    if (elsewhere.has(error.code)) throw Interruption.lost(error);
    if (error.code !== "invalid-input") throw error;
    return {
      status: "refused",
      output: null,
      error: recordError(error),
      picoUsd: "0",
      durationMs: undefined,
    };
  }
  if ("error" in result && isShared(recordError(result.error)))
    throw Interruption.halted(result.error as BudgetExceededError); // only these say what was exceeded
  return {
    status: result.status,
    output: result.status === "completed" ? plain(result.output) : null,
    error: "error" in result ? recordError(result.error) : waitsFor(result.status),
    picoUsd: result.spent.picoUsd.toString(),
    durationMs: durationOf(before.length === 0 ? await journalOf(archive, runId) : isWhole ? before : []),
  };
}

/** Another process has the trial, or nothing can be written now: nothing has come of it yet, and whoever goes on does. */
const elsewhere = new Set(["lease-held", "lease-lost", "store-unavailable"]);

/** The money of all is spent: not a fault of this case, which is tried when there is more. */
const isShared = ({ details }: ErrorRecord): boolean =>
  (details as { readonly exceeded?: { readonly of?: string } } | undefined)?.exceeded?.of === "shared"; // as its error wrote it

const waitsFor = (status: TrialRecord["status"]): ErrorRecord | undefined =>
  status === "waiting"
    ? {
        code: "waiting",
        message: "the run waits for somebody, and in an experiment nobody answers",
        retryable: false,
      }
    : undefined;

/** What is recorded of a run that has failed for good. */
function endingIn(entries: readonly Entry[]): Ending | undefined {
  const { status, error, spent, created } = fold(entries);
  if (created === undefined || !(status === "failed" || status === "cancelled")) return undefined;
  if (error !== undefined && isShared(error)) return undefined;
  return {
    status,
    output: null,
    error,
    picoUsd: spent.picoUsd.toString(),
    durationMs: durationOf(entries),
  };
}

/** From the first entry to the last; undefined of a run that was interrupted and gone on with. */
function durationOf(entries: readonly Entry[]): number | undefined {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined || entries.some(({ type }) => type === "run-resumed"))
    return undefined;
  return last.at - first.at;
}

async function scoresOf(
  { output, picoUsd, durationMs }: Ending,
  one: Case,
  ctx: ScoringContext,
  scorers: readonly Scorer[],
): Promise<Scoring[]> {
  const { input, expected } = one;
  const costUsd = Number(decimalUsd(BigInt(picoUsd)));
  const answer: Answered = { input, output, expected, case: one, costUsd, durationMs };
  const scores: Scoring[] = [];
  // One after the other: a body calls its operations in the same order each time it runs.
  for (const by of scorers) scores.push(await scored(by, answer, ctx));
  return scores;
}

const briefly = ({ code, message, path }: ErrorRecord): NonNullable<TrialRecord["error"]> => ({
  code,
  message,
  ...(path === undefined ? {} : { path }),
});
