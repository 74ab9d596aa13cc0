import type { Asked } from "./asked.ts";

/** What the server needs of a model; `model.ts` is the one there is. */
export interface Voice {
  /** Tokens of the prompt, by the model's own tokenizer. */
  count(asked: Asked): number;
  /** How many tokens prompt and answer may have together. */
  readonly contextTokens: number;
  /**
   * Speaks: yields the text of each output token (empty while a character is incomplete), at most `cap` of them, and
   * stops soon after the signal fires. One at a time.
   */
  speak(
    asked: Asked,
    constraint: Constraint,
    cap: number,
    signal: AbortSignal,
  ): AsyncGenerator<string, Ending>;
}

/** What the answer is held to while it is made: nothing, the schema asked for, or a call of one of the tools. */
export type Constraint = "none" | "schema" | "call";

export interface Ending {
  readonly finish: "stop" | "length" | "aborted";
  /** Tokens of the prompt that were read before the end came. */
  readonly promptTokens: number;
  readonly outputTokens: number;
}
