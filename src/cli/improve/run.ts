import type { Usd } from "../../core/limits.ts";
import type { Step } from "../../core/step.ts";
import type { Dataset } from "../../evals/dataset/dataset.ts";
import type { Starter } from "../../evals/experiment/experiment.ts";
import type { ImprovablesDocument } from "../../evals/improve/document.ts";
import { improve, improveInput, type SearchTerms } from "../../evals/improve/improve.ts";
import type { ImproveInput } from "../../evals/improve/improvement.ts";
import { scopeOf } from "../../evals/improve/purse.ts";
import { type Improving, readImprovement } from "../../evals/improve/results.ts";
import type { Scorer } from "../../evals/scorers/scorer.ts";
import type { Models } from "../../ports/models.ts";
import type { Store } from "../../ports/store.ts";
import { carryOut } from "../evals/carry.ts";
import { checkSame } from "../evals/run.ts";
import type { Loaded } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { improveProgress } from "./progress.ts";

export interface Searching {
  readonly name: string;
  readonly loaded: Loaded;
  readonly dataset: Dataset;
  readonly scorers: readonly Scorer[];
  readonly reflector: string | undefined;
  readonly terms: SearchTerms;
  readonly store: Store;
  readonly settings: Settings;
  readonly budget: Usd | undefined;
  readonly concurrency: number | undefined;
  readonly quiet: boolean;
}

/** Carries a search for something better to its end, or as far as its budget goes. */
export async function improveAll(searching: Searching): Promise<Improving> {
  const { name, loaded, dataset, scorers, store, budget, concurrency, quiet } = searching;
  const known = await readImprovement(store, name);
  const reflector = searching.reflector ?? known?.input.reflector ?? undefined;
  const task = loaded.step as Step<never, unknown, never>; // whether an input fits, its schema says
  const how = { task, scorers, ...(reflector === undefined ? {} : { reflector }) };
  const fresh = improveInput(
    how,
    dataset,
    termsOver(known?.input, { ...searching.terms, ...(budget && { budget }) }),
  );
  const input = known === undefined ? fresh : goneOnWith(name, known.input, fresh);
  const carrying = {
    ...searching,
    input,
    what: "search",
    scope: scopeOf(name),
    isKnown: known !== undefined,
  };
  const progress = quiet ? undefined : improveProgress(input.limits);
  const making = async (flujo: Starter, models: Models) => {
    for (const model of [...(reflector === undefined ? [] : [reflector]), ...modelsIn(input.document)]) {
      const complaint = await models.examine(model, { price: input.limits.picoUsd !== undefined });
      if (complaint !== undefined) throw complaint;
    }
    return improve({
      ...how,
      ...{ flujo, store },
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(progress === undefined ? {} : { onProgress: progress.tell }),
    });
  };
  await carryOut(carrying, making).finally(progress?.end);
  return (await readImprovement(store, name)) as Improving; // it has been begun
}

/** All models that a candidate may come to ask: one that cannot be called is told before anything is paid for. */
const modelsIn = ({ places }: ImprovablesDocument): readonly string[] =>
  Object.values(places)
    .flatMap((fields) => Object.values(fields))
    .filter(({ type, mayChange }) => type === "model" && mayChange)
    .flatMap(({ choices = [] }) => choices.flat())
    .filter((model) => typeof model === "string");

/** Where the flags say nothing, what it was begun with holds. */
function termsOver(known: ImproveInput | undefined, { ...flags }: SearchTerms): SearchTerms {
  if (known === undefined) return flags;
  const { rollouts, proposals, minibatch, patience } = known.limits;
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return {
    ...known.terms,
    seed: known.seed,
    rollouts,
    proposals,
    minibatch,
    patience,
    ...Object.fromEntries(given),
  };
}

/** The input as it is recorded: a budget that was raised since does not make another search of it. */
function goneOnWith(name: string, known: ImproveInput, fresh: ImproveInput): ImproveInput {
  const { picoUsd: _, ...limits } = fresh.limits;
  const { picoUsd: __, ...before } = known.limits;
  checkSame("search", name, { ...known, limits: before }, { ...fresh, limits });
  return known;
}
