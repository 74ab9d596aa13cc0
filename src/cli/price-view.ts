import type { ImagePrice } from "../budget/image-prices.ts";
import type { Price, PriceBook, RateCard } from "../budget/price-book.ts";
import { decimalUsd } from "../core/limits.ts";

/** A price as `--json` documents print it. */
export interface PriceView {
  readonly source: string;
  /** ISO day; null when the source does not tell. */
  readonly date: string | null;
  /** `code`: the user's own; `file`: of a file of prices; `published`. */
  readonly origin: Price["origin"];
  /** US dollars a million tokens; further ones hold for inputs of more tokens than `above`. */
  readonly usdPerMillion: readonly RateCard[];
  /** US dollars an image, of a model that is paid by the image: then there are no rates of tokens. */
  readonly usdPerImage?: string;
}

/** @param at milliseconds since 1970: prices change with time. */
export function priceView({ source, date, origin, card }: Price, at: number): PriceView {
  return { source, date: date ?? null, origin, usdPerMillion: card(at) };
}

export const imagePriceView = ({ source, date, picoUsd }: ImagePrice): PriceView => ({
  source,
  date: date ?? null,
  origin: "code",
  usdPerMillion: [],
  usdPerImage: decimalUsd(picoUsd),
});

/** What is known of a model's price, whatever it makes. */
export async function findPriceView(
  book: PriceBook,
  model: string,
  at: number,
): Promise<PriceView | undefined> {
  const ofImage = book.findImage(model);
  if (ofImage !== undefined) return imagePriceView(ofImage);
  const price = await book.find(model, { embedding: true });
  return price === undefined ? undefined : priceView(price, at);
}

/** Whole days from a day to a moment; undefined when nobody knows the day. */
export function ageDays(date: string | null, at: number): number | undefined {
  const since = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(since) ? undefined : Math.max(0, Math.floor((at - since) / 86_400_000));
}
