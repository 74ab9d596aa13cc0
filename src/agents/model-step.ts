/** A step that does nothing but call one model: known before it runs, so that model, key and price can be looked at. */
import type { PaidContext } from "../core/context.ts";
import type { Json } from "../core/json.ts";
import type { ModelKind, WorkNode } from "../core/node.ts";
import type { Schema } from "../core/schema.ts";
import { models } from "./models.ts";
import { isModelSource, type ModelSource } from "./priced-model.ts";
import { builtInProviders } from "./registry.ts";
import { textOf } from "./text.ts";

export interface ModelStep {
  readonly name: string;
  readonly kind: ModelKind;
  readonly model: string | object;
  readonly modelName: string;
  readonly input: Schema | undefined;
  /** What else makes its results what they are. */
  readonly facts: WorkNode["facts"];
  readonly providerOptions: object | undefined;
  readonly work: WorkNode["work"];
  readonly buys: NonNullable<WorkNode["buys"]>;
}

export function modelStep(step: ModelStep): WorkNode {
  const { name, kind, model, modelName, input, facts, providerOptions = {}, work, buys } = step;
  const options: Json = JSON.parse(textOf(providerOptions));
  return Object.freeze({
    kind: "step",
    name,
    work,
    facts: { [kind]: modelName, ...facts, providerOptions: options },
    models: [modelName],
    modelKind: kind,
    ...(typeof model === "string" ? {} : { modelObjects: { [modelName]: model } }),
    providers: builtInProviders,
    buys,
    ...(input === undefined ? {} : { input }),
    freshAttempts: false,
  });
}

/** Where a run finds its models: those it was given, or the default ones. */
export const sourceOf = ({ models: given }: Pick<PaidContext, "models">): ModelSource =>
  isModelSource(given) ? given : models();
