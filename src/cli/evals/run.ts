import { canonical } from "../../core/canonical.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Usd } from "../../core/limits.ts";
import type { Step } from "../../core/step.ts";
import { inputOf } from "../../evals/experiment/beginning.ts";
import { experiment, laterPart } from "../../evals/experiment/experiment.ts";
import { partRunId, partsOf } from "../../evals/experiment/parts.ts";
import type { ExperimentInput } from "../../evals/experiment/record.ts";
import { readTally } from "../../evals/experiment/results.ts";
import type { Scorer } from "../../evals/scorers/scorer.ts";
import type { Store } from "../../ports/store.ts";
import type { Loaded } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { carryOut } from "./carry.ts";
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

/** Carries an experiment to its end, or as far as its budget goes: a large one part by part. */
export async function tryAll(trying: Trying): Promise<void> {
  const { name, loaded, input, scorers, store, concurrency, quiet } = trying;
  const known = await inputOf(store, name);
  // One that was begun as a whole goes on as it is.
  const parts = known !== undefined && known.part === undefined ? [input] : partsOf(input);
  const done = known === undefined || quiet ? 0 : ((await readTally(store, name))?.tally.trials ?? 0);
  const progress = trialProgress(input.cases.length * input.trials, done);
  for (const [i, part] of parts.entries()) {
    const runId = partRunId(name, i + 1);
    const begun = i === 0 ? known : await inputOf(store, runId);
    if (begun !== undefined) checkSame("experiment", name, { ...begun }, { ...part });
    const carrying = {
      ...{ ...trying, name: runId, input: part, what: "experiment" },
      scope: `eval:${name}`,
      isKnown: known !== undefined,
      ...(quiet ? {} : { onEvent: progress }),
    };
    const status = await carryOut(carrying, (flujo) => {
      const options = {
        task: loaded.step as Step<never, unknown, never>, // whether an input fits, its schema says
        ...{ flujo, store, scorers },
        ...(concurrency === undefined ? {} : { concurrency }),
      };
      return i === 0 ? experiment(options) : laterPart(options, name);
    });
    if (status !== "completed") return;
  }
}

/** What is gone on with is still the same. @throws InvalidOptionError */
export function checkSame(
  what: string,
  name: string,
  before: { readonly [field: string]: unknown },
  now: { readonly [field: string]: unknown },
): void {
  const changed = Object.keys(now).filter(
    (field) => canonical(before[field] as Json) !== canonical(now[field] as Json), // inputs of runs: all of it is JSON
  );
  if (changed.length === 0) return;
  throw new InvalidOptionError(
    `the ${what} ${name} was begun otherwise: not with the same ${changed.join(", ")}`,
    { hint: `Give this one another --name, and the ${what} there is stays as it is.` },
  );
}
