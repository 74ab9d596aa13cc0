/** What the recorded answer of a model says about the call, whichever of its two forms it has. */
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { convention } from "./conventions.ts";
import type { Attributes } from "./told.ts";

/** Finish reason, response id and model, and the finer counts of tokens, as far as the answer has them. */
export function answerAttributes(answer: Json): Attributes {
  const found: Attributes = {};
  if (!isJsonObject(answer)) return found;
  const put = (name: string, value: Json | undefined): void => {
    if (typeof value === "string" || typeof value === "number") found[name] = value;
  };
  const result = inside(answer, "result"); // of `ctx.model`: in the form of the provider interface
  const response = inside(result, "response");
  const { finish = inside(result, "finishReason").unified } = answer;
  if (typeof finish === "string") found[convention.finishReasons] = [finish];
  put(convention.responseId, answer.responseId ?? response.id);
  put(convention.responseModel, response.modelId);
  const usage = inside(result, "usage");
  const { cacheRead, cacheWrite } = inside(usage, "inputTokens");
  put(convention.cacheReadTokens, answer.cacheReadTokens ?? cacheRead);
  put(convention.cacheWriteTokens, answer.cacheWriteTokens ?? cacheWrite);
  put(convention.reasoningTokens, answer.reasoningTokens ?? inside(usage, "outputTokens").reasoning);
  return found;
}

function inside(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return isJsonObject(value) ? value : {};
}

/** The answer in the form that the conventions have for messages of a model. */
export function outputMessages(answer: Json): Json {
  if (!isJsonObject(answer)) return [];
  const result = inside(answer, "result");
  const parts = answer.parts ?? result.content;
  const finish = answer.finish ?? inside(result, "finishReason").unified ?? "stop";
  const content = Array.isArray(parts) ? parts.filter(isJsonObject).map(partOf) : [];
  return [{ role: "assistant", parts: content, finish_reason: finish }];
}

function partOf(part: JsonObject): JsonObject {
  if (part.type !== "tool-call") return { type: part.type ?? "text", content: part.text ?? "" };
  return {
    type: "tool_call",
    id: part.id ?? part.toolCallId ?? "",
    name: part.name ?? part.toolName ?? "",
    arguments: part.input ?? "",
  };
}
