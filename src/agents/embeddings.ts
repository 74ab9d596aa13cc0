/** Vectors of texts: in batches as the model takes them, each a paid operation. */
import { embeddingBound, utf8Bytes } from "../budget/token-bound.ts";
import type { EmbedRequest, PaidContext, Quote, Receipt } from "../core/context.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { type Batch, type CallTerms, inBatches } from "./batches.ts";
import { isSound } from "./call.ts";
import { type EmbeddingModel, embedOnce, isEmbeddingModel } from "./embedding-model.ts";
import { nameOfObject } from "./language-model.ts";
import type { ModelSource, PricedModel } from "./priced-model.ts";
import { checkProviderOptions } from "./provider-options.ts";
import { requestMark } from "./request-mark.ts";
import { type PackedVectors, packed, unpacked } from "./vectors.ts";

/**
 * The most text of one request: OpenAI takes no more than 300,000 tokens, and no tokenizer makes more of it than it has
 * bytes. A text that is longer goes alone.
 */
const bytesPerCall = 300_000;

/** @throws InvalidOptionError for an object that is no embedding model. */
export function embeddingName(model: string | object): string {
  if (typeof model === "string") return model;
  if (isEmbeddingModel(model)) return nameOfObject(model);
  throw new InvalidOptionError("the model is neither a name nor an AI SDK embedding model", {
    hint: 'Write "openai:text-embedding-3-small", or hand over what openai.embeddingModel("…") of @ai-sdk/openai returns.',
  });
}

/** What a request must be, whatever it embeds. @throws InvalidOptionError */
export function checkEmbedding(request: Omit<EmbedRequest, "values">, who: string): void {
  const { model, dimensions, providerOptions } = request;
  embeddingName(model);
  if (dimensions !== undefined && (!Number.isSafeInteger(dimensions) || dimensions < 1))
    throw new InvalidOptionError(`dimensions of ${who} is ${dimensions}; it takes a whole number from 1`);
  checkProviderOptions(providerOptions, who);
}

/** The vector of one text, or those of a list. */
export async function embedAll(
  source: ModelSource,
  context: PaidContext,
  name: string,
  request: EmbedRequest,
): Promise<number[] | number[][]> {
  checkEmbedding(request, `the embedding "${name}" of ${context.path}`);
  const { values } = request;
  const texts = typeof values === "string" ? [values] : values;
  if (texts.length === 0) return [];
  context.signal.throwIfAborted();
  const priced = await source.findEmbedding(request.model);
  const { model, name: modelName } = priced;
  if (request.dimensions !== undefined && model.specificationVersion !== "v4") {
    throw new InvalidOptionError(`${modelName} does not take "dimensions": it is of an older AI SDK`, {
      path: context.path,
      hint: "Update its package, or say it in providerOptions.",
    });
  }
  const batches = batched(texts, (await model.maxEmbeddingsPerCall) ?? Number.POSITIVE_INFINITY).map(
    (batch) => batchOf(priced, batch, request),
  );
  const packs = await inBatches(context, name, batches, await model.supportsParallelCalls);
  const vectors = packs.flatMap(unpacked);
  return typeof values === "string" ? (vectors[0] as number[]) : vectors; // one for each text
}

/** The list in parts that one call takes. */
function batched(texts: readonly string[], most: number): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = utf8Bytes(text);
    if (batch.length === 0 || batch.length >= most || bytes + size > bytesPerCall) {
      batch = [];
      bytes = 0;
      batches.push(batch);
    }
    batch.push(text);
    bytes += size;
  }
  return batches;
}

function batchOf(
  priced: PricedModel<EmbeddingModel>,
  texts: string[],
  { dimensions, providerOptions }: EmbedRequest,
): Batch<PackedVectors> {
  const rates = priced.rates(providerOptions);
  const quote: Quote = {
    model: priced.name,
    inputTokens: embeddingBound(texts, providerOptions),
    outputTokens: { wanted: 0, least: 0 },
    asked: requestMark({ messages: texts, settings: { dimensions, providerOptions } }),
    ...(rates === undefined ? {} : { rates }),
  };
  const options = {
    values: texts,
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
  };
  return { quote, call: (terms) => embedded(priced, quote, { ...options, ...terms }) };
}

async function embedded(
  priced: PricedModel<EmbeddingModel>,
  quote: Quote,
  options: Parameters<typeof embedOnce>[1] & CallTerms,
): Promise<Receipt<PackedVectors>> {
  const { vectors, tokens } = await embedOnce(priced.model, options);
  return { value: packed(vectors), ...billed(tokens, priced, quote) };
}

/** What a call cost by the tokens it told; all that was reserved when it told none, or what cannot be. */
function billed(
  tokens: number | undefined,
  priced: PricedModel<EmbeddingModel>,
  { inputTokens, rates }: Quote,
): Omit<Receipt<never>, "value"> {
  const isTold = tokens !== undefined && tokens > 0 && isSound(tokens);
  const cost = isTold ? priced.cost({ inputTokens: tokens, outputTokens: 0 }) : undefined;
  if (isTold && (cost !== undefined || rates === undefined))
    return { picoUsd: cost ?? 0n, inputTokens: tokens, outputTokens: 0 };
  return { picoUsd: BigInt(inputTokens) * (rates?.input ?? 0n), inputTokens, outputTokens: 0 };
}
