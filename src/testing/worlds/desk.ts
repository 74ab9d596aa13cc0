/** An agent without an engine: it asks the model as the real one would, and counts what that costs. */
import type { AnswerPart } from "../../agents/call.ts";
import { type Message, opening, said, toolMessage } from "../../agents/messages.ts";
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import { answer, type ScriptedReply } from "../scripted-model.ts";
import { type Asked, type AskedTool, readAsked } from "./asked.ts";

/** One agent's request. */
export interface Request {
  readonly system: string;
  readonly question: string;
  readonly examples?: readonly { readonly input: string; readonly output: Json }[];
  readonly tools?: readonly DeskTool[];
}

export interface DeskTool extends AskedTool {
  readonly execute: (input: { readonly subject: string }) => string;
}

/** Pico-dollars a token: those of a scripted model's default price. */
const [inputPrice, outputPrice] = [1_000_000n, 2_000_000n];
/** How often an agent asks, unless it says otherwise. */
const mostTurns = 8;

export class Desk {
  readonly #reply: (asked: Asked) => ScriptedReply;
  readonly traces: Record<Path, string> = {};
  picoUsd = 0n;

  constructor(reply: (asked: Asked) => ScriptedReply) {
    this.#reply = reply;
  }

  /** What the agent answers. */
  ask(place: Path, { system, question, examples = [], tools = [] }: Request): string {
    const shown = examples.map(({ input, output }) => ({ prompt: input, output }));
    const messages = opening({ system, examples: shown, prompt: question, answer: undefined });
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const parts = this.#call(messages, tools);
      const calls = parts.filter((part) => part.type === "tool-call");
      if (calls.length === 0) {
        const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
        this.traces[place] = `${question}\n${text}`;
        return text;
      }
      const results = calls.map(({ name, input }) => {
        const found = tools.find((tool) => tool.name === name);
        return { ok: found !== undefined, text: found?.execute(JSON.parse(input)) ?? "" };
      });
      messages.push(...said({ parts, finish: "tool-calls" }), toolMessage(calls, results));
    }
    throw new Error(`${place} does not come to an end`);
  }

  #call(messages: readonly Message[], tools: readonly AskedTool[]): AnswerPart[] {
    const { result, usage } = answer(this.#reply(readAsked(messages, tools)), { prompt: [...messages] });
    this.picoUsd += inputPrice * BigInt(usage.inputTokens) + outputPrice * BigInt(usage.outputTokens);
    return result.content.flatMap((part): AnswerPart[] => {
      if (part.type === "text") return [{ type: "text", text: part.text }];
      if (part.type !== "tool-call") return [];
      return [{ type: "tool-call", id: part.toolCallId, name: part.toolName, input: part.input }];
    });
  }
}
