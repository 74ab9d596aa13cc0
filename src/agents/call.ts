/**
 * One physical call of a model: its request bears the cap the budget granted, its outcome is a receipt, or a
 * ModelCallError that says what the call may have cost.
 */
import type { Grant, Quote, Receipt } from "../core/context.ts";
import { FlujoError, MissingKeyError, ModelCallError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { PicoUsd } from "../core/limits.ts";
import { type CallOptions, type Generated, generateOnce, isRecord, readResult } from "./language-model.ts";
import type { PricedModel } from "./priced-model.ts";
import { streamOnce } from "./stream.ts";

/** An answer as the journal keeps it: plain JSON. */
export interface Answer {
  readonly parts: readonly AnswerPart[];
  readonly finish: string;
  /** The answer stops at a cap that the budget had made smaller than what was asked for. */
  readonly cut?: true;
  readonly responseId?: string;
  readonly structuredText?: string;
  /** What of the tokens was read from, or written to, a cache, and what was thought; as far as it is any. */
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** A piece of an answer worth keeping: texts, thoughts and tool calls, with what the provider wants back later. */
export type AnswerPart =
  | { readonly type: "text" | "reasoning"; readonly text: string; readonly metadata?: JsonObject }
  | {
      readonly type: "tool-call";
      readonly id: string;
      readonly name: string;
      /** The arguments as the model wrote them: JSON, or meant to be. */
      readonly input: string;
      readonly metadata?: JsonObject;
    };

/** What a call needs beside the grant. */
export interface CallRequest {
  readonly priced: PricedModel;
  readonly quote: Quote;
  readonly options: Omit<CallOptions, "maxOutputTokens" | "abortSignal">;
  /** Output tokens a provider adds to the cap it is given, as a thinking budget; 0 for most. */
  readonly hiddenOutput: number;
  /** The answer is to come in pieces. */
  readonly stream: boolean;
}

/**
 * Makes the call.
 *
 * @throws ModelCallError naming the model and the provider's reason, never a key.
 */
export async function callModel(request: CallRequest, grant: Grant): Promise<Receipt<Answer>> {
  const { priced, hiddenOutput, stream } = request;
  if (grant.signal.aborted) {
    throw new ModelCallError(`the call of ${priced.name} was stopped before it was made`, { charge: "none" });
  }
  const options = {
    ...request.options,
    headers: { ...request.options.headers, "idempotency-key": grant.idempotencyKey },
    maxOutputTokens: grant.outputTokens - hiddenOutput,
    abortSignal: grant.signal,
  };
  let generated: Generated;
  try {
    generated = stream
      ? readResult(await streamOnce(priced.model, options, grant))
      : await generateOnce(priced.model, options);
  } catch (error) {
    throw callError(error, priced.name, grant.signal);
  }
  return receipt(grant.said === "" ? generated : goneOn(grant.said, generated), request, grant);
}

/** An answer that goes on with one that was cut. */
function goneOn(said: string, generated: Generated): Generated {
  const { content } = generated;
  const first = content.findIndex(({ type }) => type === "text");
  const whole = content.map((part, i) =>
    i === first && part.type === "text" ? { ...part, text: said + part.text } : part,
  );
  return { ...generated, content: first < 0 ? [{ type: "text", text: said }, ...content] : whole };
}

function receipt(generated: Generated, request: CallRequest, grant: Grant): Receipt<Answer> {
  const { finish } = generated;
  const parts = generated.content.flatMap(answerPart);
  const cut = finish === "length" && grant.outputTokens < request.quote.outputTokens.wanted;
  const value: Answer = {
    parts,
    finish,
    ...(cut ? { cut } : {}),
    ...(generated.responseId === undefined ? {} : { responseId: generated.responseId }),
    ...(generated.structuredText === undefined ? {} : { structuredText: generated.structuredText }),
    ...finerCounts(generated.usage),
  };
  return { value, ...billed(generated, request, grant) };
}

/** The counts that only some calls have. */
function finerCounts(usage: Generated["usage"]): Partial<Answer> {
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage ?? {};
  const counts = Object.entries({ cacheReadTokens, cacheWriteTokens, reasoningTokens });
  return Object.fromEntries(counts.filter(([, count]) => count !== undefined && isSound(count) && count > 0));
}

/** What a call cost by its usage; all that was reserved when the usage is missing or cannot be true. */
export function billed(
  { usage, finish }: Pick<Generated, "usage" | "finish">,
  { priced, quote }: Pick<CallRequest, "priced" | "quote">,
  grant: Grant,
): Omit<Receipt<never>, "value"> {
  // No answer is made of nothing: "0 tokens" is how some providers report that they do not know.
  const silent = usage?.outputTokens === 0 && finish !== "content-filter";
  const known = usage !== undefined && !silent && isSound(usage.inputTokens) && isSound(usage.outputTokens);
  const cost = known ? priced.cost(usage) : undefined;
  if (known && (cost !== undefined || quote.rates === undefined)) {
    return { picoUsd: cost ?? 0n, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
  }
  const tokens = { inputTokens: quote.inputTokens, outputTokens: grant.outputTokens };
  return { picoUsd: worstCase(quote, grant), ...tokens };
}

export const isSound = (count: number): boolean => Number.isSafeInteger(count) && count >= 0;

/** All that was reserved: what a call counts as when nobody can say what it cost. */
function worstCase({ rates, inputTokens }: Quote, grant: Grant): PicoUsd {
  if (rates === undefined) return 0n;
  return BigInt(inputTokens) * rates.input + BigInt(grant.outputTokens) * rates.output;
}

function answerPart(part: Generated["content"][number]): AnswerPart[] {
  const metadata = returnable("providerMetadata" in part ? part.providerMetadata : undefined);
  const kept = metadata === undefined ? {} : { metadata };
  switch (part.type) {
    case "text":
    case "reasoning":
      return [{ type: part.type, text: part.text, ...kept }];
    case "tool-call":
      if (part.providerExecuted) return [];
      return [{ type: part.type, id: part.toolCallId, name: part.toolName, input: part.input, ...kept }];
    default:
      return [];
  }
}

/**
 * What a provider wants back in the next turn (signatures of thoughts, for one). Item ids are left out: they make a
 * provider add text it stored, which no bound on this prompt would cover.
 */
function returnable(metadata: unknown): JsonObject | undefined {
  if (!isRecord(metadata)) return undefined;
  const text = JSON.stringify(metadata, (key, value: unknown) => (key === "itemId" ? undefined : value));
  const plain: JsonObject = JSON.parse(text);
  const kept = Object.entries(plain).filter(([, value]) => isRecord(value) && Object.keys(value).length > 0);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** Refusals that come before any token is made, and so are not billed. */
const unbilled = new Set([400, 401, 403, 404, 413, 422, 429]);
/** What the AI SDK's packages throw about options, before there is a request. */
const neverMade = new Set([
  "AI_InvalidArgumentError",
  "AI_LoadSettingError",
  "AI_NoSuchModelError",
  "AI_UnsupportedFunctionalityError",
]);
/** How Google's own library says that it found none to sign a request with. */
const noCredentials = /^Could not load the default credentials/;
/** How Google's package says that it makes no images by an older model. */
const notOffered = /^Google image models other than Gemini are no longer supported/;
/** Failures of the network before a request could be sent. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Any failure of a call as one of Flujo's errors. */
export function callError(error: unknown, model: string, signal: AbortSignal): FlujoError {
  if (FlujoError.isInstance(error)) return error;
  if (!isRecord(error))
    return new ModelCallError(`the call of ${model} failed: ${clean(String(error))}`, inDoubt);
  const reason = clean(String(error.message ?? ""));
  if (error.name === "AI_LoadAPIKeyError") {
    return new MissingKeyError(`${model} cannot be called: ${reason}`, {
      hint: "Set the provider's API key.",
    });
  }
  if (neverMade.has(String(error.name)) || noCredentials.test(reason) || notOffered.test(reason)) {
    const hint = noCredentials.test(reason)
      ? "Set GOOGLE_APPLICATION_CREDENTIALS, or run where Google Cloud provides credentials."
      : "Check the agent's options and providerOptions.";
    return new ModelCallError(`the call of ${model} could not be made: ${reason}`, { charge: "none", hint });
  }
  if (signal.aborted || error.name === "AbortError") {
    return new ModelCallError(`the call of ${model} was stopped before its answer came`, {
      ...inDoubt,
      retryable: false,
    });
  }
  const status = error.statusCode;
  if (typeof status === "number" && status >= 300)
    return refusal(model, status, reason, error.responseHeaders);
  if (typeof status === "number") {
    return new ModelCallError(`the answer of ${model} could not be read: ${reason}`, inDoubt);
  }
  if (causeCodes(error).some((code) => neverSent.has(code))) {
    const hint = "Check the network and the provider's base URL.";
    return new ModelCallError(`${model} could not be reached: ${reason}`, {
      charge: "none",
      retryable: true,
      hint,
    });
  }
  return new ModelCallError(`the call of ${model} broke off: ${reason}`, inDoubt);
}

const inDoubt = { charge: "in-doubt", retryable: true } as const;

function refusal(model: string, status: number, reason: string, headers: unknown): ModelCallError {
  return new ModelCallError(`${model} answered ${status}: ${reason || "no reason given"}`, {
    charge: unbilled.has(status) ? "none" : "in-doubt",
    retryable: status === 408 || status === 409 || status === 429 || status >= 500,
    retryAfterMs: status === 429 || status === 503 ? retryAfterMs(headers) : undefined,
    hint: hints[status],
  });
}

const hints: { readonly [status: number]: string } = {
  401: "The provider does not accept the API key. Check the environment variable it is read from.",
  403: "The API key may not use this model. Check its project and permissions.",
  404: "The provider has no such model, or its base URL is wrong.",
  429: "The provider limits how fast or how much you call it. Retry later, or check quota and billing.",
};

/** The wait a provider asks for: milliseconds, seconds, or an HTTP date; at most a day. */
function retryAfterMs(headers: unknown): number | undefined {
  if (!isRecord(headers)) return undefined;
  const header = (name: string): number => {
    const value = headers[name];
    return typeof value === "string" && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
  };
  const waits = [header("retry-after-ms"), header("retry-after") * 1_000, untilDate(headers)];
  const wait = waits.find((ms) => Number.isFinite(ms));
  return wait === undefined ? undefined : Math.min(Math.max(0, Math.ceil(wait)), 86_400_000);
}

/** Measured by the provider's own clock: its Date header. */
function untilDate(headers: Record<string, unknown>): number {
  return Date.parse(String(headers["retry-after"])) - Date.parse(String(headers.date));
}

function causeCodes(error: unknown): string[] {
  const codes: string[] = [];
  for (let at: unknown = error, depth = 0; isRecord(at) && depth < 5; at = at.cause, depth++) {
    if (typeof at.code === "string") codes.push(at.code);
  }
  return codes;
}

const longestReason = 500;
/** Providers put (parts of) keys into their messages; none may reach a journal or a screen. */
const keyLike = /\b(?:sk|pk|rk|gsk|xai)[-_][\w*.-]{6,}|\bAIza[\w-]{8,}|\bya29\.[\w.-]+|\bBearer +\S+/g;

function clean(reason: string): string {
  let text = reason.slice(0, 10_000).replace(keyLike, "[key]");
  // Each value of the environment is fetched from outside JavaScript: only those that may be secret are.
  for (const name of Object.keys(process.env)) {
    const value = /KEY|TOKEN|SECRET/i.test(name) ? process.env[name] : undefined;
    if (value !== undefined && value.length >= 8) text = text.replaceAll(value, "[key]");
  }
  text = text.replace(/\s+/g, " ").trim();
  return text.length > longestReason ? `${text.slice(0, longestReason)}…` : text;
}
