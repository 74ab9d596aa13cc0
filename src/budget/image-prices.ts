/** Prices of images. Nobody publishes them in a form to reckon with, since they vary with size and quality. */
import { InvalidOptionError } from "../core/errors.ts";
import { type PicoUsd, picoUsd, type Usd } from "../core/limits.ts";
import type { DeclaredPrice, DeclaredPrices } from "./declared-prices.ts";

/** What an image model costs. */
export interface DeclaredImagePrice {
  /** The most that one image costs, of the size and quality you ask for, its prompt included. */
  readonly image: Usd;
  /** Where the price is from, to be shown beside it. */
  readonly source?: string;
  /** The day it was looked up or takes effect: `"2026-11-01"`. */
  readonly date?: string;
}

/** The price of one image. */
export interface ImagePrice {
  readonly picoUsd: PicoUsd;
  readonly source: string;
  readonly date: string | undefined;
}

/** Prices by model, of tokens or of images. */
export interface Prices {
  readonly [model: string]: DeclaredPrice | DeclaredImagePrice;
}

/** Those of tokens. */
export function tokenPrices(prices: Prices): DeclaredPrices {
  const found = Object.entries(prices).filter(
    (entry): entry is [string, DeclaredPrice] => !isOfImages(entry[1]),
  );
  return Object.fromEntries(found);
}

/** Those of images. @throws InvalidOptionError for one that is not an amount of money. */
export function imagePrices(prices: Prices): ReadonlyMap<string, ImagePrice> {
  return new Map(
    Object.entries(prices).flatMap(([model, price]) =>
      isOfImages(price) ? [[model, known(model, price)]] : [],
    ),
  );
}

const isOfImages = (price: DeclaredPrice | DeclaredImagePrice): price is DeclaredImagePrice =>
  "image" in price && price.image !== undefined;

function known(model: string, { image, source = "declared", date }: DeclaredImagePrice): ImagePrice {
  try {
    return { picoUsd: picoUsd(image), source, date };
  } catch (cause) {
    throw new InvalidOptionError(`the image price of ${model} is "${image}", not an amount of money`, {
      cause,
      hint: 'Write US dollars an image: { image: "$0.04" }.',
    });
  }
}
