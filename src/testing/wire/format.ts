/** What a wire format is to a wire server: how a request is read, and how an answer is written. */

/** A request as its format understands it. */
export interface Asked {
  readonly model: string;
  /** The answer is wanted piece by piece. */
  readonly stream: boolean;
  /** A stream says at its end what it cost: in some formats only when asked to. */
  readonly streamUsage: boolean;
  /** All text of the conversation, joined by line ends. */
  readonly text: string;
  /** The output cap, from the field that the format's provider enforces. */
  readonly cap: number | undefined;
  /** The JSON Schema the answer is to fit, from where the format puts it. */
  readonly schema: unknown;
  /** The names of the tools on offer. */
  readonly tools: readonly string[];
  /** The texts whose vectors are wanted, and how long these are to be. */
  readonly values?: readonly string[];
  readonly dimensions?: number | undefined;
  /** How many images are wanted. */
  readonly images?: number | undefined;
}

/** Tokens as billed. What is cached is part of the input, reasoning part of the output. */
export interface Counts {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  readonly images: number;
}

/** What is answered, before it has a form. */
export interface Served {
  /** From 0: makes ids of its own for each answer. */
  readonly index: number;
  readonly asked: Asked;
  /** Shown before the answer; empty for none. */
  readonly thought: string;
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly input: object }[];
  readonly vectors: readonly (readonly number[])[];
  readonly pictures: readonly Buffer[];
  /** `length`: the cap cut it. */
  readonly end: "stop" | "length" | "tools";
  /** Undefined: the answer says nothing of what it cost. */
  readonly counts: Counts | undefined;
}

/** One server-sent event. */
export interface Frame {
  readonly event?: string;
  readonly data: object | "[DONE]";
}

export interface Refusal {
  readonly document: object;
  readonly headers?: { readonly [name: string]: string };
}

export type Body = { readonly [field: string]: unknown };

export interface WireFormat {
  readonly name:
    | "openai"
    | "openai.chat"
    | "anthropic"
    | "gemini"
    | "openai.embeddings"
    | "gemini.embeddings"
    | "vertex.embeddings"
    | "openai.images";
  /** Its usage tells tokens written to a cache apart. */
  readonly countsCacheWrites: boolean;
  /** Undefined: the path is none of this format's. */
  read(path: string, body: Body): Asked | undefined;
  document(served: Served): object;
  frames(served: Served): readonly Frame[];
  /** The answer with a status of 400 or above; `retryAfter`: what it asks the caller to wait, in seconds. */
  refusal(status: number, message: string, retryAfter: number | undefined): Refusal;
}

/** As a header, where most providers put it. */
export const retryHeader = (seconds: number | undefined) =>
  seconds === undefined ? {} : { headers: { "retry-after": String(seconds) } };

export const isRecord = (value: unknown): value is Body => typeof value === "object" && value !== null;
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The value some fields down; undefined when one of them is not there. */
export const at = (value: unknown, ...fields: readonly string[]): unknown =>
  fields.reduce<unknown>((inner, field) => (isRecord(inner) ? inner[field] : undefined), value);

/** Every text under one of the fields, however deep, in order. */
export function textsIn(value: unknown, fields: readonly string[]): string {
  const found: string[] = [];
  const walk = (inner: unknown, field: string): void => {
    if (typeof inner === "string") {
      if (fields.includes(field)) found.push(inner);
    } else if (Array.isArray(inner)) {
      for (const one of inner) walk(one, field);
    } else if (isRecord(inner)) {
      for (const [key, one] of Object.entries(inner)) walk(one, key);
    }
  };
  walk(value, "");
  return found.join("\n");
}

export const numberOr = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

/** A text in the pieces a stream sends it in. */
export const pieces = (text: string): readonly string[] => text.match(/[\s\S]{1,5}/g) ?? [];
