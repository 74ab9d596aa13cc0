import { models as modelsOf } from "../../agents/models.ts";
import { FlujoError } from "../../core/errors.ts";
import type { RunEvent } from "../../core/events.ts";
import { limitsOf, type Usd } from "../../core/limits.ts";
import type { SharedScope } from "../../core/scopes.ts";
import type { Step } from "../../core/step.ts";
import type { RunResult } from "../../engine/options.ts";
import { Flujo, type FlujoOptions } from "../../flujo.ts";
import type { Models } from "../../ports/models.ts";
import type { Store } from "../../ports/store.ts";
import { onInterrupt } from "../interrupt.ts";
import { CommandError } from "../letter.ts";
import type { Loaded } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { say } from "../terminal.ts";

/** What a pipeline that tries another one needs. */
export interface Carrying<In> {
  /** For people: `experiment`. */
  readonly what: string;
  readonly name: string;
  readonly input: In;
  /** The pipeline that is tried. */
  readonly loaded: Loaded;
  readonly store: Store;
  readonly settings: Settings;
  /** The shared budget of all runs, and its limit. */
  readonly scope: string;
  readonly budget: Usd | undefined;
  /** It has been begun before. */
  readonly isKnown: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/**
 * Runs a pipeline that tries another one, to its end or as far as its budget goes: trials and all else inside one budget.
 *
 * @param make the pipeline, of the `Flujo` that runs trials.
 * @returns how it stands.
 * @throws what keeps it from its end; CommandError when it is interrupted.
 */
export async function carryOut<In, Out>(
  { what, name, input, loaded, store, settings, scope, budget, isKnown, onEvent }: Carrying<In>,
  make: (flujo: Flujo<unknown, unknown>, models: Models) => Promise<Step<In, Out>> | Step<In, Out>,
): Promise<RunResult<Out>["status"]> {
  const shared: SharedScope = { scope, ...(budget === undefined ? {} : { cost: budget }) };
  if (isKnown && budget !== undefined)
    await store.ledger({ kind: "amend", scope: shared.scope, set: limitsOf(budget) });
  const models = modelsOf(settings.models);
  const common: FlujoOptions<never> = {
    store,
    takeOver: false, // a command tries what it was asked to, and spends on nothing else
    awake: "24h", // a trial that sleeps is waited for
    scopes: [...(settings.scopes ?? []), shared],
    ...(settings.lease === undefined ? {} : { lease: settings.lease }),
    ...(settings.instrument === undefined ? {} : { instrument: settings.instrument }),
    models,
  };
  const origin = { file: loaded.file, export: loaded.export };
  const perRun = settings.budget === undefined ? {} : { budget: settings.budget };
  const flujo = new Flujo(loaded.step, { ...common, ...perRun, origin });
  const trier = new Flujo(await make(flujo, models), {
    ...common,
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  const leave = async (): Promise<void> => {
    await Promise.all([trier[Symbol.asyncDispose](), flujo[Symbol.asyncDispose]()]);
  };
  const interrupt = onInterrupt(() => void leave());
  try {
    const result = await trier.run(input, { runId: name });
    if ("error" in result && result.error.code !== "budget-exceeded") throw result.error;
    if ("error" in result) say(result.error.message);
    return result.status;
  } catch (error) {
    if (interrupt.happened() && FlujoError.isInstance(error))
      throw new CommandError(
        "interrupted",
        `the ${what} ${name} was interrupted`,
        `The same command with --name ${name} goes on with it.`,
      );
    throw error;
  } finally {
    interrupt.off();
    await leave();
  }
}
