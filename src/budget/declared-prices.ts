/** Prices that somebody wrote down: in code, or in a file of prices. */
import { InvalidOptionError } from "../core/errors.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import type { Price } from "./price-book.ts";
import { cardOf, costOf, type Rate, rate, type Tariff, worstOf } from "./rates.ts";

/** What a model costs, in US dollars a million tokens. */
export interface DeclaredPrice {
  readonly input: Usd;
  readonly output: Usd;
  /** Tokens read from the provider's cache. Default: as input. */
  readonly cacheRead?: Usd;
  /** Tokens written to the provider's cache. Default: as input. */
  readonly cacheWrite?: Usd;
  /** Output tokens the model thinks with. Default: as output. */
  readonly reasoning?: Usd;
  /** Where the price is from, to be shown beside it. */
  readonly source?: string;
  /** The day it was looked up or takes effect: `"2026-11-01"`. */
  readonly date?: string;
}

/** Prices by model: `{ "openai:my-model": { input: "$0.15", output: "$0.60" } }`. */
export interface DeclaredPrices {
  readonly [model: string]: DeclaredPrice;
}

/** What a price is made of: US dollars a million tokens each. */
export const rateFields = ["input", "output", "cacheRead", "cacheWrite", "reasoning"] as const;

/** @throws InvalidOptionError for one that is not an amount of money, naming model and field. */
export function declaredPrices(prices: DeclaredPrices, origin: Price["origin"]): ReadonlyMap<string, Price> {
  return new Map(
    Object.entries(prices).map(([model, price]) => [model, declaredPrice(model, price, origin)]),
  );
}

function declaredPrice(model: string, price: DeclaredPrice, origin: Price["origin"]): Price {
  const amount = (field: (typeof rateFields)[number]): Rate | undefined => {
    const value = price[field];
    if (value === undefined) return undefined;
    try {
      picoUsd(value);
    } catch (cause) {
      throw new InvalidOptionError(`the ${field} price of ${model} is "${value}", not an amount of money`, {
        cause,
        hint: 'Write US dollars a million tokens: { input: "$0.15", output: "$0.60" }.',
      });
    }
    return rate(value.slice(1));
  };
  const [input, output, cacheRead, cacheWrite, reasoning] = rateFields.map(amount);
  if (input === undefined || output === undefined) {
    throw new InvalidOptionError(`the price of ${model} needs both "input" and "output"`, {
      hint: 'Write US dollars a million tokens: { input: "$0.15", output: "$0.60" }.',
    });
  }
  const tariff: Tariff = {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
  return {
    source: price.source ?? "declared",
    date: price.date,
    origin,
    worst: () => worstOf([tariff]),
    card: () => cardOf(tariff),
    cost: (usage) => costOf(tariff, usage),
  };
}
