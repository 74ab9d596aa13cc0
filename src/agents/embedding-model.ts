/** What Flujo asks of an embedding model: one `doEmbed` of the AI SDK, which is one request on the wire. */
import type { EmbeddingModelV2, EmbeddingModelV3, EmbeddingModelV4 } from "@ai-sdk/provider";
import { isRecord } from "./language-model.ts";

/** An AI SDK embedding model, of provider specification 4, 3 or 2. */
export type EmbeddingModel = EmbeddingModelV4 | EmbeddingModelV3 | EmbeddingModelV2<string>;
export type EmbeddingOptions = Parameters<EmbeddingModelV4["doEmbed"]>[0];

export interface Embedded {
  /** One for each value, in order, all of one size. */
  readonly vectors: readonly (readonly number[])[];
  /** Undefined when the provider told none. */
  readonly tokens: number | undefined;
}

/** Whether a value can be called as an embedding model. */
export function isEmbeddingModel(value: unknown): value is EmbeddingModel {
  return isRecord(value) && typeof value.doEmbed === "function" && "provider" in value && "modelId" in value;
}

/**
 * One call. Throws what the provider throws.
 *
 * @throws TypeError for an answer that does not hold one vector for each value.
 */
export async function embedOnce(model: EmbeddingModel, options: EmbeddingOptions): Promise<Embedded> {
  // The three specifications take the same options but for the dimensions, and give the same results.
  const { embeddings, usage, response } = await (model as EmbeddingModelV4).doEmbed(options);
  const [first] = embeddings;
  const wanted = options.values.length;
  if (embeddings.length !== wanted)
    throw new TypeError(`its answer holds ${embeddings.length} vectors for ${wanted} texts`);
  if (embeddings.some((vector) => vector.length !== first?.length || !vector.every(Number.isFinite)))
    throw new TypeError("the vectors of its answer are not of one size, or not of numbers");
  return { vectors: embeddings, tokens: usage?.tokens ?? geminiTokens(response?.body) };
}

/** Gemini counts in newer models; its package does not read it. */
function geminiTokens(body: unknown): number | undefined {
  const usage = isRecord(body) ? body.usageMetadata : undefined;
  const count = isRecord(usage) ? usage.promptTokenCount : undefined;
  return typeof count === "number" ? count : undefined;
}
