import type { Price, RateCard } from "../budget/price-book.ts";

/** A price as `--json` documents print it. */
export interface PriceView {
  readonly source: string;
  /** ISO day; null when the source does not tell. */
  readonly date: string | null;
  /** `code`: the user's own; `file`: of a file of prices; `published`. */
  readonly origin: Price["origin"];
  /** US dollars a million tokens; further ones hold for inputs of more tokens than `above`. */
  readonly usdPerMillion: readonly RateCard[];
}

/** @param at milliseconds since 1970: prices change with time. */
export function priceView({ source, date, origin, card }: Price, at: number): PriceView {
  return { source, date: date ?? null, origin, usdPerMillion: card(at) };
}

/** Whole days from a day to a moment; undefined when nobody knows the day. */
export function ageDays(date: string | null, at: number): number | undefined {
  const since = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(since) ? undefined : Math.max(0, Math.floor((at - since) / 86_400_000));
}
