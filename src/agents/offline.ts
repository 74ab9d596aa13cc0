/**
 * `offline:extract`, for demos and tests without a network. It is NOT a language model: it understands nothing,
 * follows no instruction and calls no tool. It picks sentences out of the text it is given, by the frequency of
 * their words (H. P. Luhn, "The Automatic Creation of Literature Abstracts", 1958), the same ones each time. It is
 * honest about tokens: it counts them, keeps to the cap, and has a small declared price, so that budgets are real.
 */
import type {
  JSONSchema7,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { DeclaredPrices } from "../budget/price-book.ts";

/** What the demo pretends to cost. */
export const offlinePrices: DeclaredPrices = {
  "offline:extract": {
    input: "$0.05",
    output: "$0.20",
    source: "declared by Flujo for its offline demo model",
    date: "2026-11-01",
  },
};

/** The extractive summariser as an AI SDK language model. */
export function extractModel(): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "offline",
    modelId: "extract",
    supportedUrls: {},
    doGenerate: async (options) => answer(options),
    doStream: async (options) => {
      const { content, finishReason, usage } = answer(options);
      const text = content[0]?.type === "text" ? content[0].text : "";
      const parts: LanguageModelV4StreamPart[] = [
        { type: "stream-start", warnings: [] },
        { type: "text-start", id: "0" },
        ...(text.match(/\S+\s*/g) ?? []).map((delta) => ({ type: "text-delta" as const, id: "0", delta })),
        { type: "text-end", id: "0" },
        { type: "finish", finishReason, usage },
      ];
      return { stream: ReadableStream.from(parts) };
    },
  };
}

/**
 * Its tokens: a run of letters and digits counts one for every six begun, any other character that is no space
 * counts one. Never more than the text has UTF-8 bytes.
 */
export function offlineTokens(text: string): number {
  let count = 0;
  for (const _ of text.matchAll(token)) count += 1;
  return count;
}
const token = /[\p{L}\p{N}]{1,6}|[^\s\p{L}\p{N}]/gu;

function answer(options: LanguageModelV4CallOptions): LanguageModelV4GenerateResult {
  options.abortSignal?.throwIfAborted();
  const { responseFormat, maxOutputTokens = 4_096 } = options;
  const source = sentencesOf(question(options.prompt));
  const json = responseFormat?.type === "json";
  const full = json ? JSON.stringify(fill(responseFormat.schema, source, "")) : summary(source);
  const { text, tokens, cut } = capped(full ?? "null", maxOutputTokens);
  const inputTokens = promptTokens(options);
  return {
    content: [{ type: "text", text }],
    finishReason: { unified: cut ? "length" : "stop", raw: undefined },
    usage: {
      inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: tokens, text: tokens, reasoning: undefined },
    },
    warnings: [],
  };
}

function promptTokens({ prompt, responseFormat, tools = [] }: LanguageModelV4CallOptions): number {
  const schema = responseFormat?.type === "json" ? [JSON.stringify(responseFormat.schema ?? {})] : [];
  const texts = [...prompt.map(messageText), ...schema, ...tools.map((one) => JSON.stringify(one))];
  return texts.reduce((sum, text) => sum + offlineTokens(text), 1);
}

type Prompt = LanguageModelV4CallOptions["prompt"];

function messageText({ content }: Prompt[number]): string {
  if (typeof content === "string") return content;
  return content.map((part) => ("text" in part ? part.text : "")).join("\n");
}

/** The first thing the user said: later turns ask for repairs, which it cannot make. */
function question(prompt: Prompt): string {
  const first = prompt.find((message) => message.role === "user");
  return first === undefined ? "" : messageText(first);
}

/** A sentence with its place in the text and how central its words are. */
interface Sentence {
  readonly text: string;
  readonly words: readonly string[];
  readonly place: number;
  readonly score: number;
}

/** Ends of sentences: `.`, `!` or `?` before a space (but not after a common abbreviation), and ends of lines. */
const sentenceEnd = /(?<=[.!?])(?<!\b(?:Inc|Corp|Co|Ltd|Mr|Mrs|Ms|Dr|No|vs|U\.S)\.)\s+|\n+/u;
const common = new Set(
  "a an and are as at be been but by can did do does for from had has have he her his i if in into is it its more most no not of on or our out she so than that the their them then there these they this those to up was we were what when which who will with would you your".split(
    " ",
  ),
);

const wordsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 1 && !common.has(word));

/** The sentences of a text, in order: each scored by how often its words occur in the whole, per word. */
function sentencesOf(text: string): readonly Sentence[] {
  const texts = text.split(sentenceEnd).flatMap((one) => one.trim() || []);
  const words = texts.map(wordsOf);
  const frequency = new Map<string, number>();
  for (const word of words.flat()) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return texts.map((one, place) => {
    const own = words[place] ?? [];
    const sum = own.reduce((total, word) => total + (frequency.get(word) ?? 0), 0);
    // Long enough to say something: the shortest sentences would win on density alone.
    return { text: one, words: own, place, score: sum / Math.max(own.length, 6) };
  });
}

const central = (sentences: readonly Sentence[]): Sentence[] =>
  [...sentences].sort((a, b) => b.score - a.score || a.place - b.place);

/** One sentence for every ten of the text, from one to five, in the text's order. */
function summary(sentences: readonly Sentence[]): string {
  const wanted = Math.min(5, Math.max(1, Math.floor(sentences.length / 10)));
  const chosen = central(sentences).slice(0, wanted);
  return chosen
    .sort((a, b) => a.place - b.place)
    .map((sentence) => sentence.text)
    .join(" ");
}

/**
 * A value for a JSON Schema, as far as sentences and the numbers in them can fill it. What cannot be found in the text
 * is left out, so that the schema's own check says so: nothing is made up.
 */
function fill(
  schema: JSONSchema7 | boolean | undefined,
  source: readonly Sentence[],
  about: string,
): unknown {
  if (typeof schema !== "object") return about === "" ? { text: summary(source) } : undefined;
  const hint = `${about} ${schema.description ?? ""}`;
  if (Array.isArray(schema.enum)) {
    const words = new Set(source.flatMap((sentence) => sentence.words));
    return schema.enum.find(
      (choice: unknown) => typeof choice === "string" && words.has(choice.toLowerCase()),
    );
  }
  switch (schema.type) {
    case "object": {
      const fields = Object.entries(schema.properties ?? {});
      return Object.fromEntries(fields.map(([name, field]) => [name, fill(field, source, name)]));
    }
    case "array": {
      const { items } = schema;
      if (typeof items !== "object" || !("type" in items) || items.type !== "string") return undefined;
      const limit = Math.max(schema.minItems ?? 0, Math.min(3, schema.maxItems ?? 3));
      return central(source)
        .slice(0, limit)
        .map((sentence) => sentence.text);
    }
    case "string":
      return nearest(source, hint)?.text ?? "";
    case "number":
    case "integer":
      return numberIn(nearest(source, hint)?.text ?? "", schema.type === "integer");
    default:
      return undefined;
  }
}

/** The sentence that shares most words with a field's name and description; else the most central one. */
function nearest(source: readonly Sentence[], hint: string): Sentence | undefined {
  const wanted = new Set(wordsOf(hint.replace(/([a-z])([A-Z])/g, "$1 $2")));
  const shared = (sentence: Sentence) =>
    sentence.words.reduce((sum, word) => sum + (wanted.has(word) ? 1 : 0), 0);
  return [...source].sort((a, b) => shared(b) - shared(a) || b.score - a.score || a.place - b.place)[0];
}

function numberIn(text: string, whole: boolean): number | undefined {
  const found = /-?\d[\d,]*(?:\.\d+)?/.exec(text)?.[0];
  const value = found === undefined ? undefined : Number(found.replaceAll(",", ""));
  return value !== undefined && whole ? Math.trunc(value) : value;
}

/** As much of a text as the cap allows. */
function capped(text: string, cap: number): { text: string; tokens: number; cut: boolean } {
  let tokens = 0;
  for (const match of text.matchAll(token)) {
    if (tokens === cap) return { text: text.slice(0, match.index).trimEnd(), tokens, cut: true };
    tokens += 1;
  }
  return { text, tokens, cut: false };
}
