/** What went to a model and came from it, as text, whichever of its forms the journal has. */
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

export interface MessageView {
  /** `to`: sent to the model. `from`: what it answered. */
  readonly direction: "to" | "from";
  readonly role: "system" | "user" | "assistant" | "tool";
  /** What it is, when it is no plain text: a model's thoughts, a call of a tool, a tool's result. */
  readonly kind?: "reasoning" | "tool-call" | "tool-result";
  /** Of which tool. */
  readonly tool?: string;
  readonly failed?: true;
  /** Of a tool's call: the arguments as the model wrote them. */
  readonly text: string;
}

/** The messages of a `budget-reserved` entry. */
export function sentViews(sent: Json | undefined): MessageView[] {
  if (!Array.isArray(sent)) return [];
  return sent.filter(isJsonObject).map(({ role, text, tool, failed }) => ({
    direction: "to",
    role: role as MessageView["role"], // a SentMessage, as it was written
    ...(typeof tool === "string" ? { kind: "tool-result", tool } : {}),
    ...(failed === true ? { failed } : {}),
    text: String(text),
  }));
}

/** The parts of a recorded answer; none of what is no answer in words. */
export function answerViews(answer: Json | undefined): MessageView[] {
  if (!isJsonObject(answer)) return [];
  const { parts = isJsonObject(answer.result) ? answer.result.content : undefined } = answer; // `ctx.model` keeps a result
  return Array.isArray(parts) ? parts.filter(isJsonObject).flatMap(partView) : [];
}

/** The beginning of an answer that was cut. */
export const cutView = (text: string): MessageView => ({ direction: "from", role: "assistant", text });

function partView(part: JsonObject): MessageView[] {
  const from = { direction: "from", role: "assistant" } as const;
  switch (part.type) {
    case "text":
      return [{ ...from, text: String(part.text ?? "") }];
    case "reasoning":
      return [{ ...from, kind: "reasoning", text: String(part.text ?? "") }];
    case "tool-call": {
      const { input = "" } = part;
      const text = typeof input === "string" ? input : JSON.stringify(input);
      return [{ ...from, kind: "tool-call", tool: String(part.name ?? part.toolName ?? ""), text }];
    }
    default:
      return [];
  }
}
