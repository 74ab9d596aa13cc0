import { embeddingBound } from "../budget/token-bound.ts";
import type { EmbedRequest, PaidContext } from "../core/context.ts";
import { InvalidInputError } from "../core/errors.ts";
import { codeFact } from "../core/fingerprint.ts";
import type { Bought } from "../core/node.ts";
import type { Schema } from "../core/schema.ts";
import { type Step, toStep } from "../core/step.ts";
import { checkedName } from "../core/work.ts";
import type { PromptContext } from "./agent-options.ts";
import type { EmbeddingModel } from "./embedding-model.ts";
import { checkEmbedding, embedAll, embeddingName } from "./embeddings.ts";
import { modelStep, sourceOf } from "./model-step.ts";

export interface EmbedOptions<In> extends Pick<EmbedRequest, "dimensions" | "providerOptions"> {
  /** `"openai:text-embedding-3-small"`, or an AI SDK embedding model. */
  readonly model: string | EmbeddingModel;
  /** Checks the input before the step runs; its output is what `values` sees. */
  readonly input?: Schema<unknown, In>;
}

/** Where the texts of an input are: a function that returns one, or a list. */
export interface EmbedValues<In, State, Values> {
  readonly values: (input: In, ctx: PromptContext<State>) => Values;
}

/**
 * A step done by an embedding model: a list of texts in, their vectors out in the same order; with `values` that return one
 * text, its vector. Its model, key and price are looked at before a run begins. For vectors amid other work: `ctx.embed`.
 *
 * ```ts
 * const index = embed("index", { model: "openai:text-embedding-3-small" });
 * const search = embed("search", {
 *   model: "google:gemini-embedding-001",
 *   values: (question: { text: string }) => question.text,
 *   providerOptions: { google: { taskType: "RETRIEVAL_QUERY" } },
 * });
 * ```
 *
 * @throws InvalidOptionError for an option out of its bounds.
 */
export function embed<In, State = unknown>(
  name: string,
  options: EmbedOptions<In> & EmbedValues<In, State, string>,
): Step<In, number[], State>;
export function embed<In, State = unknown>(
  name: string,
  options: EmbedOptions<In> & EmbedValues<In, State, readonly string[]>,
): Step<In, number[][], State>;
export function embed<In extends readonly string[] = readonly string[], State = unknown>(
  name: string,
  options: EmbedOptions<In>,
): Step<In, number[][], State>;
export function embed(
  name: string,
  options: EmbedOptions<unknown> & Partial<EmbedValues<unknown, unknown, string | readonly string[]>>,
): Step<unknown, unknown, unknown> {
  const who = `embedding "${checkedName(name)}"`;
  checkEmbedding(options, who);
  const { model, values, dimensions, providerOptions, input } = options;
  const textsIn = (given: unknown, state: unknown): string | readonly string[] =>
    textsOf(values === undefined ? given : values(given, { state: state as object }), who); // a state is one
  return toStep(
    modelStep({
      name,
      kind: "embedding",
      model,
      modelName: embeddingName(model),
      input,
      facts: { values: codeFact(values), dimensions: dimensions ?? null },
      providerOptions,
      work: async (given: unknown, context: PaidContext) => {
        const texts = textsIn(given, context.state);
        return embedAll(sourceOf(context), context, "call", { ...options, values: texts });
      },
      buys: (known) => boughtBy(() => [textsIn(known?.input, known?.state)].flat(), providerOptions),
    }),
  );
}

/** Texts that cannot be made of the input are not known; a run would say why. */
function boughtBy(texts: () => readonly string[], providerOptions: object | undefined): Bought {
  try {
    const known = texts();
    const alone = known.map((text) => embeddingBound([text], providerOptions));
    const inputTokens = alone.reduce((sum, tokens) => sum + tokens, 0);
    return { inputTokens, texts: known.length, images: 0, providerOptions };
  } catch {
    return { inputTokens: 0, images: 0, providerOptions };
  }
}

/** @throws InvalidInputError for anything but texts. */
function textsOf(values: unknown, who: string): string | readonly string[] {
  if (typeof values === "string") return values;
  if (Array.isArray(values) && values.every((one) => typeof one === "string")) return values;
  throw new InvalidInputError(`${who} was given something other than texts`, {
    hint: "Say what its texts are: embed(…, { values: (input) => input.lines }).",
  });
}
