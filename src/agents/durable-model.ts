/**
 * `ctx.model`: a language model for code that makes its own calls, through the AI SDK or another library. Every call is
 * a paid operation of the step: inside the budget, recorded, and on a resume answered from the record.
 */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamResult,
} from "@ai-sdk/provider";
import { tokenBound } from "../budget/token-bound.ts";
import type { Grant, PaidContext, Quote, Receipt } from "../core/context.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { billed, callError } from "./call.ts";
import { type LanguageModel, readResult } from "./language-model.ts";
import { Outlet } from "./outlet.ts";
import type { PricedModel } from "./priced-model.ts";
import { checkProviderOptions, hiddenOutput } from "./provider-options.ts";
import { givenResult, type RecordedResult, recordedResult, withoutItemIds } from "./recorded-result.ts";
import { requestMark } from "./request-mark.ts";
import { Unsent } from "./sent.ts";
import { streamOnce } from "./stream.ts";

/** A durable model's name, and how it finds the one behind it. */
export interface DurableModelParts {
  readonly context: PaidContext;
  /** `"openai:gpt-4o-mini"`. */
  readonly id: string;
  /** The name of its calls in the journal. */
  readonly callName: string;
  readonly find: () => Promise<PricedModel>;
  /** Output tokens asked for when the caller does not say, and the least worth a call. */
  readonly outputTokens: { readonly most: number; readonly least: number };
  readonly unsent: Unsent;
}

export function durableModel(given: Omit<DurableModelParts, "unsent">): LanguageModelV4 {
  const parts = { ...given, unsent: new Unsent() };
  const { id } = parts;
  const split = id.indexOf(":");
  return {
    specificationVersion: "v4",
    provider: id.slice(0, Math.max(0, split)),
    modelId: id.slice(split + 1),
    supportedUrls: { "*/*": [/./] }, // nothing is downloaded for us: files are refused
    doGenerate: async (options) => givenResult(await answered(parts, options)),
    doStream: (options) => streamed(parts, options),
  };
}

/** A result, and whether it ends at a cap that the budget had made smaller than what was asked for. */
interface Answered {
  readonly result: RecordedResult;
  readonly cut?: true;
}

/**
 * One call; another one with the whole cap when only the budget's smaller one has cut the first, or a halt. The cap of
 * a stream is not made smaller: what was told cannot be taken back.
 */
async function answered(
  parts: DurableModelParts,
  options: LanguageModelV4CallOptions,
  outlet?: Outlet,
): Promise<RecordedResult> {
  options.abortSignal?.throwIfAborted();
  refuseUnbounded(options, parts);
  const priced = await parts.find();
  const { most, least } = parts.outputTokens;
  const hidden = hiddenOutput(options.providerOptions);
  const wanted = (options.maxOutputTokens ?? most) + hidden;
  const whole = { wanted, least: wanted };
  try {
    if (outlet !== undefined) return (await call(parts, priced, options, whole, outlet)).result;
    const first = await call(parts, priced, options, { wanted, least: Math.min(least + hidden, wanted) });
    return (first.cut ? await call(parts, priced, options, whole) : first).result;
  } catch (error) {
    options.abortSignal?.throwIfAborted(); // the caller knows its own reason
    throw error;
  }
}

function call(
  { context, callName, unsent }: DurableModelParts,
  priced: PricedModel,
  options: LanguageModelV4CallOptions,
  outputTokens: Quote["outputTokens"],
  outlet?: Outlet,
): Promise<Answered> {
  const { prompt, tools = [], responseFormat, providerOptions, temperature, topP, seed } = options;
  const schema = responseFormat?.type === "json" ? (responseFormat.schema ?? {}) : undefined;
  const shape = { messages: prompt, tools, schema, options: providerOptions };
  const rates = priced.rates(providerOptions);
  const quote: Quote = {
    model: priced.name,
    inputTokens: tokenBound(shape),
    outputTokens,
    asked: requestMark({ messages: prompt, tools, settings: settingsOf(options) }),
    sampling: { temperature, topP, seed },
    ...(rates === undefined ? {} : { rates }),
  };
  const fresh = unsent.take(callName, prompt);
  return context.paid(callName, quote, (grant) => made(priced, quote, options, grant, outlet), {
    sent: () => fresh,
    ...(outlet === undefined ? {} : { mayRepeat: outlet.mayRepeat }),
  });
}

/** What of the options makes the answer what it is, beside conversation and tools. */
function settingsOf(options: LanguageModelV4CallOptions): object {
  const {
    prompt: _,
    tools: __,
    abortSignal: ___,
    headers: ____,
    includeRawChunks: _____,
    ...settings
  } = options;
  return settings;
}

/** The physical call. @throws ModelCallError */
async function made(
  priced: PricedModel,
  quote: Quote,
  options: LanguageModelV4CallOptions,
  grant: Grant,
  outlet: Outlet | undefined,
): Promise<Receipt<Answered>> {
  const { signal } = grant;
  const abortSignal =
    options.abortSignal === undefined ? signal : AbortSignal.any([signal, options.abortSignal]);
  const request: LanguageModelV4CallOptions = {
    ...options,
    prompt: options.prompt.map(bounded),
    headers: { ...options.headers, "idempotency-key": grant.idempotencyKey },
    maxOutputTokens: grant.outputTokens - hiddenOutput(options.providerOptions),
    includeRawChunks: false,
    abortSignal,
  };
  outlet?.begin();
  try {
    const given =
      outlet === undefined
        ? await generate(priced.model, request)
        : await streamOnce(priced.model, request, { hear: grant.hear, onPart: outlet.onPart });
    const result = recordedResult(given);
    const generated = readResult(given);
    const cut = generated.finish === "length" && grant.outputTokens < quote.outputTokens.wanted;
    return { value: { result, ...(cut ? { cut } : {}) }, ...billed(generated, { priced, quote }, grant) };
  } catch (error) {
    throw callError(error, priced.name, abortSignal);
  }
}

/** Specifications 2 and 3 take the same options as far as they have them. */
const generate = (model: LanguageModel, options: LanguageModelV4CallOptions) =>
  (model as LanguageModelV4).doGenerate(options);

/** The stream opens with the first part that brings something, live or recorded; its end is the record's. */
function streamed(
  parts: DurableModelParts,
  options: LanguageModelV4CallOptions,
): Promise<LanguageModelV4StreamResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LanguageModelV4StreamResult>();
  const outlet: Outlet = new Outlet(() => resolve({ stream: outlet.stream }));
  answered(parts, options, outlet).then(
    (result) => outlet.finish(givenResult(result)),
    (error: unknown) => {
      outlet.fail(error);
      reject(error); // heard only when the stream has not opened
    },
  );
  return promise;
}

type Message = LanguageModelV4CallOptions["prompt"][number];

function bounded(message: Message): Message {
  const { content } = message;
  const whole = withoutItemIds(message);
  return typeof content === "string"
    ? whole
    : ({ ...whole, content: content.map(withoutItemIds) } as Message); // as it was
}

/** @throws InvalidOptionError for a request with input that no bound on the prompt covers. */
function refuseUnbounded(options: LanguageModelV4CallOptions, { context, id }: DurableModelParts): void {
  const who = `the call of ${id} in ${context.path}`;
  checkProviderOptions(options.providerOptions, who);
  const refuse = (what: string, hint: string): never => {
    throw new InvalidOptionError(`${who} ${what}, which no budget can bound`, { path: context.path, hint });
  };
  const own = options.tools?.find((tool) => tool.type === "provider");
  if (own !== undefined)
    refuse(`uses the provider's own tool "${own.name}"`, "Offer a function tool that does the same.");
  if (options.prompt.some(holdsFile)) refuse("sends an image or a file", "Send what it says as text.");
  const { reasoning = "provider-default" } = options; // these add a thinking budget to the cap they are given
  if (/anthropic|bedrock|claude/.test(id) && reasoning !== "provider-default" && reasoning !== "none") {
    refuse(
      `sets reasoning: "${reasoning}"`,
      'Say how many tokens: providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } }',
    );
  }
}

function holdsFile({ content }: Message): boolean {
  if (typeof content === "string") return false;
  return content.some(
    (part) =>
      part.type === "file" ||
      part.type === "reasoning-file" ||
      (part.type === "tool-result" &&
        part.output.type === "content" &&
        part.output.value.some(({ type }) => type !== "text")),
  );
}
