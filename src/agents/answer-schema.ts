/** From a Standard Schema to what a provider is asked for, and from the text it answers back to a checked value. */
import type { JSONSchema7 } from "@ai-sdk/provider";
import { type Checked, check, type Schema } from "../core/schema.ts";
import { isRecord } from "./language-model.ts";

/** How an answer is asked for and read. */
export interface AnswerSchema {
  readonly schema: Schema;
  /** What the provider is told; undefined when the schema's library offers no JSON Schema. */
  readonly json: JSONSchema7 | undefined;
  /** The value is asked for as `{ "value": … }`, because providers take only objects at the top. */
  readonly wrapped: boolean;
}

export function answerSchema(schema: Schema): AnswerSchema {
  const json = inputJsonSchema(schema);
  if (json === undefined || json.type === "object") return { schema, json, wrapped: false };
  const { $schema: _, $defs, definitions, ...value } = json;
  if (JSON.stringify(value).includes('"$ref":"#"')) return { schema, json, wrapped: false };
  const shared = {
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
  const properties = { value };
  return {
    schema,
    json: { type: "object", properties, required: ["value"], additionalProperties: false, ...shared },
    wrapped: true,
  };
}

/** A value in the form it is asked for. */
export const asAnswered = (value: unknown, answer: AnswerSchema | undefined): unknown =>
  answer?.wrapped ? { value } : value;

/** The JSON Schema (draft 7) of what a schema accepts, where its library offers one by the Standard JSON Schema trait. */
export function inputJsonSchema(schema: Schema): JSONSchema7 | undefined {
  const standard: object = schema["~standard"];
  if (!("jsonSchema" in standard) || !isRecord(standard.jsonSchema)) return undefined;
  const { input } = standard.jsonSchema;
  if (typeof input !== "function") return undefined;
  try {
    const json: unknown = input({ target: "draft-07" });
    return isRecord(json) ? closed(json) : undefined;
  } catch {
    return undefined; // a schema JSON Schema cannot express, as one with a Date
  }
}

/** Objects with declared fields take no others: strict modes of providers ask for it to be said. */
function closed(json: Record<string, unknown>): Record<string, unknown> {
  const each = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(each) : isRecord(value) ? closed(value) : value;
  const copy = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, each(value)]));
  const open = isRecord(json.properties) && json.type === "object" && json.additionalProperties === undefined;
  return open ? { ...copy, additionalProperties: false } : copy;
}

/** The value of an answer's text, or what is wrong with it, as lines for the model to read. */
export async function readAnswer(text: string, answer: AnswerSchema): Promise<Checked> {
  const found = findJson(text);
  if (found === undefined) return { ok: false, issues: ["it is not JSON"] };
  const { value } = found;
  const inner = answer.wrapped && isRecord(value) && Object.hasOwn(value, "value") ? value.value : value;
  return check(answer.schema, inner);
}

/** The one JSON value of a text: all of it, in its one code fence, or the one object or array in prose around it. */
function findJson(text: string): { value: unknown } | undefined {
  const fences = text.split("```");
  const fenced = fences.length === 3 ? (fences[1] ?? "").replace(/^\w+\s/, "") : undefined;
  const first = text.search(/[{[]/);
  const last = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  const embedded = first >= 0 && last > first ? text.slice(first, last + 1) : undefined;
  for (const candidate of [text, fenced, embedded]) {
    if (candidate === undefined) continue;
    try {
      return { value: JSON.parse(candidate) };
    } catch {
      // the next candidate
    }
  }
  return undefined;
}
