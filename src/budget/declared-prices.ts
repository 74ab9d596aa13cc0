/** Prices that somebody wrote down: in code, or in a file of prices. */
import { InvalidOptionError } from "../core/errors.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import type { Price } from "./price-book.ts";
import { cardOf, costOf, noRate, type Rate, rate, type Tariff, worstOf } from "./rates.ts";

/** US dollars a million tokens. */
interface DeclaredRates {
  readonly input: Usd;
  /** Left out for an embedding model alone, which has none. */
  readonly output?: Usd;
  /** Tokens read from the provider's cache. Default: as input. */
  readonly cacheRead?: Usd;
  /** Tokens written to the provider's cache. Default: as input. */
  readonly cacheWrite?: Usd;
  /** Output tokens the model thinks with. Default: as output. */
  readonly reasoning?: Usd;
}

/** What requests with a long input cost: all their tokens, from the first on. */
export interface PriceTier extends Partial<DeclaredRates> {
  /** For requests with more input tokens than this: a whole number above 0. */
  readonly above: number;
}

/** What a model costs, in US dollars a million tokens. */
export interface DeclaredPrice extends DeclaredRates {
  /** Other rates for long inputs. What a tier does not name is as in the tier below. */
  readonly tiers?: readonly PriceTier[];
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
type RateField = (typeof rateFields)[number];

/** @throws InvalidOptionError for one that is not an amount of money, naming model and field. */
export function declaredPrices(prices: DeclaredPrices, origin: Price["origin"]): ReadonlyMap<string, Price> {
  return new Map(
    Object.entries(prices).map(([model, price]) => [model, declaredPrice(model, price, origin)]),
  );
}

function declaredPrice(model: string, price: DeclaredPrice, origin: Price["origin"]): Price {
  const { input, output, tiers = [] } = price;
  const isOfOutput = [price, ...tiers].some((one) => one.output !== undefined || one.reasoning !== undefined);
  if (input === undefined || (isOfOutput && output === undefined)) {
    const missing = isOfOutput ? 'needs both "input" and "output"' : 'has no "input"';
    throw new InvalidOptionError(`the price of ${model} ${missing}`, { hint });
  }
  const steps = stepsOf(model, price);
  const named = (field: RateField): Rate | undefined => {
    if (steps.every(({ rates }) => rates[field] === undefined)) return undefined;
    const plain = field === "reasoning" ? "output" : "input";
    const prices = steps.map(({ above, rates }) => ({
      start: above,
      price: (rates[field] ?? rates[plain] ?? "").slice(1),
    }));
    const [base, ...tiers] = prices;
    return rate(base?.price ?? "", tiers);
  };
  const [cacheRead, cacheWrite, reasoning] = [named("cacheRead"), named("cacheWrite"), named("reasoning")];
  const tariff: Tariff = {
    input: named("input") as Rate, // it is there, and all amounts have been read
    output: named("output") ?? noRate,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
  return {
    source: price.source ?? "declared",
    date: price.date,
    origin,
    inputOnly: output === undefined,
    worst: () => worstOf([tariff]),
    card: () => cardOf(tariff),
    cost: (usage) => costOf(tariff, usage),
  };
}

/** The rates of any input, and those of each tier, all that hold in it. */
function stepsOf(model: string, { tiers = [], ...base }: DeclaredPrice): readonly Step[] {
  const sorted = [...tiers].sort((a, b) => a.above - b.above);
  const steps: Step[] = [{ above: 0, rates: ratesIn(model, base) }];
  for (const { above, ...rates } of sorted) {
    const below = steps.at(-1) as Step; // there is one from the beginning
    if (!Number.isSafeInteger(above) || above <= below.above) {
      throw new InvalidOptionError(
        `a price tier of ${model} is above ${above}, not a whole number of its own`,
        {
          hint: 'Say from how many input tokens on it holds: tiers: [{ above: 200_000, input: "$5" }].',
        },
      );
    }
    steps.push({ above, rates: { ...below.rates, ...ratesIn(model, rates) } });
  }
  return steps;
}

interface Step {
  readonly above: number;
  readonly rates: { readonly [field in RateField]?: Usd };
}

/** @throws InvalidOptionError for one that is no amount. */
function ratesIn(model: string, price: Partial<DeclaredRates>): Step["rates"] {
  const rates: { [field in RateField]?: Usd } = {};
  for (const field of rateFields) {
    const value = price[field];
    if (value === undefined) continue;
    try {
      picoUsd(value);
    } catch (cause) {
      const what = `the ${field} price of ${model} is "${value}", not an amount of money`;
      throw new InvalidOptionError(what, { cause, hint });
    }
    rates[field] = value;
  }
  return rates;
}

const hint = 'Write US dollars a million tokens: { input: "$0.15", output: "$0.60" }.';
