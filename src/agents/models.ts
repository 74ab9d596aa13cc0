/** `models()`: how a run speaks to language models, by name or by object, with prices. */
import type { DeclaredPrices } from "../budget/price-book.ts";
import type { GenerateRequest, PaidContext } from "../core/context.ts";
import { FlujoError, UnknownModelError, UnpricedModelError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Models } from "../ports/models.ts";
import { answerSchema } from "./answer-schema.ts";
import { durableModel } from "./durable-model.ts";
import { isLanguageModel, modelName } from "./language-model.ts";
import { modelPace, type PaceLimits } from "./pace.ts";
import { bookOf } from "./price-source.ts";
import { type ModelSource, pricedModel } from "./priced-model.ts";
import { type Providers, resolveModel } from "./registry.ts";
import { converse } from "./turns.ts";

export interface ModelsOptions {
  /** Providers of your own: `{ my: (id) => myProvider(id) }` makes `"my:some-model"`. They come before Flujo's. */
  readonly providers?: Providers;
  /** Prices in US dollars a million tokens; they come before the published ones. */
  readonly prices?: DeclaredPrices;
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
      const found = isLanguageModel(model) ? model : await resolveModel(name, providers);
      return pricedModel(name, found, await book.find(name), now);
    },
  };
  return {
    ...source,
    pace: modelPace(options.limits),
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
    async examine(model, needs) {
      try {
        const { price } = await source.find(model);
        return needs.price && price === undefined ? unpriced(modelName(model)) : undefined;
      } catch (error) {
        if (FlujoError.isInstance(error)) return error;
        return new UnknownModelError(`the model "${modelName(model)}" cannot be used: ${String(error)}`, {
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
export function unpriced(model: string): UnpricedModelError {
  return new UnpricedModelError(`there is a cost limit, and no known price for ${model}`, {
    hint: `Declare one, in US dollars a million tokens: models({ prices: { "${model}": { input: "$1", output: "$2" } } }), or limit tokens or calls instead of cost.`,
  });
}
