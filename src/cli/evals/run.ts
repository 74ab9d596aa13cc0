import { models } from "../../agents/models.ts";
import { canonical } from "../../core/canonical.ts";
import { FlujoError, InvalidOptionError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { limitsOf, type Usd } from "../../core/limits.ts";
import type { SharedScope } from "../../core/scopes.ts";
import type { Step } from "../../core/step.ts";
import { experiment } from "../../evals/experiment/experiment.ts";
import type { ExperimentInput } from "../../evals/experiment/record.ts";
import { type Experiment, readExperiment } from "../../evals/experiment/results.ts";
import type { Scorer } from "../../evals/scorers/scorer.ts";
import { Flujo, type FlujoOptions } from "../../flujo.ts";
import type { Store } from "../../ports/store.ts";
import { onInterrupt } from "../interrupt.ts";
import { CommandError } from "../letter.ts";
import type { Loaded } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { say } from "../terminal.ts";
import { trialProgress } from "./progress.ts";

export interface Trying {
  readonly name: string;
  readonly loaded: Loaded;
  readonly input: ExperimentInput;
  readonly scorers: readonly Scorer[];
  readonly store: Store;
  readonly settings: Settings;
  readonly budget: Usd | undefined;
  readonly concurrency: number | undefined;
  readonly quiet: boolean;
}

/** Carries an experiment to its end, or as far as its budget goes. */
export async function tryAll(trying: Trying): Promise<Experiment> {
  const { name, loaded, input, scorers, store, settings, budget, concurrency } = trying;
  const known = await readExperiment(store, name);
  if (known !== undefined) checkSame(known, input);
  const shared: SharedScope = { scope: `eval:${name}`, ...(budget === undefined ? {} : { cost: budget }) };
  if (known !== undefined && budget !== undefined)
    await store.ledger({ kind: "amend", scope: shared.scope, set: limitsOf(budget) });
  const common: FlujoOptions<never> = {
    store,
    takeOver: false, // a command tries what it was asked to, and spends on nothing else
    awake: "24h", // a trial that sleeps is waited for
    scopes: [...(settings.scopes ?? []), shared],
    ...(settings.lease === undefined ? {} : { lease: settings.lease }),
    ...(settings.instrument === undefined ? {} : { instrument: settings.instrument }),
    models: models(settings.models),
  };
  const origin = { file: loaded.file, export: loaded.export };
  const perRun = settings.budget === undefined ? {} : { budget: settings.budget };
  const flujo = new Flujo(loaded.step, { ...common, ...perRun, origin });
  const trier = new Flujo(
    experiment({
      task: loaded.step as Step<never, unknown, never>, // whether an input fits, its schema says
      flujo,
      store,
      scorers,
      ...(concurrency === undefined ? {} : { concurrency }),
    }),
    {
      ...common,
      ...(trying.quiet
        ? {}
        : { onEvent: trialProgress(input.cases.length * input.trials, known?.records.length ?? 0) }),
    },
  );
  const leave = async (): Promise<void> => {
    await Promise.all([trier[Symbol.asyncDispose](), flujo[Symbol.asyncDispose]()]);
  };
  const interrupt = onInterrupt(() => void leave());
  try {
    const result = await trier.run(input, { runId: name });
    if ("error" in result && result.error.code !== "budget-exceeded") throw result.error;
    if ("error" in result) say(result.error.message);
  } catch (error) {
    if (interrupt.happened() && FlujoError.isInstance(error))
      throw new CommandError(
        "interrupted",
        `the experiment ${name} was interrupted`,
        `The same command with --name ${name} goes on with it.`,
      );
    throw error;
  } finally {
    interrupt.off();
    await leave();
  }
  return (await readExperiment(store, name)) as Experiment; // it has been begun
}

/** An experiment that is gone on with is still the same one. */
function checkSame({ name, input: before }: Experiment, now: ExperimentInput): void {
  const changed = (Object.keys(now) as (keyof ExperimentInput)[]).filter(
    (field) => canonical(before[field] as Json) !== canonical(now[field] as Json), // all of it is JSON
  );
  if (changed.length === 0) return;
  throw new InvalidOptionError(
    `the experiment ${name} was begun otherwise: not with the same ${changed.join(", ")}`,
    {
      hint: "Give this one another --name; --compare puts both side by side.",
    },
  );
}
