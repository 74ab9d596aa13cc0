import { assign, decode } from "../core/codec.ts";
import { isBlobRef } from "../core/entries.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { decimalUsd, type Spent } from "../core/limits.ts";

/** A sum as people and programs read it: `costUsd` is an exact decimal, without the sign. */
export interface SpentView {
  readonly costUsd: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  /** Calls of tools, when there are any. */
  readonly toolCalls?: number;
}

export function spentView({ picoUsd, inputTokens, outputTokens, calls, toolCalls }: Spent): SpentView {
  const view = { costUsd: decimalUsd(picoUsd), inputTokens, outputTokens, calls };
  return toolCalls === 0 ? view : { ...view, toolCalls };
}

/**
 * Any value as plain JSON for reading: a Date as ISO text, a bigint as its digits, a Map with text keys as an object
 * (else as pairs), a Set as a list, bytes in base64, undefined as null (absent in objects). For eyes and for `jq`;
 * the journal's own form loses nothing, this one does.
 */
export function readable(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return value;
    case "bigint":
      return value.toString();
    case "object":
      return value === null ? null : readableObject(value);
    default:
      return null;
  }
}

function readableObject(value: object): Json {
  if (Array.isArray(value)) return value.map(readable);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Set) return [...value].map(readable);
  if (value instanceof Map) {
    const pairs = [...value];
    if (pairs.every(([key]) => typeof key === "string")) return fields(pairs as [string, unknown][]);
    return pairs.map(([key, one]) => [readable(key), readable(one)]);
  }
  return fields(Object.entries(value));
}

function fields(pairs: readonly (readonly [string, unknown])[]): Json {
  const copy: Record<string, Json> = {};
  for (const [key, value] of pairs) if (value !== undefined) assign(copy, key, readable(value));
  return copy;
}

/** A stored value as plain JSON for reading. One that was left in the store says how large it is. */
export function readableJson(json: Json | undefined): Json {
  if (json === undefined) return null;
  return readable(decode(marked(json)));
}

/** Values left aside become texts, before `decode` meets their tag. Data that only looks like one is wrapped, and stays. */
function marked(json: Json): Json {
  if (typeof json !== "object" || json === null) return json;
  if (isBlobRef(json)) return `(${json.size.toLocaleString("en")} characters, kept aside)`;
  if (Array.isArray(json)) return json.map(marked);
  const object = json as JsonObject; // what is left of Json
  if (object.$type === "object" && isJsonObject(object.value))
    return { $type: "object", value: parts(object.value) };
  return parts(object);
}

function parts(object: JsonObject): Json {
  const copy: Record<string, Json> = {};
  for (const [key, value] of Object.entries(object)) assign(copy, key, marked(value));
  return copy;
}

/** A model's name for people: nobody should take what `offline:` models pick from a text for an LLM's answer. */
export const modelText = (model: string): string =>
  model.startsWith("offline:") ? `${model} (not an LLM)` : model;
