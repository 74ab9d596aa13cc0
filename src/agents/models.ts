/** `models()`: how a run speaks to language models, by name or by object, with prices. */
import type { Prices } from "../budget/image-prices.ts";
import type { GenerateRequest, PaidContext } from "../core/context.ts";
import { FlujoError, UnknownModelError, UnpricedModelError } from "../core/errors.ts";
import type { ModelKind } from "../core/node.ts";
import type { Schema } from "../core/schema.ts";
import type { Models } from "../ports/models.ts";
import type { Pace } from "../ports/pace.ts";
import { answerSchema } from "./answer-schema.ts";
import { durableModel } from "./durable-model.ts";
import { isEmbeddingModel } from "./embedding-model.ts";
import { embedAll, embeddingName } from "./embeddings.ts";
import { isImageModel } from "./image-model.ts";
import { imageName, makeImages } from "./images.ts";
import { isLanguageModel, modelName } from "./language-model.ts";
import { modelPace, type PaceLimits } from "./pace.ts";
import { bookOf } from "./price-source.ts";
import { isModelSource, type ModelSource, pricedModel } from "./priced-model.ts";
import { type Providers, resolveModel } from "./registry.ts";
import { converse } from "./turns.ts";

export interface ModelsOptions {
  /** Providers of your own: `{ my: (id) => myProvider(id) }` makes `"my:some-model"`. They come before Flujo's. */
  readonly providers?: Providers;
  /**
   * Prices in US dollars: of a million tokens, `{ input: "$0.15", output: "$0.60" }` (of an embedding model, the input
   * alone), or of an image, `{ image: "$0.04" }`. They come before the published ones.
   */
  readonly prices?: Prices;
  /**
   * A file of prices, as `flujo prices update` writes it: over the published ones, under those of `prices`. Read when a
   * price is first needed. Default: none; the command line takes `flujo.prices.json` of the folder it is started in.
   */
  readonly priceFile?: string;
  /**
   * How fast models may be called, apart from any budget: `{ "openai:gpt-4o": { requestsPerMinute: 500, tokensPerMinute:
   * 200_000 } }`; `"openai:*"` is for all of a provider together. Calls wait for their turn, first come, first served. Holds
   * for all runs that use this value; other processes know nothing of it.
   */
  readonly limits?: PaceLimits;
  /** Milliseconds since 1970, by which prices are looked up. Default: the system's clock. */
  readonly now?: () => number;
}

/** Output tokens asked for when nothing is said, and the least worth a call. */
export const defaultOutputTokens = { most: 4_096, least: 16 } as const;
/** Further turns for an answer that does not fit its schema, when nothing is said. */
export const defaultRepairs = 2;
export const defaultTurns = 8;

/**
 * Makes the way to models. Nothing loads before a model is needed.
 *
 * ```ts
 * new Flujo(greet, { models: models({ prices: { "my:llama": { input: "$0.10", output: "$0.40" } } }) })
 * ```
 */
export function models(options: ModelsOptions = {}): Models & ModelSource {
  const { providers = {}, now = Date.now } = options;
  const book = bookOf(options);
  const source: ModelSource = {
    async find(model) {
      const name = modelName(model);
      const found = isLanguageModel(model) ? model : await resolveModel(name, providers, "language");
      return pricedModel(name, found, await book.find(name), now);
    },
    async findEmbedding(model) {
      const name = embeddingName(model);
      const found = isEmbeddingModel(model) ? model : await resolveModel(name, providers, "embedding");
      return pricedModel(name, found, await book.find(name, { embedding: true }), now);
    },
    async findImage(model) {
      const name = imageName(model);
      const found = isImageModel(model) ? model : await resolveModel(name, providers, "image");
      return { name, model: found, price: book.findImage(name) };
    },
  };
  return modelsFrom(source, modelPace(options.limits));
}

/** The same models for a replay, which calls none: what is not installed, or has no key, goes by its name. */
export function forReplay(given: Models): Models {
  if (!isModelSource(given)) return given;
  return modelsFrom({
    find: (model) => given.find(model).catch(() => nameOnly(modelName(model))),
    findEmbedding: (model) => given.findEmbedding(model).catch(() => nameOnly(embeddingName(model))),
    findImage: async (model) => {
      try {
        return await given.findImage(model);
      } catch {
        return nameOnly(imageName(model));
      }
    },
  });
}

/** In the place of a model of any kind: a request is made of its name, and nobody calls it. */
const nameOnly = (name: string): never =>
  ({
    name,
    model: { specificationVersion: "v4" },
    price: undefined,
    rates: () => undefined,
    cost: () => undefined,
  }) as never; // as above

function modelsFrom(source: ModelSource, pace?: Pace): Models & ModelSource {
  return {
    ...source,
    ...(pace === undefined ? {} : { pace }),
    async generate(context, name, request) {
      return converse(context, await generation(source, name, request, context));
    },
    model(context, model, { name } = {}) {
      const id = modelName(model);
      const found = source.find(model);
      found.catch(() => {}); // whoever calls the model hears of it
      const callName = name ?? id.slice(id.indexOf(":") + 1);
      return durableModel({ context, id, callName, find: () => found, outputTokens: defaultOutputTokens });
    },
    embed: (context, name, request) => embedAll(source, context, name, request),
    generateImage: (context, name, request) => makeImages(source, context, name, request),
    async examine(model, { kind = "language", price: isPriceNeeded }) {
      const find = { language: source.find, embedding: source.findEmbedding, image: source.findImage }[kind];
      try {
        const { name, price } = await find(model);
        return isPriceNeeded && price === undefined ? unpriced(name, kind) : undefined;
      } catch (error) {
        if (FlujoError.isInstance(error)) return error;
        const which = typeof model === "string" ? `"${model}"` : "handed over";
        return new UnknownModelError(`the model ${which} cannot be used: ${String(error)}`, {
          cause: error,
        });
      }
    },
  };
}

type Request = GenerateRequest & { readonly output?: Schema };

async function generation(source: ModelSource, name: string, request: Request, context: PaidContext) {
  const { model, prompt, system, output, temperature, maxOutputTokens = defaultOutputTokens.most } = request;
  const { stream = false, onCut = "repeat" } = request;
  context.signal.throwIfAborted();
  return {
    callName: name,
    priced: await source.find(model),
    system,
    prompt,
    answer: output === undefined ? undefined : answerSchema(output),
    maxOutputTokens,
    minOutputTokens: defaultOutputTokens.least,
    repairs: defaultRepairs,
    tools: [],
    sameCalls: 1,
    onLoop: "fail" as const,
    maxTurns: 1,
    providerOptions: undefined,
    stream,
    onCut,
    ...(temperature === undefined ? {} : { temperature }),
  };
}

/** The refusal of a model without a price under a cost limit, with the way out. */
export function unpriced(model: string, kind: ModelKind = "language"): UnpricedModelError {
  const { unit, price, other } = ways[kind];
  return new UnpricedModelError(`there is a cost limit, and no known price for ${model}`, {
    hint: `Declare one, in US dollars ${unit}: models({ prices: { "${model}": ${price} } }), or limit ${other} instead of cost.`,
  });
}

const tokens = { unit: "a million tokens", other: "tokens or calls" };
const ways: {
  readonly [kind in ModelKind]: { readonly unit: string; readonly price: string; readonly other: string };
} = {
  language: { ...tokens, price: '{ input: "$1", output: "$2" }' },
  embedding: { ...tokens, price: '{ input: "$0.10" }' },
  image: { unit: "an image", price: '{ image: "$0.04" }', other: "calls" },
};
