import { canonical } from "../core/canonical.ts";
import type { Tool, ToolCall } from "./tool.ts";

/** What is done about a call: run it; tell the model that it repeats itself; stop, for it was told. */
export type Verdict = "run" | "tell" | "stop";

/** Counts the calls of a conversation that are the same: one tool, the same arguments. */
export class LoopGuard {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  #told = false;

  /** @param most how often the same call is run. */
  constructor(most: number) {
    this.#most = most;
  }

  judge(call: ToolCall, tools: readonly Tool[]): Verdict {
    if (tools.some(({ name, mayRepeat }) => mayRepeat && name === call.name)) return "run";
    const key = `${call.name} ${sameText(call.input)}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count <= this.#most ? "run" : this.#told ? "stop" : "tell";
  }

  /** The turn is over in which a model was told: from now on it knows. */
  turn(verdicts: readonly Verdict[]): void {
    if (verdicts.includes("tell")) this.#told = true;
  }
}

/** What the model reads in the place of a result. */
export const repetition = (call: ToolCall, most: number): string =>
  `You have called "${call.name}" with these arguments ${most === 1 ? "once" : `${most} times`} before. It was not called again. Do something else, or answer with what you have.`;

/** Arguments that differ in the order of their fields, or in white space, are the same. */
function sameText(input: string): string {
  try {
    return canonical(JSON.parse(input));
  } catch {
    return input.trim();
  }
}
