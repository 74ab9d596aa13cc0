/**
 * The published prices of `@pydantic/genai-prices`, loaded when first asked for (it is large) and used offline.
 *
 * Left out on purpose, so that they count as having no price: models billed by anything but tokens (a fee a request,
 * a search in every answer), because a bound on tokens is no bound on their cost.
 */
import type { PicoUsd } from "../core/limits.ts";
import type { Price } from "./price-book.ts";
import { cardOf, costOf, noRate, type Rate, rate, type Tariff, type TokenUsage, worstOf } from "./rates.ts";

/** The edition of the list that this version of Flujo is built with, and the day it was published. */
export const edition = { source: "@pydantic/genai-prices 0.1.8", date: "2026-09-23" } as const;

/** The providers of the list that have language models. */
export const publishers: readonly string[] = [
  "anthropic",
  "avian",
  "aws",
  "azure",
  "cerebras",
  "cohere",
  "deepseek",
  "google",
  "groq",
  "minimax",
  "mistral",
  "moonshotai",
  "novita",
  "openai",
  "openrouter",
  "perplexity",
  "together",
  "x-ai",
  "zai",
];

/** The models the list names, as `"provider:model"`; it knows more spellings of them than these. */
export async function publishedModels(): Promise<readonly string[]> {
  const { findProvider } = await import("@pydantic/genai-prices");
  const names = publishers.flatMap((provider) =>
    (findProvider({ providerId: provider })?.models ?? []).map(({ id }) => `${provider}:${id}`),
  );
  const prices = await Promise.all(names.map(publishedPrice));
  return names.filter((_, i) => prices[i] !== undefined);
}

/** One price of a model as published: from a day on, or at hours of the day, or always. */
interface Published {
  readonly tariff: Tariff;
  readonly inputOnly: boolean;
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

export async function publishedPrice(model: string): Promise<Price | undefined> {
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
  return {
    ...edition,
    origin: "published",
    inputOnly: known.every((one) => one.inputOnly),
    card: (at) => cardOf(dearestOf(inForce(known, at))),
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

/** Those that apply at `at`: one, or several by hour of the day. */
function inForce(all: readonly Published[], at: number): readonly Published[] {
  const begun = possibleFrom(all, at).filter((one) => one.from <= at);
  return begun.length > 0 ? begun : all;
}

function dearestOf(some: readonly Published[]): Tariff {
  const sum = ({ tariff }: Published): PicoUsd => {
    const { input, output } = worstOf([tariff]);
    return input + output;
  };
  return some.reduce((dearest, one) => (sum(one) > sum(dearest) ? one : dearest)).tariff;
}

/** The price in force; among prices by hour of the day, which providers change at short notice, the dearest. */
function settled(all: readonly Published[], usage: TokenUsage, at: number): PicoUsd | undefined {
  let most: PicoUsd | undefined;
  for (const { tariff } of inForce(all, at)) {
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
    one("output_mtok"), // none of an embedding model
    one("cache_read_mtok"),
    one("output_reasoning_mtok"),
  ];
  if (input === undefined) return undefined;
  const cacheWrite = one("cache_write_mtok");
  const longCacheWrite = dearer(cacheWrite, one("cache_write_1h_mtok"));
  // Usage does not say what an answer is made of: a model that can answer in pictures or sound is charged as if it did.
  const output = outputs.reduce((most, kind) => dearer(most, one(kind)), text ?? noRate);
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
    inputOnly: text === undefined,
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
