import type { GeneratedImage, ImageRequest, PaidContext } from "../core/context.ts";
import { codeFact } from "../core/fingerprint.ts";
import type { Schema } from "../core/schema.ts";
import { type Step, toStep } from "../core/step.ts";
import { checkedName } from "../core/work.ts";
import { type PromptContext, wording } from "./agent-options.ts";
import type { ImageModel } from "./image-model.ts";
import { checkImage, imageName, makeImages } from "./images.ts";
import { modelStep, sourceOf } from "./model-step.ts";
import { textOf } from "./text.ts";

export interface GenerateImageOptions<In, State = unknown> extends Omit<ImageRequest, "model" | "prompt"> {
  /** `"openai:gpt-image-1"`, or an AI SDK image model. */
  readonly model: string | ImageModel;
  /** What is to be seen: a template, `"A poster for {{input.title}}"`, or a function of the input. Default: the input. */
  readonly prompt?: string | ((input: In, ctx: PromptContext<State>) => string);
  /** Checks the input before the step runs; its output is what the prompt sees. */
  readonly input?: Schema<unknown, In>;
}

/**
 * A step done by an image model: one image out, or `n` as a list. Its model, key and price are looked at before a run
 * begins. For images amid other work: `ctx.generateImage`.
 *
 * ```ts
 * const poster = generateImage("poster", {
 *   model: "openai:gpt-image-1",
 *   prompt: "A poster for {{input}}, in two colours.",
 *   size: "1024x1536",
 * });
 * ```
 *
 * @throws InvalidOptionError for an option out of its bounds, or a template that cannot be read.
 */
export function generateImage<In = string, State = unknown>(
  name: string,
  options: GenerateImageOptions<In, State> & { readonly n: number },
): Step<In, GeneratedImage[], State>;
export function generateImage<In = string, State = unknown>(
  name: string,
  options: GenerateImageOptions<In, State> & { readonly n?: undefined },
): Step<In, GeneratedImage, State>;
export function generateImage(
  name: string,
  options: GenerateImageOptions<unknown, unknown>,
): Step<unknown, unknown, unknown> {
  const who = `image "${checkedName(name)}"`;
  checkImage(options, who);
  const { model, prompt = textOf, n, size, aspectRatio, seed, providerOptions, input } = options;
  const words = wording<string>(prompt, `prompt of ${who}`, input);
  return toStep(
    modelStep({
      name,
      kind: "image",
      model,
      modelName: imageName(model),
      input,
      facts: {
        prompt: typeof prompt === "string" ? prompt : codeFact(prompt),
        shape: [n ?? null, size ?? null, aspectRatio ?? null, seed ?? null],
      },
      providerOptions,
      async work(given: unknown, context: PaidContext) {
        const text = words(given, context.state, context.path);
        return makeImages(sourceOf(context), context, "call", { ...options, prompt: text });
      },
      buys: () => ({ inputTokens: 0, images: n ?? 1 }),
    }),
  );
}
