import { type Improvables, improvablesOf } from "../core/overlay.ts";
import { type AnyStep, nodeOf } from "../core/step.ts";
import { rootOf } from "./root.ts";

/**
 * What an overlay can change of a pipeline: for each agent, by its path, the prompts, models and settings that are given
 * as data. Functions are no data.
 *
 * ```ts
 * const { system } = improvables(greet)["/hello/greet"] ?? {};
 * ```
 *
 * @throws InvalidPipelineError
 */
export const improvables = (step: AnyStep): Improvables =>
  improvablesOf(rootOf(nodeOf(step, "what improvables was given")).node);
