/** What an answer holds and what it costs, by the server's own count: the truth a budget is measured against. */
import { createHash } from "node:crypto";
import type { PicoUsd } from "../../core/limits.ts";
import type { Asked, Body, Counts, Served, WireFormat } from "./format.ts";

/** Pico-dollars a token, by kind. */
export interface WirePrice {
  readonly input: PicoUsd;
  readonly cacheRead: PicoUsd;
  readonly cacheWrite: PicoUsd;
  readonly output: PicoUsd;
  /** Pico-dollars an image. Default: that of `wirePrice`. */
  readonly image?: PicoUsd;
}

/** Each kind at a rate of its own, so that a token counted as the wrong kind shows in the bill. */
export const wirePrice = {
  input: 1_000_000n,
  cacheRead: 100_000n,
  cacheWrite: 1_300_000n,
  output: 7_000_000n,
  image: 40_000_000_000n,
} as const satisfies WirePrice;

/** A text, or calls of tools with their arguments. */
export type WireReply =
  | string
  | { readonly toolCalls: readonly { readonly name: string; readonly input: object }[] };

/** What the server's model does with every request. */
export interface Habits {
  /** Output tokens spent on thinking before each answer, within the cap. Default 0. */
  readonly reasoningTokens?: number;
  /** How many percent of the input count as read from a cache. Default 0. */
  readonly cacheReadPercent?: number;
  /** How many percent count as written to one, in formats that tell. Default 0. */
  readonly cacheWritePercent?: number;
}

/** A token is four characters of text. */
const charactersPerToken = 4;
const tokensOf = (text: string): number => Math.ceil(text.length / charactersPerToken);

/** The answer with its counts; `overrun` tokens more than the cap allows. */
export function serve(
  index: number,
  request: { readonly format: WireFormat; readonly asked: Asked; readonly body: Body },
  reply: WireReply,
  { reasoningTokens = 0, ...habits }: Habits,
  overrun = 0,
): Served & { readonly counts: Counts } {
  const { asked } = request;
  if (asked.values !== undefined || asked.images !== undefined) return make(index, request, overrun);
  const cap = (asked.cap ?? Number.POSITIVE_INFINITY) + overrun;
  const reasoning = Math.min(reasoningTokens, cap);
  const whole = typeof reply === "string" ? reply : "";
  const long = overrun > 0 ? whole.padEnd(cap * charactersPerToken, ".") : whole;
  const text = long.slice(0, (cap - reasoning) * charactersPerToken);
  const toolCalls = typeof reply === "string" ? [] : reply.toolCalls;
  const written = toolCalls.reduce((sum, call) => sum + tokensOf(JSON.stringify(call)), tokensOf(text));
  const output = reasoning + Math.min(written, cap - reasoning);
  return {
    index,
    asked,
    vectors: [],
    pictures: [],
    thought: reasoning > 0 ? "Let me think." : "",
    text,
    toolCalls,
    end: text.length < whole.length ? "length" : toolCalls.length > 0 ? "tools" : "stop",
    counts: { ...inputCounts(request, habits), output, reasoning, images: 0 },
  };
}

/** Vectors or images. An overrun is as many tokens more of input, or one image more. */
function make(
  index: number,
  request: { readonly format: WireFormat; readonly asked: Asked; readonly body: Body },
  overrun: number,
): Served & { readonly counts: Counts } {
  const { values = [], dimensions, images = 0 } = request.asked;
  const made = images > 0 && overrun > 0 ? images + 1 : images;
  const { input } = inputCounts(request, {});
  const tokens = images > 0 ? 0 : input + overrun;
  return {
    index,
    asked: request.asked,
    thought: "",
    text: "",
    toolCalls: [],
    vectors: values.map((text) => vectorOf(text, dimensions)),
    pictures: Array.from({ length: made }, (_, i) => pictureOf(`${request.asked.text} ${index}.${i}`)),
    end: "stop",
    counts: { input: tokens, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0, images: made },
  };
}

/** The same for the same text, of numbers as short as 32 bits tell them apart. */
export const vectorOf = (text: string, dimensions = 8): number[] =>
  Array.from({ length: dimensions }, (_, i) => {
    const byte = createHash("sha256").update(`${i} ${text}`).digest().readInt32LE();
    return Number((byte / 2 ** 31).toPrecision(8));
  });

/** Bytes that begin as a PNG does, and say what they show. */
export const pictureOf = (text: string): Buffer =>
  Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.from(text)]);

function inputCounts(
  { format, asked, body }: { readonly format: WireFormat; readonly asked: Asked; readonly body: Body },
  { cacheReadPercent = 0, cacheWritePercent = 0 }: Habits,
): Pick<Counts, "input" | "cacheRead" | "cacheWrite"> {
  const beside = [body.tools, asked.schema].filter((one) => one !== undefined);
  const input =
    3 + tokensOf(asked.text) + beside.reduce<number>((sum, one) => sum + tokensOf(JSON.stringify(one)), 0);
  const part = (percent: number): number => Math.floor((input * percent) / 100);
  return {
    input,
    cacheRead: part(cacheReadPercent),
    cacheWrite: format.countsCacheWrites ? part(cacheWritePercent) : 0,
  };
}

export function billOf(counts: Counts, price: WirePrice): PicoUsd {
  const { input, cacheRead, cacheWrite, output, images } = counts;
  return (
    BigInt(images) * (price.image ?? wirePrice.image) +
    BigInt(input - cacheRead - cacheWrite) * price.input +
    BigInt(cacheRead) * price.cacheRead +
    BigInt(cacheWrite) * price.cacheWrite +
    BigInt(output) * price.output
  );
}
