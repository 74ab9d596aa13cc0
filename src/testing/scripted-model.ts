import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { type PicoUsd, picoUsd, type Usd } from "../core/limits.ts";
import type { World } from "../ports/world.ts";

/** What a scripted model says to one call. */
export interface ScriptedReply {
  readonly text?: string;
  /** Thought before the text; it counts as output, within the cap. */
  readonly reasoning?: string;
  /** Calls of tools; `input` becomes JSON unless it is a text already. */
  readonly toolCalls?: readonly { readonly name: string; readonly input: unknown }[];
  /** Thrown instead of an answer. The call is still on the model's meter unless `unbilled`. */
  readonly error?: unknown;
  readonly unbilled?: boolean;
  /** How long the answer takes, on the clock handed in; a streamed one, until its first piece. Default: no time. */
  readonly delayMs?: number;
  /** Characters of a streamed piece. Default 4: a token. */
  readonly pieceLength?: number;
  /** The time before each further piece. Default: none. */
  readonly pieceMs?: number;
  /** A streamed answer comes to its error after so many pieces. Default: before the first. */
  readonly cutAfter?: number;
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

  /** Takes a call in, and bills it. */
  function take(request: LanguageModelV4CallOptions) {
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
    return { reply, result };
  }

  async function begin(reply: ScriptedReply, signal: AbortSignal | undefined): Promise<void> {
    if (reply.delayMs !== undefined) await delay(world, reply.delayMs, signal);
    signal?.throwIfAborted();
    if (reply.error !== undefined && reply.cutAfter === undefined) throw reply.error;
  }

  async function doGenerate(request: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { reply, result } = take(request);
    await begin(reply, request.abortSignal);
    if (reply.error !== undefined) throw reply.error;
    return result;
  }

  async function doStream(request: LanguageModelV4CallOptions) {
    const { reply, result } = take(request);
    await begin(reply, request.abortSignal);
    return { stream: ReadableStream.from(inPieces(reply, result, world, request.abortSignal)) };
  }

  return {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: id,
    supportedUrls: {},
    doGenerate,
    doStream,
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

/** A reply as the model gives it, and what it counts. */
export function answer(
  reply: ScriptedReply,
  request: Pick<LanguageModelV4CallOptions, "prompt" | "maxOutputTokens">,
) {
  const cap = request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const reasoning = (reply.reasoning ?? "").slice(0, cap * charactersPerToken);
  const text = (reply.text ?? "").slice(0, (cap - tokensOf(reasoning)) * charactersPerToken);
  const toolCalls = (reply.toolCalls ?? []).map(({ name, input }, i) => ({
    type: "tool-call" as const,
    toolCallId: `call-${request.prompt.length}-${i}`,
    toolName: name,
    input: typeof input === "string" ? input : JSON.stringify(input),
  }));
  const written =
    tokensOf(reasoning) +
    tokensOf(text) +
    toolCalls.reduce((sum, call) => sum + tokensOf(call.toolName + call.input), 0);
  const counted = {
    inputTokens: 1 + tokensOf(JSON.stringify(request.prompt)),
    outputTokens: Math.min(cap, written),
  };
  const told = reply.usage === "missing" ? undefined : (reply.usage ?? counted);
  const usage = reply.usage === undefined || reply.usage === "missing" ? counted : reply.usage;
  const ended =
    text.length < (reply.text ?? "").length ? "length" : toolCalls.length > 0 ? "tool-calls" : "stop";
  const result: LanguageModelV4GenerateResult = {
    content: [
      ...(reasoning === "" ? [] : [{ type: "reasoning" as const, text: reasoning }]),
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...toolCalls,
    ],
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

/** An answer piece by piece, until it is whole or cut. */
async function* inPieces(
  { error, cutAfter, pieceMs, pieceLength = charactersPerToken }: ScriptedReply,
  { content, finishReason, usage, warnings }: LanguageModelV4GenerateResult,
  world: Pick<World, "timer">,
  signal: AbortSignal | undefined,
): AsyncGenerator<LanguageModelV4StreamPart> {
  let told = 0;
  yield { type: "stream-start", warnings };
  for (const [i, part] of content.entries()) {
    const id = String(i);
    if (part.type !== "text" && part.type !== "reasoning") {
      if (part.type === "tool-call") yield* toolInput(part.toolCallId, part.toolName, part.input);
      yield part as LanguageModelV4StreamPart; // whatever is no text stands in a stream as it is
      continue;
    }
    yield { type: `${part.type}-start`, id };
    for (let at = 0; at < part.text.length; at += pieceLength) {
      if (error !== undefined && told === cutAfter) throw error;
      if (told > 0 && pieceMs !== undefined) await delay(world, pieceMs, signal);
      signal?.throwIfAborted();
      told += 1;
      yield { type: `${part.type}-delta`, id, delta: part.text.slice(at, at + pieceLength) };
    }
    yield { type: `${part.type}-end`, id };
  }
  if (error !== undefined) throw error;
  yield { type: "finish", finishReason, usage };
}

function* toolInput(id: string, toolName: string, input: string): Generator<LanguageModelV4StreamPart> {
  yield { type: "tool-input-start", id, toolName };
  yield { type: "tool-input-delta", id, delta: input };
  yield { type: "tool-input-end", id };
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
