/** Options handed through to a provider, and those that a budget could not live with. */

import { InvalidOptionError } from "../core/errors.ts";
import type { CallOptions } from "./language-model.ts";
import { isRecord } from "./language-model.ts";

export type ProviderOptions = NonNullable<CallOptions["providerOptions"]>;

/** Why an option is refused, and what to use instead. */
interface Refusal {
  readonly why: string;
  readonly hint: string;
}

const hiddenInput: Refusal = {
  why: "adds input no budget can bound",
  hint: "Put what the model is to know into the prompt.",
};
const ownCap: Refusal = { why: "would replace the budget's cap", hint: "Use maxOutputTokens." };
const manyAnswers: Refusal = {
  why: "buys several answers where the budget reserves one",
  hint: "Call the agent several times, as with mapOver; of images, say n beside the prompt.",
};
const hiddenCalls: Refusal = {
  why: "makes the provider call models on its own, inside one request",
  hint: "Let the agent do it: with tools of its own, and a shorter prompt.",
};
const otherModel: Refusal = {
  why: "lets another model answer, at another price",
  hint: "Name the model in the agent, and another one in .fallback().",
};

/** Options of any provider, as its package spells them and as they stand in the request, to which some are copied. */
const refused: { readonly [option: string]: Refusal } = {
  cachedContent: hiddenInput,
  content: hiddenInput,
  container: hiddenInput,
  continuationToken: hiddenInput,
  thread: hiddenInput,
  compaction: hiddenCalls,
  compactionTrigger: hiddenCalls,
  contextManagement: hiddenCalls,
  context_management: hiddenCalls,
  mcpServers: hiddenCalls,
  googleSearch: hiddenCalls,
  fallbacks: otherModel,
  model: otherModel,
  models: otherModel,
  bestOf: manyAnswers,
  best_of: manyAnswers,
  candidateCount: manyAnswers,
  n: manyAnswers,
  maxNewTokens: ownCap,
  max_new_tokens: ownCap,
  n_predict: ownCap,
};
/** The same, wherever they stand. */
const refusedAnywhere: { readonly [option: string]: Refusal } = {
  conversation: hiddenInput,
  previousResponseId: hiddenInput,
  previous_response_id: hiddenInput,
  num_predict: ownCap,
};
const capLike = /^max_?(?:output|completion)?_?tokens$/i;

/**
 * @param options by provider: `{ openai: { reasoningEffort: "low" } }`.
 * @throws InvalidOptionError naming the option and what to use instead.
 */
export function checkProviderOptions(options: unknown, who: string): void {
  if (!isRecord(options)) return;
  for (const own of Object.values(options)) {
    for (const key of isRecord(own) ? Object.keys(own) : []) refuse(refused, key, who);
  }
  checkDeep(options, who);
}

function checkDeep(options: Record<string, unknown>, who: string): void {
  for (const [key, value] of Object.entries(options)) {
    refuse(refusedAnywhere, key, who);
    if (capLike.test(key)) refuse({ [key]: ownCap }, key, who);
    if (isRecord(value)) checkDeep(value, who);
  }
}

function refuse(table: { readonly [option: string]: Refusal }, key: string, who: string): void {
  const refusal = Object.hasOwn(table, key) ? table[key] : undefined;
  if (refusal === undefined) return;
  throw new InvalidOptionError(`${who} sets the provider option "${key}", which ${refusal.why}`, {
    hint: refusal.hint,
  });
}

/** What Anthropic's package takes for a thinking budget that is switched on and not given. */
const anthropicThinkingTokens = 1_024;

/** Output tokens a provider allows beside the cap it is given: Anthropic's thinking budget. */
export function hiddenOutput(options: ProviderOptions | undefined): number {
  const thinking = options?.anthropic?.thinking;
  if (!isRecord(thinking)) return 0;
  const tokens = thinking.budgetTokens ?? (thinking.type === "enabled" ? anthropicThinkingTokens : 0);
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens > 0 ? tokens : 0;
}
