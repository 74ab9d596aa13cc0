/** A model's result as the journal keeps it, and as callers get it: the same thing the first time and ever after. */
import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { isRecord } from "./language-model.ts";

/** Without the bodies and headers of request and response: they may hold secrets, and nobody needs them twice. */
export type RecordedResult = Omit<LanguageModelV4GenerateResult, "request">;

/** What is kept of a result of any specification: plain data, and nothing that lets a provider add text it stored. */
export function recordedResult(result: unknown): RecordedResult {
  if (!isRecord(result) || !Array.isArray(result.content))
    throw new TypeError("the model returned no content");
  const { content, finishReason, usage, warnings, providerMetadata, response, structuredOutputText } = result;
  const { id, timestamp, modelId } = isRecord(response) ? response : {};
  return plain({
    content: content.map((part) => (isRecord(part) ? withoutItemIds(part) : part)),
    finishReason: isRecord(finishReason) ? finishReason : { unified: finishReason ?? "other" },
    usage: usageIn(usage),
    warnings: warnings ?? [],
    providerMetadata,
    response: { id, timestamp, modelId },
    structuredOutputText,
  }) as RecordedResult; // a result of the interface, field by field
}

/** A recorded result as the interface has it: addresses of files are URLs again. */
export function givenResult(recorded: RecordedResult): RecordedResult {
  return { ...recorded, content: recorded.content.map(withAddress) };
}

/** The parts of a stream that bring a result. */
export function* partsOf({
  content,
  finishReason,
  usage,
  warnings,
  providerMetadata,
  response,
}: RecordedResult): Generator<LanguageModelV4StreamPart> {
  yield { type: "stream-start", warnings };
  if (response !== undefined) yield { type: "response-metadata", ...response };
  for (const [i, part] of content.entries()) yield* partsOfContent(part, String(i));
  const metadata = providerMetadata === undefined ? {} : { providerMetadata };
  yield { type: "finish", finishReason, usage, ...metadata };
}

function* partsOfContent(part: LanguageModelV4Content, id: string): Generator<LanguageModelV4StreamPart> {
  const metadata = part.providerMetadata === undefined ? {} : { providerMetadata: part.providerMetadata };
  if (part.type === "text" || part.type === "reasoning") {
    yield { type: `${part.type}-start`, id, ...metadata };
    if (part.text !== "") yield { type: `${part.type}-delta`, id, delta: part.text };
    yield { type: `${part.type}-end`, id, ...metadata };
    return;
  }
  if (part.type === "tool-call") {
    const { toolCallId, toolName, input } = part;
    yield { type: "tool-input-start", id: toolCallId, toolName };
    yield { type: "tool-input-delta", id: toolCallId, delta: input };
    yield { type: "tool-input-end", id: toolCallId };
  }
  yield part;
}

/** Plain data, without what is undefined. */
function plain(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return value.map(plain);
  const fields = Object.entries(value).map(([key, one]) => [key, plain(one)] as const);
  return Object.fromEntries(fields.filter(([, one]) => one !== undefined));
}

/**
 * Something with `providerMetadata` or `providerOptions`, without the item ids in them: sent back, they make a provider
 * add text it stored, which no bound on the prompt would cover.
 */
export function withoutItemIds<T extends object>(part: T): T {
  const fields = Object.entries(part).map(([key, value]) =>
    (key === "providerMetadata" || key === "providerOptions") && isRecord(value)
      ? [key, Object.fromEntries(Object.entries(value).map(withoutItemId))]
      : [key, value],
  );
  return Object.fromEntries(fields) as T; // but for those ids
}

function withoutItemId([provider, metadata]: [string, unknown]): [string, unknown] {
  if (!isRecord(metadata)) return [provider, metadata];
  const { itemId: _, ...rest } = metadata;
  return [provider, rest];
}

function withAddress(part: LanguageModelV4Content): LanguageModelV4Content {
  if (part.type !== "file" && part.type !== "reasoning-file") return part;
  const { data } = part;
  return data.type === "url" ? { ...part, data: { ...data, url: new URL(data.url) } } : part;
}

type Counts = { readonly [name: string]: unknown };

/** Specification 2 counts flat. */
function usageIn(usage: unknown): unknown {
  if (!isRecord(usage)) return { inputTokens: {}, outputTokens: {} };
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  const nested = (counts: unknown, beside: Counts): unknown =>
    isRecord(counts) ? counts : { total: counts, ...beside };
  return {
    ...(usage.raw === undefined ? {} : { raw: usage.raw }),
    inputTokens: nested(inputTokens, { cacheRead: cachedInputTokens }),
    outputTokens: nested(outputTokens, { reasoning: reasoningTokens }),
  };
}
