import { models as defaultModels } from "./agents/models.ts";
import type { Step } from "./core/step.ts";
import type { FlujoOptions } from "./engine/options.ts";
import { Runner } from "./engine/runner.ts";
import { nodeWorld } from "./node-world.ts";
import type { Models } from "./ports/models.ts";
import { memory } from "./stores/memory.ts";

/**
 * Runs a pipeline, durably and inside its budget: the engine, in the real world.
 *
 * ```ts
 * await using flujo = new Flujo(greet, { store: sqlite(".flujo/flujo.db"), budget: "$0.50" });
 * const result = await flujo.run("Ada", { runId: "greet-ada" });
 * if (result.status === "completed") console.log(result.output);
 * ```
 *
 * The same run id again resumes the run, or returns the result it has.
 */
export class Flujo<In, Out, State = unknown> extends Runner<In, Out, State> {
  constructor(step: Step<In, Out, State>, options: FlujoOptions<State> & { readonly models?: Models } = {}) {
    super(step, { world: nodeWorld(), store: memory(), models: defaultModels(), ...options });
  }
}
