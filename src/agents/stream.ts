/** One streamed call of a model: its pieces as they come, and at the end the same answer as of a call in one piece. */
import type {
  LanguageModelV4,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Piece } from "../core/streamed.ts";
import type { CallOptions, LanguageModel } from "./language-model.ts";
import { isRecord } from "./language-model.ts";

/** Who listens to a stream. */
export interface Listener {
  /** Takes each piece of text, thought or tool call. */
  readonly hear: (piece: Piece) => void;
  /** Sees every part of the stream but its errors. */
  readonly onPart?: (part: LanguageModelV4StreamPart) => void;
}

/** An answer in one piece, as a model gives it. */
export type Result = LanguageModelV4GenerateResult;

/**
 * Calls and listens to the end.
 *
 * @throws what the provider throws, or sends as an error; an Error when the stream ends before the answer does.
 */
export async function streamOnce(
  model: LanguageModel,
  options: CallOptions,
  { hear, onPart }: Listener,
): Promise<Result> {
  // Specifications 2 and 3 name the parts of a stream as 4 does; they differ only in what their readers look at.
  const { stream } = await (model as LanguageModelV4).doStream(options);
  const answer = new Gathering(hear);
  for await (const part of stream) {
    if (part.type === "error") throw errorIn(part.error);
    answer.take(part);
    onPart?.(part);
  }
  return answer.whole();
}

/** Providers send errors as they are told them: often an object that is none. */
function errorIn(error: unknown): unknown {
  if (error instanceof Error) return error;
  const message = isRecord(error) ? error.message : error;
  return new Error(typeof message === "string" ? message : (JSON.stringify(error) ?? String(error)));
}

type Metadata = { providerMetadata?: Result["providerMetadata"] };
type Text = Extract<LanguageModelV4Content, { type: "text" | "reasoning" }>;

/** What has come so far. */
class Gathering {
  readonly #hear: Listener["hear"];
  readonly #content: LanguageModelV4Content[] = [];
  /** Texts and thoughts that have begun, by their kind and the provider's name for them. */
  readonly #texts = new Map<string, Text>();
  readonly #blocks = new Map<string, number>();
  #next = 0;
  #warnings: Result["warnings"] = [];
  #response: Result["response"];
  #end: Extract<LanguageModelV4StreamPart, { type: "finish" }> | undefined;

  constructor(hear: Listener["hear"]) {
    this.#hear = hear;
  }

  take(part: LanguageModelV4StreamPart): void {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        this.#begin(part.type === "text-start" ? "text" : "reasoning", part.id, part);
        return;
      case "text-delta":
      case "reasoning-delta":
        this.#add(part.type === "text-delta" ? "text" : "reasoning", part.id, part.delta, part);
        return;
      case "text-end":
      case "reasoning-end":
        note(this.#texts.get(`${part.type === "text-end" ? "text" : "reasoning"} ${part.id}`), part);
        return;
      case "tool-input-start":
        this.#block("tool-call", part.id);
        return;
      case "tool-input-delta":
        this.#say("tool-call", part.id, part.delta);
        return;
      case "stream-start":
        this.#warnings = part.warnings;
        return;
      case "response-metadata": {
        const { type: _, ...response } = part;
        this.#response = { ...this.#response, ...response };
        return;
      }
      case "finish":
        this.#end = part;
        return;
      case "tool-input-end":
      case "ping":
      case "raw":
      case "error":
        return;
      default:
        this.#content.push(part);
    }
  }

  /** @throws when it is not whole. */
  whole(): Result {
    const end = this.#end;
    if (end === undefined || isAbrupt(end)) throw new Error("the stream ended before the answer did");
    return {
      content: this.#content,
      finishReason: end.finishReason,
      usage: end.usage,
      warnings: this.#warnings,
      ...(end.providerMetadata === undefined ? {} : { providerMetadata: end.providerMetadata }),
      ...(this.#response === undefined ? {} : { response: this.#response }),
    };
  }

  #begin(type: Text["type"], id: string, from: Metadata): Text {
    const text: Text = { type, text: "" };
    this.#content.push(text);
    this.#texts.set(`${type} ${id}`, text);
    this.#block(type, id);
    note(text, from);
    return text;
  }

  #add(type: Text["type"], id: string, delta: string, from: Metadata): void {
    const text = this.#texts.get(`${type} ${id}`) ?? this.#begin(type, id, from);
    text.text += delta;
    note(text, from);
    this.#say(type, id, delta);
  }

  #block(kind: Piece["kind"], id: string): number {
    const block = this.#next++;
    this.#blocks.set(`${kind} ${id}`, block);
    return block;
  }

  #say(kind: Piece["kind"], id: string, chunk: string): void {
    this.#hear({ block: this.#blocks.get(`${kind} ${id}`) ?? this.#block(kind, id), kind, chunk });
  }
}

/** What was said last about a text counts for the whole of it. */
function note(text: Text | undefined, { providerMetadata }: Metadata): void {
  if (text !== undefined && providerMetadata !== undefined) text.providerMetadata = providerMetadata;
}

/** The connection was closed in order, and too early: providers say so, or give neither a reason nor a usage. */
function isAbrupt({ finishReason, usage }: Extract<LanguageModelV4StreamPart, { type: "finish" }>): boolean {
  const { unified, raw }: { unified?: unknown; raw?: unknown } = isRecord(finishReason)
    ? finishReason
    : { unified: finishReason };
  if (unified === "interrupted") return true;
  const isUnsaid = (unified === "other" || unified === "unknown") && raw === undefined;
  return isUnsaid && !hasTokens(usage?.outputTokens);
}

const hasTokens = (count: unknown): boolean =>
  isRecord(count) ? count.total !== undefined : count !== undefined;
