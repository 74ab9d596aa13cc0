import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
} from "@ai-sdk/provider";
import { type PicoUsd, picoUsd, type Usd } from "../core/limits.ts";
import type { World } from "../ports/world.ts";

/** What a scripted model says to one call. */
export interface ScriptedReply {
  readonly text?: string;
  /** Calls of tools; `input` becomes JSON unless it is a text already. */
  readonly toolCalls?: readonly { readonly name: string; readonly input: unknown }[];
  /** Thrown instead of an answer. The call is still on the model's meter unless `unbilled`. */
  readonly error?: unknown;
  readonly unbilled?: boolean;
  /** How long the answer takes, on the clock handed in. Default: no time. */
  readonly delayMs?: number;
  /** What the model reports instead of what it counted; `"missing"` reports nothing. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number } | "missing";
  readonly finish?: LanguageModelV4GenerateResult["finishReason"]["unified"];
}

/** One call as the model saw it. */
export interface ScriptedCall {
  /** From 0. */
  readonly index: number;
  readonly options: LanguageModelV4CallOptions;
  /** The last thing the user said. */
  readonly prompt: string;
}

export interface ScriptedOptions {
  /**
   * Replies in order, the last one repeated, or a function of the call. A text stands for `{ text }`. Under crashes
   * and parallel calls only a function of the prompt is deterministic.
   */
  readonly replies: readonly (string | ScriptedReply)[] | ((call: ScriptedCall) => string | ScriptedReply);
  /** Sees each call as it arrives. */
  readonly onCall?: (call: ScriptedCall) => void;
  /** The clock of delays: a virtual World in simulations. Default: the system's. */
  readonly world?: Pick<World, "timer">;
  /** Default `"model"`: the whole name is then `"scripted:model"`. */
  readonly id?: string;
  /** US dollars a million tokens. Default $1 in, $2 out. */
  readonly price?: { readonly input: Usd; readonly output: Usd };
}

/** A model that says what it is told to say, keeps to its output cap, and meters its own bill. */
export interface ScriptedModel extends LanguageModelV4 {
  readonly calls: readonly ScriptedCall[];
  /** What all calls cost, failed and aborted ones included: the truth a budget is measured against. */
  readonly billedPicoUsd: PicoUsd;
  /** Its price, for `models({ prices: model.prices })`. */
  readonly prices: { readonly [model: string]: { readonly input: Usd; readonly output: Usd } };
}

/** Makes a scripted model. A token is four characters of text. */
export function scriptedModel(options: ScriptedOptions): ScriptedModel {
  const {
    replies,
    onCall,
    world = systemClock,
    id = "model",
    price = { input: "$1", output: "$2" },
  } = options;
  const calls: ScriptedCall[] = [];
  let billed: PicoUsd = 0n;

  async function doGenerate(request: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const call = { index: calls.length, options: request, prompt: lastUserText(request) };
    calls.push(call);
    onCall?.(call);
    const found =
      typeof replies === "function" ? replies(call) : (replies[call.index] ?? replies.at(-1) ?? "");
    const reply = typeof found === "string" ? { text: found } : found;
    const { result, usage } = answer(reply, request);
    if (!reply.unbilled) {
      billed +=
        (picoUsd(price.input) * BigInt(usage.inputTokens) +
          picoUsd(price.output) * BigInt(usage.outputTokens)) /
        1_000_000n;
    }
    if (reply.delayMs !== undefined) await delay(world, reply.delayMs, request.abortSignal);
    request.abortSignal?.throwIfAborted();
    if (reply.error !== undefined) throw reply.error;
    return result;
  }

  return {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: id,
    supportedUrls: {},
    doGenerate,
    doStream: () => Promise.reject(new Error("a scripted model does not stream")),
    calls,
    get billedPicoUsd() {
      return billed;
    },
    prices: { [`scripted:${id}`]: price },
  };
}

const systemClock: Pick<World, "timer"> = {
  timer(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const charactersPerToken = 4;
const tokensOf = (text: string): number => Math.ceil(text.length / charactersPerToken);

function answer(reply: ScriptedReply, request: LanguageModelV4CallOptions) {
  const cap = request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const text = (reply.text ?? "").slice(0, cap * charactersPerToken);
  const toolCalls = (reply.toolCalls ?? []).map(({ name, input }, i) => ({
    type: "tool-call" as const,
    toolCallId: `call-${request.prompt.length}-${i}`,
    toolName: name,
    input: typeof input === "string" ? input : JSON.stringify(input),
  }));
  const written =
    tokensOf(text) + toolCalls.reduce((sum, call) => sum + tokensOf(call.toolName + call.input), 0);
  const counted = {
    inputTokens: 1 + tokensOf(JSON.stringify(request.prompt)),
    outputTokens: Math.min(cap, written),
  };
  const told = reply.usage === "missing" ? undefined : (reply.usage ?? counted);
  const usage = reply.usage === undefined || reply.usage === "missing" ? counted : reply.usage;
  const ended =
    text.length < (reply.text ?? "").length ? "length" : toolCalls.length > 0 ? "tool-calls" : "stop";
  const result: LanguageModelV4GenerateResult = {
    content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...toolCalls],
    finishReason: { unified: reply.finish ?? ended, raw: undefined },
    usage: {
      inputTokens: {
        total: told?.inputTokens,
        noCache: told?.inputTokens,
        cacheRead: undefined,
        cacheWrite: undefined,
      },
      outputTokens: { total: told?.outputTokens, text: told?.outputTokens, reasoning: undefined },
    },
    warnings: [],
  };
  return { result, usage };
}

function lastUserText({ prompt }: LanguageModelV4CallOptions): string {
  const last = prompt.findLast((message) => message.role === "user");
  if (last === undefined || typeof last.content === "string") return "";
  return last.content.map((part) => ("text" in part ? part.text : "")).join("");
}

/** Waits on a clock; an abort ends the wait with the signal's reason. */
function delay(world: Pick<World, "timer">, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = world.timer(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = () => {
      cancel();
      reject(signal?.reason);
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
