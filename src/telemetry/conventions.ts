/**
 * Names that others define: OpenTelemetry's semantic conventions for generative AI, as of version 1.45. They are still
 * in development, so they stand here as they were when this was written, and a test compares them with the package.
 */

export const convention = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  workflow: "gen_ai.workflow.name",
  agent: "gen_ai.agent.name",
  tool: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  requestModel: "gen_ai.request.model",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  topP: "gen_ai.request.top_p",
  seed: "gen_ai.request.seed",
  stream: "gen_ai.request.stream",
  outputType: "gen_ai.output.type",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  tokenType: "gen_ai.token.type",
  outputMessages: "gen_ai.output.messages",
  toolResult: "gen_ai.tool.call.result",
  errorType: "error.type",
} as const;

/** Values of `gen_ai.operation.name`. */
export const operations = {
  workflow: "invoke_workflow",
  agent: "invoke_agent",
  chat: "chat",
  vectors: "embeddings",
  images: "generate_content",
  tool: "execute_tool",
} as const;

/** Providers that the conventions call otherwise than `provider:model` does. */
const providers: { readonly [name: string]: string } = {
  google: "gcp.gemini",
  vertex: "gcp.vertex_ai",
  bedrock: "aws.bedrock",
  "amazon-bedrock": "aws.bedrock",
  azure: "azure.ai.openai",
  mistral: "mistral_ai",
  xai: "x_ai",
};

/** `"openai:gpt-4o"` in the words of the conventions. */
export function modelWords(name: string): { readonly provider: string; readonly model: string } {
  const colon = name.indexOf(":");
  const provider = colon < 0 ? "_OTHER" : name.slice(0, colon);
  return { provider: providers[provider] ?? provider, model: name.slice(colon + 1) };
}

/** Metrics, and the bounds of their buckets. */
export const metricNames = {
  tokenUsage: "gen_ai.client.token.usage",
  callDuration: "gen_ai.client.operation.duration",
} as const;
export const tokenBuckets = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
/** Seconds. */
export const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/** Our own names, for what the conventions have no word for. */
export const own = {
  run: "flujo.run.id",
  status: "flujo.run.status",
  resumed: "flujo.run.resumed",
  fingerprint: "flujo.run.fingerprint",
  pipeline: "flujo.pipeline",
  path: "flujo.path",
  kind: "flujo.kind",
  queue: "flujo.queue",
  step: "flujo.step",
  attempt: "flujo.attempt",
  cached: "flujo.cached",
  interrupted: "flujo.interrupted",
  cost: "flujo.cost",
  inDoubt: "flujo.cost.in_doubt",
  event: "flujo.event",
  seq: "flujo.seq",
  input: "flujo.input",
  output: "flujo.output",
} as const;
