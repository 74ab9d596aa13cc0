import type { Price, TokenUsage } from "../budget/price-book.ts";
import type { QuotedRates } from "../core/context.ts";
import type { PicoUsd } from "../core/limits.ts";
import { isRecord, type LanguageModel } from "./language-model.ts";

/** A model ready to be called, with what its calls cost. */
export interface PricedModel {
  /** `"openai:gpt-4o-mini"`. */
  readonly name: string;
  readonly model: LanguageModel;
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
}

export function isModelSource(value: unknown): value is ModelSource {
  return isRecord(value) && typeof value.find === "function";
}

/** @param now milliseconds since 1970: prices change with time. */
export function pricedModel(
  name: string,
  model: LanguageModel,
  price: Price | undefined,
  now: () => number,
): PricedModel {
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
