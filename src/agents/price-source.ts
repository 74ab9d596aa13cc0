/** Where a run's prices come from: code, a file of prices, the published ones. */
import { readFile } from "node:fs/promises";
import type { Prices } from "../budget/image-prices.ts";
import { type PriceBook, priceBook } from "../budget/price-book.ts";
import { readPriceFile } from "../budget/price-file.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { offlinePrices } from "./offline.ts";

export interface PriceSources {
  readonly prices?: Prices;
  readonly priceFile?: string;
}

/** The price book of `models()` with these options. */
export function bookOf({ prices, priceFile }: PriceSources): PriceBook {
  const filed = priceFile === undefined ? undefined : () => pricesOf(priceFile);
  return priceBook({ ...offlinePrices, ...prices }, filed);
}

/**
 * The prices of a file.
 *
 * @throws InvalidOptionError for a file that cannot be read, or is none of prices.
 */
export async function pricesOf(file: string) {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new InvalidOptionError(`the prices of ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
      hint: "flujo prices update --from FILE writes such a file.",
    });
  }
  return readPriceFile(text, file);
}
