/**
 * What Flujo asks of a language model: one `doGenerate`, the provider interface of the AI SDK. Not `generateText`: one
 * call here is one request on the wire, so that one durable, paid operation is one bill.
 */
import type {
  LanguageModelV2,
  LanguageModelV3,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
} from "@ai-sdk/provider";
import type { TokenUsage } from "../budget/rates.ts";
import { InvalidOptionError } from "../core/errors.ts";

/** An AI SDK language model, of provider specification 4, 3 or 2. */
export type LanguageModel = LanguageModelV4 | LanguageModelV3 | LanguageModelV2;
export type CallOptions = LanguageModelV4CallOptions;

/** One answer of a model, in one shape for every specification. */
export interface Generated {
  readonly content: readonly LanguageModelV4Content[];
  /** `stop`, `length`, `content-filter`, `tool-calls`, `error`, `other`. */
  readonly finish: string;
  /** Undefined when the provider reported none, or not enough of it. */
  readonly usage: TokenUsage | undefined;
  readonly responseId: string | undefined;
  /** The text to parse when the model marked it as different from all its texts joined. */
  readonly structuredText: string | undefined;
}

/** Whether a value can be called as a language model. */
export function isLanguageModel(value: unknown): value is LanguageModel {
  return (
    typeof value === "object" &&
    value !== null &&
    "doGenerate" in value &&
    typeof value.doGenerate === "function" &&
    !("maxImagesPerCall" in value) && // that is an image model
    "provider" in value &&
    "modelId" in value
  );
}

/**
 * The name a model goes by in journal and price book: `"openai.responses"` and `"gpt-4o"` make `"openai:gpt-4o"`.
 *
 * @throws InvalidOptionError for an object that is no language model.
 */
export function modelName(model: string | object): string {
  if (typeof model === "string") return model;
  if (isLanguageModel(model)) return nameOfObject(model);
  throw new InvalidOptionError("the model is neither a name nor an AI SDK language model", {
    hint: 'Write "openai:gpt-4o-mini", or hand over what openai("gpt-4o-mini") of @ai-sdk/openai returns.',
  });
}

export const nameOfObject = ({ provider, modelId }: Pick<LanguageModel, "provider" | "modelId">): string =>
  `${String(provider).split(".")[0]}:${modelId}`;

/** One call. Throws what the provider throws. */
export async function generateOnce(model: LanguageModel, options: CallOptions): Promise<Generated> {
  // The three specifications take the same options as far as Flujo uses them (text, tools, JSON answers), and their
  // results differ only in what is read below; the types differ in parts never sent.
  return readResult(await (model as LanguageModelV4).doGenerate(options));
}

/** A result of any specification, in the one shape. */
export function readResult(result: unknown): Generated {
  if (!isRecord(result) || !Array.isArray(result.content))
    throw new TypeError("the model returned no content");
  const { finishReason, response, structuredOutputText } = result;
  return {
    content: result.content as LanguageModelV4Content[], // by the interface; unknown kinds are ignored by readers
    finish: String((isRecord(finishReason) ? finishReason.unified : finishReason) ?? "other"),
    usage: usageOf(result.usage, result.providerMetadata),
    responseId: isRecord(response) && typeof response.id === "string" ? response.id : undefined,
    structuredText: typeof structuredOutputText === "string" ? structuredOutputText : undefined,
  };
}

/** Specification 2 counts flat, later ones in `{ inputTokens: { total, cacheRead, … }, outputTokens: { … } }`. */
function usageOf(usage: unknown, metadata: unknown): TokenUsage | undefined {
  if (!isRecord(usage)) return undefined;
  const { inputTokens: input, outputTokens: output } = usage;
  const read = isRecord(input)
    ? [input.total, input.cacheRead, input.cacheWrite]
    : flatInput(usage, isRecord(metadata) ? metadata.anthropic : undefined);
  const written = isRecord(output) ? [output.total, output.reasoning] : [output, usage.reasoningTokens];
  const [inputTokens, cacheReadTokens, cacheWriteTokens] = read.map(count);
  const [outputTokens, reasoningTokens] = written.map(count);
  // A request always has input: "0 tokens" is how some providers report that they do not know.
  if (inputTokens === undefined || inputTokens === 0 || outputTokens === undefined) return undefined;
  const untold = Math.max(0, toldTotal(usage) - inputTokens - outputTokens);
  const counts = {
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    longCacheWriteTokens: longWritten(usage.raw),
    outputTokens,
    reasoningTokens,
  };
  if (untold === 0) return counts;
  return {
    ...counts,
    outputTokens: outputTokens + untold,
    reasoningTokens: Math.max(untold, reasoningTokens ?? 0),
  };
}

/** In specification 2, Anthropic's input leaves out what a cache was read or written for, as its wire format does. */
function flatInput(
  { inputTokens, cachedInputTokens }: Record<string, unknown>,
  anthropic: unknown,
): unknown[] {
  if (!isRecord(anthropic)) return [inputTokens, cachedInputTokens, undefined];
  const parts = [inputTokens, cachedInputTokens, anthropic.cacheCreationInputTokens];
  const total = parts.reduce<number>((sum, part) => sum + (count(part) ?? 0), 0);
  return [
    inputTokens === undefined ? undefined : total,
    cachedInputTokens,
    anthropic.cacheCreationInputTokens,
  ];
}

/** Anthropic tells what it wrote to a cache for an hour from what for five minutes, which costs less. */
function longWritten(raw: unknown): number | undefined {
  const created = isRecord(raw) ? raw.cache_creation : undefined;
  return isRecord(created) ? count(created.ephemeral_1h_input_tokens) : undefined;
}

/** The total that a provider told: some count thoughts in it and nowhere else. 0 when none was told. */
function toldTotal({ raw, totalTokens }: Record<string, unknown>): number {
  const totals = [totalTokens, ...(isRecord(raw) ? [raw.total_tokens, raw.totalTokenCount] : [])];
  return Math.max(0, ...totals.filter((total) => typeof total === "number"));
}

/** NaN for what is there but no number, so that the price book refuses it. */
const count = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : typeof value === "number" ? value : Number.NaN;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
