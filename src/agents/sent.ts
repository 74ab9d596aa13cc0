/** What a model is sent, as the journal keeps it for readers: words, and of an image or a file what it is. */
import type { SentMessage } from "../core/entries.ts";
import type { Message } from "./messages.ts";
import { textOf } from "./text.ts";

/** The messages as text. A message of tools becomes one for each result. */
export function sentMessages(messages: readonly Message[]): SentMessage[] {
  return messages.flatMap((message) => {
    const { role, content } = message;
    if (typeof content === "string") return [{ role, text: content }];
    if (role === "tool") return content.map(resultText);
    return [{ role, text: content.map(partText).join("\n") }];
  });
}

type Part = Exclude<Message["content"], string>[number];

function resultText(part: Part): SentMessage {
  if (part.type !== "tool-result") return { role: "tool", text: partText(part) };
  const { toolName: tool, output } = part;
  const text = "value" in output ? textOf(output.value) : ("reason" in output && output.reason) || "";
  const failed = output.type.startsWith("error") || output.type === "execution-denied";
  return { role: "tool", tool, text, ...(failed ? { failed } : {}) };
}

function partText(part: Part): string {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text;
    case "tool-call":
      return `${part.toolName}(${textOf(part.input)})`;
    case "file":
      return `(${[part.filename, part.mediaType].filter((text) => text !== undefined).join(", ")})`;
    default:
      return `(${part.type})`;
  }
}

/**
 * What of a body's conversations the journal does not have yet. Messages that an earlier call of the same name has sent are
 * left out, and so are the answers in between: they stand in the records of the calls that brought them.
 */
export class Unsent {
  readonly #sent = new Map<string, Map<string, number>>();

  take(callName: string, messages: readonly Message[]): SentMessage[] {
    const before = this.#sent.get(callName);
    const now = new Map<string, number>();
    const fresh = sentMessages(messages).filter((message) => {
      const text = JSON.stringify(message);
      const times = (now.get(text) ?? 0) + 1;
      now.set(text, times);
      return before === undefined || (message.role !== "assistant" && times > (before.get(text) ?? 0));
    });
    this.#sent.set(callName, now);
    return fresh;
  }
}
