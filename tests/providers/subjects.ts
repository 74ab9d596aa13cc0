/** The providers under test: how the environment leads each to a server, and what each does in its own way. */
import type { WireFormat } from "../../src/testing/wire/format.ts";

/** A row of the table in docs/providers.md. */
export type Capability =
  | "text"
  | "structured output"
  | "tools"
  | "thoughts given back"
  | "streaming"
  | "streaming agents"
  | "cached tokens"
  | "cache writes"
  | "reasoning tokens"
  | "output cap"
  | "429, retry-after"
  | "500"
  | "malformed JSON"
  | "slow first byte"
  | "dropped connection"
  | "no usage"
  | "more than the cap"
  | "secrets"
  | "embeddings"
  | "images";

export interface Subject {
  /** As in `"name:model"`. */
  readonly name: string;
  readonly model: string;
  /** An embedding model and an image model of the provider, where it has such. */
  readonly embeddings?: string;
  readonly images?: string;
  readonly file: string;
  readonly format: WireFormat["name"];
  readonly environment: (origin: string) => { readonly [variable: string]: string };
  /** The header that bears the key. */
  readonly keyHeader: string;
  /** Where the request has its output cap, and the JSON Schema of its answer. */
  readonly cap: readonly string[];
  readonly schema: readonly string[];
  /** What is not there to be proved, and why. */
  readonly lacks: { readonly [capability in Capability]?: string };
}

/** No test may find it anywhere but in that header. It looks like no key that is known by its form. */
export const secret = "correct horse battery staple 42".replaceAll(" ", "~");

const noWrites = "the wire format does not count them apart";
const noThoughts = "the wire format has no place for them";

export const openai: Subject = {
  name: "openai",
  model: "openai:gpt-5-mini",
  embeddings: "openai:text-embedding-3-small",
  images: "openai:gpt-image-1",
  file: "openai.test.ts",
  format: "openai",
  environment: (origin) => ({ OPENAI_API_KEY: secret, OPENAI_BASE_URL: `${origin}/v1` }),
  keyHeader: "authorization",
  cap: ["max_output_tokens"],
  schema: ["text", "format", "schema"],
  lacks: { "thoughts given back": "they are stored at OpenAI, which no bound on a prompt covers" },
};

export const openaiChat: Subject = {
  ...openai,
  name: "openai.chat",
  model: "openai.chat:gpt-5-mini",
  embeddings: "openai.chat:text-embedding-3-small",
  images: "openai.chat:gpt-image-1",
  format: "openai.chat",
  cap: ["max_completion_tokens"],
  schema: ["response_format", "json_schema", "schema"],
  lacks: { "thoughts given back": noThoughts, "cache writes": noWrites },
};

export const anthropic: Subject = {
  name: "anthropic",
  model: "anthropic:claude-sonnet-4-5",
  file: "anthropic.test.ts",
  format: "anthropic",
  environment: (origin) => ({ ANTHROPIC_API_KEY: secret, ANTHROPIC_BASE_URL: `${origin}/v1` }),
  keyHeader: "x-api-key",
  cap: ["max_tokens"],
  schema: ["output_config", "format", "schema"],
  lacks: {
    "no usage": "its package refuses such an answer: the call is in doubt, and made again",
    embeddings: "Anthropic has none",
    images: "Anthropic makes none",
  },
};

export const google: Subject = {
  name: "google",
  model: "google:gemini-2.5-flash",
  embeddings: "google:gemini-embedding-001",
  images: "google:gemini-2.5-flash-image",
  file: "google.test.ts",
  format: "gemini",
  environment: (origin) => ({
    GOOGLE_GENERATIVE_AI_API_KEY: secret,
    GOOGLE_GENERATIVE_AI_BASE_URL: `${origin}/v1beta`,
  }),
  keyHeader: "x-goog-api-key",
  cap: ["generationConfig", "maxOutputTokens"],
  schema: ["generationConfig", "responseJsonSchema"],
  lacks: { "cache writes": noWrites },
};

export const vertex: Subject = {
  ...google,
  name: "vertex",
  model: "vertex:gemini-2.5-flash",
  embeddings: "vertex:gemini-embedding-001",
  images: "vertex:gemini-2.5-flash-image",
  environment: (origin) => ({
    GOOGLE_VERTEX_API_KEY: secret,
    GOOGLE_VERTEX_BASE_URL: `${origin}/v1/publishers/google`,
  }),
};

export const ollama: Subject = {
  name: "ollama",
  model: "ollama:qwen3:8b",
  embeddings: "ollama:nomic-embed-text",
  images: "ollama:x/flux",
  file: "compatible.test.ts",
  format: "openai.chat",
  environment: (origin) => ({ OLLAMA_BASE_URL: origin, OLLAMA_API_KEY: secret }),
  keyHeader: "authorization",
  cap: ["max_tokens"],
  schema: ["response_format", "json_schema", "schema"],
  lacks: { "thoughts given back": noThoughts, "cache writes": noWrites },
};

export const compatible: Subject = {
  ...ollama,
  name: "compatible",
  model: "compatible:some/model",
  embeddings: "compatible:some/embedder",
  images: "compatible:some/painter",
  environment: (origin) => ({
    OPENAI_COMPATIBLE_BASE_URL: `${origin}/v1`,
    OPENAI_COMPATIBLE_API_KEY: secret,
  }),
};

export const subjects: readonly Subject[] = [
  openai,
  openaiChat,
  anthropic,
  google,
  vertex,
  ollama,
  compatible,
];
