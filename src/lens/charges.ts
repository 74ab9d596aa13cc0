import type { ModelPriced } from "../core/entries.ts";
import { decimalUsd } from "../core/limits.ts";
import type { RunRecord } from "../core/run-record.ts";
import { type SpentView, spentView } from "./readable.ts";
import type { Spending } from "./spending.ts";

/** What a run spent on one model, and by which price. */
export interface ModelCharge {
  readonly model: string;
  readonly spent: SpentView;
  /** The price its last calls were charged by; null when nobody knew one, so that they count as $0. */
  readonly price: ChargedPrice | null;
  /** Prices that held for earlier calls of the run, the latest first. */
  readonly earlier?: readonly ChargedPrice[];
}

export interface ChargedPrice {
  readonly source: string;
  /** ISO day; null when the source does not tell. */
  readonly date: string | null;
  /** The highest rates that could apply, in US dollars a million tokens. */
  readonly inputUsdPerMillion: string;
  readonly outputUsdPerMillion: string;
  /** US dollars an image, of a model that is paid by the image. */
  readonly imageUsd?: string;
}

/** What each model cost, in the order of their first calls. */
export function chargesOf({ models }: Spending, run: RunRecord): readonly ModelCharge[] {
  return [...models].map(([model, sum]) => {
    const [price = null, ...earlier] = (run.prices.get(model) ?? []).map(chargedPrice).reverse();
    return { model, spent: spentView(sum), price, ...(earlier.length === 0 ? {} : { earlier }) };
  });
}

function chargedPrice({ source, date, input, output, image }: ModelPriced): ChargedPrice {
  return {
    source,
    date: date ?? null,
    inputUsdPerMillion: perMillion(input),
    outputUsdPerMillion: perMillion(output),
    ...(image === undefined ? {} : { imageUsd: decimalUsd(BigInt(image)) }),
  };
}

/** Pico-dollars a token as US dollars a million tokens. */
const perMillion = (pico: string): string => decimalUsd(BigInt(pico) * 1_000_000n);
