/**
 * The price book: model -> price. Prices written in code come first, then those of a file of prices, then the
 * published ones. Each says where it is from, and of what day it is.
 */
import type { PicoUsd } from "../core/limits.ts";
import { type DeclaredPrices, declaredPrices } from "./declared-prices.ts";
import { type ImagePrice, imagePrices, type Prices, tokenPrices } from "./image-prices.ts";
import { publishedModels, publishedPrice } from "./published-prices.ts";
import type { RateCard, TokenUsage, WorstRates } from "./rates.ts";

export type { DeclaredPrice, DeclaredPrices } from "./declared-prices.ts";
export type { RateCard, TokenUsage, WorstRates } from "./rates.ts";

/** The price of one model. */
export interface Price {
  readonly source: string;
  /** The day of which its source says so: `"2026-09-23"`. Undefined when it does not tell. */
  readonly date: string | undefined;
  /** `code`: the user's own, which holds whatever options a call uses. `file`: from a file of prices. */
  readonly origin: "code" | "file" | "published";
  /** It has no price of output, so it is of an embedding model. */
  readonly inputOnly: boolean;
  /** The highest rates that can apply to a call made at a time (milliseconds since 1970) and settled later. */
  worst(at: number): WorstRates;
  /** The rates in force at a time, for people to read: the first for any input, further ones for long inputs. */
  card(at: number): readonly RateCard[];
  /**
   * What a usage truly costs, rounded up to a whole pico-dollar. Undefined for a usage that cannot be right
   * (missing, negative, fractional, NaN, parts larger than the whole): then charge the worst case.
   */
  cost(usage: TokenUsage, at: number): PicoUsd | undefined;
}

export interface PriceBook {
  /**
   * The price of `"openai:gpt-4o-mini"`; undefined when none is known.
   *
   * @param embedding a price of input is enough. Default false: a model that writes must have one of output.
   */
  find(model: string, options?: { readonly embedding?: boolean }): Promise<Price | undefined>;
  /** The price of an image by `"openai:gpt-image-1"`; undefined when none is declared. */
  findImage(model: string): ImagePrice | undefined;
  /** Every model with a price of its own, sorted. Many more are found by the rules of the published prices. */
  models(): Promise<readonly string[]>;
}

/** Reads a file of prices, when a price is first asked for. */
export type ReadFiled = () => Promise<DeclaredPrices>;

/**
 * @param declared prices written in code.
 * @param filed the prices of a file, over the published ones.
 * @throws InvalidOptionError for a declared price that is not an amount of money.
 */
export function priceBook(declared: Prices = {}, filed?: ReadFiled): PriceBook {
  const own = declaredPrices(tokenPrices(declared), "code");
  const ofImages = imagePrices(declared);
  let reading: Promise<ReadonlyMap<string, Price>> | undefined;
  const fromFile = (): Promise<ReadonlyMap<string, Price>> => {
    reading ??=
      filed === undefined
        ? Promise.resolve(new Map())
        : filed().then((prices) => declaredPrices(prices, "file"));
    return reading;
  };
  return {
    async find(model, { embedding = false } = {}) {
      const family = familyOf(model);
      const fits = (price: Price | undefined) => (price?.inputOnly && !embedding ? undefined : price);
      for (const prices of [own, await fromFile()]) {
        const price = prices.get(model) ?? prices.get(family);
        if (price !== undefined) return fits(price);
      }
      return fits(await publishedPrice(family));
    },
    findImage: (model) => ofImages.get(model) ?? ofImages.get(familyOf(model)),
    async models() {
      const names = new Set([
        ...own.keys(),
        ...ofImages.keys(),
        ...(await fromFile()).keys(),
        ...(await publishedModels()),
      ]);
      return [...names].sort();
    },
  };
}

/** `"openai.chat:gpt-4o"` costs what `"openai:gpt-4o"` does: the part after the dot names a wire format. */
export function familyOf(model: string): string {
  const colon = model.indexOf(":");
  if (colon < 0) return model;
  return `${model.slice(0, colon).split(".")[0]}${model.slice(colon)}`;
}
