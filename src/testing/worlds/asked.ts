/** What a model is sent, as one who reads it takes it in. */
import type { Message } from "../../agents/messages.ts";

export interface Asked {
  readonly system: string;
  readonly examples: readonly { readonly question: string; readonly answer: string }[];
  readonly question: string;
  readonly tools: readonly AskedTool[];
  /** What tools have said since the question. */
  readonly results: readonly string[];
}

export interface AskedTool {
  readonly name: string;
  readonly description: string;
}

export function readAsked(
  messages: readonly Message[],
  tools: readonly { readonly name: string; readonly description?: string | undefined }[],
): Asked {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const before = messages.slice(0, Math.max(0, last));
  return {
    system: before.flatMap((one) => (one.role === "system" ? one.content : [])).join("\n"),
    examples: before.flatMap((one, i) => {
      const answer = before[i + 1];
      return one.role === "user" && answer?.role === "assistant"
        ? [{ question: textIn(one), answer: textIn(answer) }]
        : [];
    }),
    question: last < 0 ? "" : textIn(messages[last] as Message), // it is within the list
    tools: tools.map(({ name, description = "" }) => ({ name, description })),
    results: messages.slice(last + 1).flatMap(resultsIn),
  };
}

function textIn({ content }: Message): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function resultsIn(message: Message): string[] {
  if (message.role !== "tool") return [];
  return message.content.flatMap((part) =>
    part.type === "tool-result" && "value" in part.output ? String(part.output.value) : [],
  );
}
