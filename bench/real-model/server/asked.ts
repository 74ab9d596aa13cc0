/** What a request asks and what an answer says, in one shape for both of OpenAI's wire formats. */

/** A turn of the conversation. */
export type Turn =
  | { readonly role: "system" | "user" | "assistant"; readonly text: string }
  | { readonly role: "call"; readonly name: string; readonly arguments: string }
  | { readonly role: "result"; readonly text: string };

/** A function the model may call. */
export interface Callable {
  readonly name: string;
  readonly description: string;
  readonly parameters: object;
}

export interface Asked {
  readonly api: "chat" | "responses";
  readonly model: string;
  readonly turns: readonly Turn[];
  readonly tools: readonly Callable[];
  /** The JSON Schema the answer is to fit. */
  readonly schema: object | undefined;
  /** The most output tokens. */
  readonly cap: number | undefined;
  readonly stop: readonly string[];
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  readonly stream: boolean;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface Said {
  readonly id: string;
  readonly model: string;
  readonly text: string;
  readonly calls: readonly Call[];
  readonly finish: "stop" | "length" | "tool_calls";
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** One of the two wire formats. */
export interface Wire {
  /** @throws Error for a request that is not understood. */
  read(body: Record<string, unknown>): Asked;
  document(said: Said): object;
  /** The events of a stream: at its start, before its first text if it has any, for each piece of text, at its end. */
  opening(id: string, model: string): readonly object[];
  firstDelta?(id: string): object;
  delta(id: string, model: string, text: string): object;
  closing(said: Said): readonly object[];
  /** The line that ends a stream, where there is one. */
  readonly last?: string;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Records in what should be a list. */
export const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

export const numberIn = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** A text, or the texts of a list of parts. Parts that are no text (images, files) are refused. */
export function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  return records(content)
    .map((part) => {
      if (typeof part.text === "string") return part.text;
      throw new Error(`this model reads text only, and was sent ${String(part.type)}`);
    })
    .join("");
}
