/** The messages of a conversation, as providers take them. */
import { type AnswerSchema, asAnswered } from "./answer-schema.ts";
import { type Prompt, userParts } from "./attachments.ts";
import type { Answer, AnswerPart } from "./call.ts";
import type { CallOptions } from "./language-model.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { textOf } from "./text.ts";

export type Message = CallOptions["prompt"][number];

/** What a conversation begins with. */
export interface Opening {
  readonly system: string | undefined;
  /** Pairs of a question and the answer it should have had. */
  readonly examples?: readonly { readonly prompt: Prompt; readonly output: unknown }[];
  readonly prompt: Prompt;
  readonly answer: AnswerSchema | undefined;
}

/** Said when the provider is told no schema; some take JSON answers only when the prompt speaks of JSON. */
const jsonOnly = "Answer with one JSON value and nothing else.";

export function opening({ system, examples = [], prompt, answer }: Opening): Message[] {
  const asked = answer !== undefined && answer.json === undefined ? [system, jsonOnly] : [system];
  const told = asked.filter((text) => text !== undefined && text !== "").join("\n\n");
  const shown = examples.flatMap(({ prompt, output }): Message[] => [
    userMessage(prompt),
    { role: "assistant", content: [{ type: "text", text: textOf(asAnswered(output, answer)) }] },
  ]);
  return [
    ...(told === "" ? [] : [{ role: "system" as const, content: told }]),
    ...shown,
    userMessage(prompt),
  ];
}

export const userMessage = (prompt: Prompt): Message => ({ role: "user", content: userParts(prompt) });

/** The answer as part of the conversation; providers take no empty message. */
export function said(answer: Answer): Message[] {
  const content = answer.parts.filter((part) => part.type === "tool-call" || part.text !== "").map(partSaid);
  return content.length === 0 ? [] : [{ role: "assistant", content }];
}

function partSaid(part: AnswerPart) {
  // Metadata came from the provider as its own options for this place.
  const back = part.metadata === undefined ? {} : { providerOptions: part.metadata as ProviderOptions };
  if (part.type !== "tool-call") return { type: part.type, text: part.text, ...back };
  const { id: toolCallId, name: toolName } = part;
  return { type: part.type, toolCallId, toolName, input: argumentsOf(part.input), ...back };
}

/** Arguments as the model wrote them; nothing where they are no JSON. */
export function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export function toolMessage(
  calls: readonly { id: string; name: string }[],
  results: readonly { ok: boolean; text: string }[],
): Message {
  const content = calls.map(({ id: toolCallId, name: toolName }, i) => ({
    type: "tool-result" as const,
    toolCallId,
    toolName,
    output: {
      type: results[i]?.ok ? ("text" as const) : ("error-text" as const),
      value: results[i]?.text ?? "",
    },
  }));
  return { role: "tool", content };
}
