import type { ImagePrice } from "../budget/image-prices.ts";
import type { Price, TokenUsage } from "../budget/price-book.ts";
import type { QuotedRates } from "../core/context.ts";
import type { PicoUsd } from "../core/limits.ts";
import type { EmbeddingModel } from "./embedding-model.ts";
import type { ImageModel } from "./image-model.ts";
import { isRecord, type LanguageModel } from "./language-model.ts";

/** A model ready to be called, with what its calls cost. */
export interface PricedModel<Model = LanguageModel> {
  /** `"openai:gpt-4o-mini"`. */
  readonly name: string;
  readonly model: Model;
  readonly price: Price | undefined;
  /** The most a token can cost in a call with these options; undefined when nobody knows. */
  rates(providerOptions?: object): QuotedRates | undefined;
  /** What a usage cost; undefined when it cannot be right, or there is no price. */
  cost(usage: TokenUsage): PicoUsd | undefined;
}

/** Where agents find models: what `models()` makes. */
export interface ModelSource {
  /** @throws UnknownModelError, MissingPackageError, MissingKeyError. */
  find(model: string | object): Promise<PricedModel>;
  /** The same of an embedding model. */
  findEmbedding(model: string | object): Promise<PricedModel<EmbeddingModel>>;
  /** The same of an image model. */
  findImage(model: string | object): Promise<PricedImageModel>;
}

/** An image model ready to be called, with what each of its images costs. */
export interface PricedImageModel {
  readonly name: string;
  readonly model: ImageModel;
  readonly price: ImagePrice | undefined;
}

export function isModelSource(value: unknown): value is ModelSource {
  return isRecord(value) && typeof value.find === "function";
}

/** @param now milliseconds since 1970: prices change with time. */
export function pricedModel<Model>(
  name: string,
  model: Model,
  price: Price | undefined,
  now: () => number,
): PricedModel<Model> {
  return {
    name,
    model,
    price,
    rates: (options) => quotedRates(price, options, now()),
    cost: (usage) => price?.cost(usage, now()),
  };
}

/** The most a token can cost at a time in a call with these options; undefined when nobody knows. */
export function quotedRates(
  price: Price | undefined,
  options: object | undefined,
  at: number,
): QuotedRates | undefined {
  if (price === undefined || (price.origin !== "code" && hasSurcharge(options))) return undefined;
  return { ...price.worst(at), source: price.source, date: price.date };
}

/** Options that make a provider charge more than its published token prices. */
const surcharges = new Set(["serviceTier", "service_tier", "speed", "inferenceGeo"]);
const ordinary = new Set(["auto", "default", "standard", "standard_only", "flex", "global"]);

function hasSurcharge(options: unknown): boolean {
  if (!isRecord(options)) return false;
  return Object.entries(options).some(([key, value]) =>
    surcharges.has(key) && typeof value === "string" ? !ordinary.has(value) : hasSurcharge(value),
  );
}
