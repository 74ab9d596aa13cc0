/** Prices as text for people. */
import type { RateCard } from "../budget/price-book.ts";
import type { Path } from "../core/paths.ts";
import { tableText } from "./format.ts";
import type { PriceView } from "./price-view.ts";

/** One price of a list, as `flujo prices list --json` prints it. */
export interface ListedPrice extends PriceView {
  readonly model: string;
  /** Declared in `flujo.config.ts`. */
  readonly own: boolean;
}

/** One model of a check, as `flujo prices check --json` prints it. */
export interface CheckedModel {
  readonly model: string;
  /** Where a pipeline names it. */
  readonly places: readonly Path[];
  /** Null: nobody knows one. */
  readonly price: PriceView | null;
  readonly ageDays: number | null;
  readonly isOld: boolean;
}

const rateHead = ["INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "REASONING"];

export function pricesText(listed: readonly ListedPrice[]): string {
  const rows = listed.flatMap(({ model, own, ...price }) =>
    rateRows(own ? `${model} (yours)` : model, price),
  );
  return tableText([["MODEL", ...rateHead, "DATE", "SOURCE"], ...rows]);
}

/** One row, and one more for each tier of long inputs. */
function rateRows(model: string, { usdPerMillion, usdPerImage, date, source }: PriceView): string[][] {
  if (usdPerImage !== undefined)
    return [[model, "", `$${usdPerImage} an image`, "", "", "", date ?? "", source]];
  return usdPerMillion.map((card, i) =>
    i === 0
      ? [model, ...ratesOf(card), date ?? "", source]
      : [`  above ${card.above.toLocaleString("en")} input tokens`, ...ratesOf(card)],
  );
}

function ratesOf({ input, output, cacheRead, cacheWrite, longCacheWrite, reasoning }: RateCard): string[] {
  const longer =
    longCacheWrite === undefined || longCacheWrite === cacheWrite ? "" : ` to $${longCacheWrite}`;
  const rates = [input, output, cacheRead, cacheWrite, reasoning].map((usd) =>
    usd === undefined ? "" : `$${usd}`,
  );
  return rates.map((text, i) => (i === 3 ? text + longer : text));
}

export function checkText(checked: readonly CheckedModel[]): string {
  const rows = checked.flatMap(({ model, places, price, ageDays }) => {
    const [first, ...tiers] = price === null ? [[model, "no price"]] : rateRows(model, price);
    const row = [...(first ?? [])];
    if (ageDays !== null) row[rateHead.length + 1] = `${row[rateHead.length + 1]} (${ageDays} d)`;
    return [row, ...tiers, ...places.map((path) => [`  ${path}`])];
  });
  return tableText([["MODEL", ...rateHead, "DATE", "SOURCE"], ...rows]);
}
