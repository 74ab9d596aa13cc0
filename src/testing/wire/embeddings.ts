/** Requests for vectors: OpenAI's format, which Ollama and most other servers speak as well, Gemini's and Vertex's. */
import { at, type Body, listOf, numberOr, type Served, type WireFormat } from "./format.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai-chat.ts";

const wanted = (model: string, values: readonly unknown[], dimensions: unknown) => ({
  model,
  stream: false,
  streamUsage: false,
  text: values.join("\n"),
  cap: undefined,
  schema: undefined,
  tools: [],
  values: values.map(String),
  dimensions: numberOr(dimensions),
});

const whole = { countsCacheWrites: false, frames: () => [] } as const;

export const openaiEmbeddings: WireFormat = {
  ...whole,
  name: "openai.embeddings",
  read: (path, body) =>
    path.endsWith("/embeddings")
      ? wanted(String(body.model), [body.input].flat(), body.dimensions)
      : undefined,
  document: ({ asked, vectors, counts }) => ({
    object: "list",
    model: asked.model,
    data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
    ...(counts === undefined ? {} : { usage: { prompt_tokens: counts.input, total_tokens: counts.input } }),
  }),
  refusal: openaiChat.refusal,
};

/** One text at its own path, several at another; newer models say what they counted. */
export const geminiEmbeddings: WireFormat = {
  ...whole,
  name: "gemini.embeddings",
  read(path, body) {
    const [, model = "", verb] = /\/models\/([^/:]+):(embedContent|batchEmbedContents)\b/.exec(path) ?? [];
    if (verb === undefined) return undefined;
    const requests = verb === "embedContent" ? [body] : listOf(body.requests);
    const texts = requests.map((one) => at(listOf(at(one, "content", "parts"))[0], "text"));
    return wanted(model, texts, at(requests[0], "outputDimensionality"));
  },
  document({ asked, vectors, counts }) {
    const embeddings = vectors.map((values) => ({ values }));
    const usage = counts === undefined ? {} : { usageMetadata: { promptTokenCount: counts.input } };
    return asked.values?.length === 1 ? { embedding: embeddings[0], ...usage } : { embeddings, ...usage };
  },
  refusal: gemini.refusal,
};

/** Counts each text apart. */
export const vertexEmbeddings: WireFormat = {
  ...whole,
  name: "vertex.embeddings",
  read(path, body: Body) {
    const [, model] = /\/models\/([^/:]+):predict\b/.exec(path) ?? [];
    if (model === undefined) return undefined;
    const texts = listOf(body.instances).map((one) => at(one, "content"));
    return wanted(model, texts, at(body, "parameters", "outputDimensionality"));
  },
  document: ({ vectors, counts }) => ({
    predictions: vectors.map((values, i) => ({ embeddings: { values, ...statistics(counts, i) } })),
  }),
  refusal: gemini.refusal,
};

/** All tokens on the first text: only the sum is a bill. */
const statistics = (counts: Served["counts"], index: number) =>
  counts === undefined
    ? {}
    : { statistics: { token_count: index === 0 ? counts.input : 0, truncated: false } };
