/**
 * The price book: model -> price. The user's own prices come first, then the published ones of
 * `@pydantic/genai-prices`, loaded when first asked for (it is large) and used offline.
 *
 * Left out on purpose, so that they count as having no price: models billed by anything but tokens (a fee a request,
 * a search in every answer), because a bound on tokens is no bound on their cost.
 */
import { InvalidOptionError } from "../core/errors.ts";
import { type PicoUsd, picoUsd, type Usd } from "../core/limits.ts";
import { costOf, type Rate, rate, type Tariff, type TokenUsage, type WorstRates, worstOf } from "./rates.ts";

export type { TokenUsage, WorstRates } from "./rates.ts";

/** What a model costs, in US dollars a million tokens. */
export interface DeclaredPrice {
  readonly input: Usd;
  readonly output: Usd;
  /** Tokens read from the provider's cache. Default: as input. */
  readonly cacheRead?: Usd;
  /** Tokens written to the provider's cache. Default: as input. */
  readonly cacheWrite?: Usd;
  /** Where the price is from, to be shown beside it. */
  readonly source?: string;
  /** The day it was looked up or takes effect: `"2026-11-01"`. */
  readonly date?: string;
}

/** Prices by model: `{ "openai:my-model": { input: "$0.15", output: "$0.60" } }`. */
export interface DeclaredPrices {
  readonly [model: string]: DeclaredPrice;
}

/** The price of one model. */
export interface Price {
  readonly source: string;
  /** The day the price took effect, where its source says. */
  readonly date: string | undefined;
  /** True for the user's own price, which holds whatever options a call uses. */
  readonly declared: boolean;
  /** The highest rates that can apply to a call made at a time (milliseconds since 1970) and settled later. */
  worst(at: number): WorstRates;
  /**
   * What a usage truly costs, rounded up to a whole pico-dollar. Undefined for a usage that cannot be right
   * (missing, negative, fractional, NaN, parts larger than the whole): then charge the worst case.
   */
  cost(usage: TokenUsage, at: number): PicoUsd | undefined;
}

export interface PriceBook {
  /** The price of `"openai:gpt-4o-mini"`; undefined when none is known. */
  find(model: string): Promise<Price | undefined>;
}

/**
 * @throws InvalidOptionError for a declared price that is not an amount of money.
 */
export function priceBook(declared: DeclaredPrices = {}): PriceBook {
  const own = new Map(Object.entries(declared).map(([model, price]) => [model, declaredPrice(model, price)]));
  return {
    async find(model) {
      return own.get(model) ?? own.get(familyOf(model)) ?? publishedPrice(familyOf(model));
    },
  };
}

/** `"openai.chat:gpt-4o"` costs what `"openai:gpt-4o"` does: the part after the dot names a wire format. */
function familyOf(model: string): string {
  const colon = model.indexOf(":");
  if (colon < 0) return model;
  return `${model.slice(0, colon).split(".")[0]}${model.slice(colon)}`;
}

function declaredPrice(model: string, price: DeclaredPrice): Price {
  const amount = (field: "input" | "output" | "cacheRead" | "cacheWrite"): Rate | undefined => {
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
  const [input, output, cacheRead, cacheWrite] = [
    amount("input"),
    amount("output"),
    amount("cacheRead"),
    amount("cacheWrite"),
  ];
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
  };
  return {
    source: price.source ?? "declared",
    date: price.date,
    declared: true,
    worst: () => worstOf([tariff]),
    cost: (usage) => costOf(tariff, usage),
  };
}

/** One price of a model as published: from a day on, or at hours of the day, or always. */
interface Published {
  readonly tariff: Tariff;
  readonly from: number;
  readonly hours: boolean;
}

/** Providers whose own name differs from the one prices are published under. */
const aliases: { readonly [provider: string]: string } = {
  "amazon-bedrock": "aws",
  bedrock: "aws",
  "google-vertex": "google",
  togetherai: "together",
  vertex: "google",
  xai: "x-ai",
};

/** Models whose answers always include work that is not billed by the token. */
const billedOtherwise = /search-preview|deep-research/;

async function publishedPrice(model: string): Promise<Price | undefined> {
  const colon = model.indexOf(":");
  if (colon < 1) return undefined;
  const provider = aliases[model.slice(0, colon)] ?? model.slice(0, colon);
  const id = model.slice(colon + 1);
  if (billedOtherwise.test(id)) return undefined;
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  // The library also matches providers loosely ("my-openai-proxy" is "openai"); a stranger's price is no price.
  if (findProvider({ providerId: provider })?.id !== provider) return undefined;
  // Asked for the price of nothing, it does the matching of model names and returns all it knows of the model.
  const found = calcPrice({}, id, { providerId: provider });
  if (found === null) return undefined;
  const { prices } = found.model;
  const all = Array.isArray(prices) ? prices.map(published) : [published({ prices })];
  if (!all.every((one) => one !== undefined)) return undefined;
  const known = all.filter((one) => one !== undefined);
  const latest = known.findLast((one) => one.from > Number.NEGATIVE_INFINITY);
  return {
    source: "@pydantic/genai-prices",
    date: latest && new Date(latest.from).toISOString().slice(0, 10),
    declared: false,
    worst: (at) => worstOf(possibleFrom(known, at - dayMs).map((one) => one.tariff)),
    cost: (usage, at) => settled(known, usage, at),
  };
}

const dayMs = 86_400_000;

/** Every price that may apply at `at` or later: a day's slack covers time zones, later ones cover slow calls. */
function possibleFrom(all: readonly Published[], at: number): readonly Published[] {
  const replacedBefore = all.findLastIndex((one) => !one.hours && one.from <= at);
  return all.slice(Math.max(0, replacedBefore));
}

/** The price in force; among prices by hour of the day, which providers change at short notice, the dearest. */
function settled(all: readonly Published[], usage: TokenUsage, at: number): PicoUsd | undefined {
  const inForce = possibleFrom(all, at).filter((one) => one.from <= at);
  let most: PicoUsd | undefined;
  for (const { tariff } of inForce.length > 0 ? inForce : all) {
    const cost = costOf(tariff, usage);
    if (cost === undefined) return undefined;
    if (most === undefined || cost > most) most = cost;
  }
  return most;
}

type PublishedRate =
  | number
  | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] };

function published(entry: {
  constraint?: object;
  prices: { readonly [key: string]: PublishedRate | undefined };
}): Published | undefined {
  const { prices, constraint } = entry;
  if (prices.requests_kcount !== undefined) return undefined;
  const one = (key: string): Rate | undefined => {
    const value = prices[key];
    if (value === undefined) return undefined;
    if (typeof value === "number") return rate(String(value));
    return rate(
      String(value.base),
      value.tiers.map(({ start, price }) => ({ start, price: String(price) })),
    );
  };
  const [input, text, cacheRead, reasoning] = [
    one("input_mtok"),
    one("output_mtok"),
    one("cache_read_mtok"),
    one("output_reasoning_mtok"),
  ];
  if (input === undefined || text === undefined) return undefined;
  const cacheWrite = one("cache_write_mtok");
  const longCacheWrite = dearer(cacheWrite, one("cache_write_1h_mtok"));
  // Usage does not say what an answer is made of: a model that can answer in pictures or sound is charged as if it did.
  const output = outputs.reduce((most, kind) => dearer(most, one(kind)), text);
  const start = startOf(constraint);
  if (start === undefined) return undefined;
  return {
    tariff: {
      input,
      output,
      ...(cacheRead === undefined ? {} : { cacheRead }),
      ...(cacheWrite === undefined ? {} : { cacheWrite }),
      ...(longCacheWrite === undefined ? {} : { longCacheWrite }),
      ...(reasoning === undefined ? {} : { reasoning }),
    },
    ...start,
  };
}

const outputs = ["output_image_mtok", "output_audio_mtok", "output_video_mtok"] as const;

function dearer(a: Rate, b: Rate | undefined): Rate;
function dearer(a: Rate | undefined, b: Rate | undefined): Rate | undefined;
function dearer(a: Rate | undefined, b: Rate | undefined): Rate | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return worstOf([{ input: a, output: a }]).input >= worstOf([{ input: b, output: b }]).input ? a : b;
}

/** When a price starts; undefined for a kind of condition this version does not know. */
function startOf(constraint: object | undefined): { from: number; hours: boolean } | undefined {
  if (constraint === undefined) return { from: Number.NEGATIVE_INFINITY, hours: false };
  if ("start_date" in constraint) {
    const from = Date.parse(String(constraint.start_date));
    return Number.isNaN(from) ? undefined : { from, hours: false };
  }
  if ("start_time" in constraint) return { from: Number.NEGATIVE_INFINITY, hours: true };
  return undefined;
}
