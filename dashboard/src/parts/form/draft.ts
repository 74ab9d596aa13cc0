/** What somebody has filled in so far, and the value it stands for. */
import type { Json } from "../../../../src/core/json.ts";
import type { Field } from "./field.ts";
import { jsonIn } from "./json-text.ts";

/** Texts as they were typed, also of numbers and JSON; of a choice the number of the chosen one, `""` for none. */
export type Draft = string | boolean | readonly Draft[] | { readonly [name: string]: Draft };

export function emptyDraft(field: Field): Draft {
  const { preset } = field;
  switch (field.kind) {
    case "truth":
      return preset === true;
    case "choice": {
      const at = preset === undefined ? -1 : field.choices.findIndex((choice) => same(choice, preset));
      return at < 0 ? (field.choices.length === 1 && !field.isOptional ? "0" : "") : String(at);
    }
    case "list":
      return [];
    case "object":
      return Object.fromEntries(field.fields.map(([name, inner]) => [name, emptyDraft(inner)]));
    case "json":
      return preset === undefined ? "" : JSON.stringify(preset, null, 2);
    default:
      return typeof preset === "string" || typeof preset === "number" ? String(preset) : "";
  }
}

const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);

/** `value` undefined: left out. Or what is wrong, by the path of the field (`""` for the whole). */
export type Filled = { readonly value: Json | undefined } | { readonly problem: string; readonly at: string };

export function answerOf(field: Field, draft: Draft, at = ""): Filled {
  const problem = (text: string): Filled => ({ problem: text, at });
  if (draft === "" && field.kind !== "text")
    return field.isOptional ? { value: undefined } : absent(field, at);
  switch (field.kind) {
    case "text":
      if (draft !== "" || (!field.isOptional && !field.isNullable)) return { value: String(draft) };
      return { value: field.isOptional ? undefined : null };
    case "number": {
      const n = Number(draft);
      if (!Number.isFinite(n)) return problem("a number is wanted");
      return field.isInteger && !Number.isInteger(n) ? problem("a whole number is wanted") : { value: n };
    }
    case "truth":
      return { value: draft === true };
    case "choice":
      return { value: field.choices[Number(draft)] };
    case "json":
      return jsonValue(String(draft)) ?? problem("this is not JSON yet");
    case "list":
      return listOf(field, draft as readonly Draft[], at); // as emptyDraft made it
    case "object":
      return objectOf(field, draft as { readonly [name: string]: Draft }, at); // as emptyDraft made it
  }
}

function jsonValue(text: string): Filled | undefined {
  const found = jsonIn(text);
  return found === undefined ? undefined : { value: found.json };
}

const absent = (field: Field, at: string): Filled =>
  field.isNullable ? { value: null } : { problem: "this is needed", at };

function listOf(field: Extract<Field, { kind: "list" }>, drafts: readonly Draft[], at: string): Filled {
  if (drafts.length === 0 && field.isOptional) return { value: undefined };
  const values: Json[] = [];
  for (const [i, draft] of drafts.entries()) {
    const filled = answerOf(field.of, draft, `${at}/${i}`);
    if ("problem" in filled) return filled;
    values.push(filled.value ?? null);
  }
  return { value: values };
}

function objectOf(
  field: Extract<Field, { kind: "object" }>,
  draft: { readonly [name: string]: Draft },
  at: string,
): Filled {
  const value: { [name: string]: Json } = {};
  for (const [name, inner] of field.fields) {
    const filled = answerOf(inner, draft[name] ?? emptyDraft(inner), `${at}/${name}`);
    if ("problem" in filled)
      return field.isOptional && isUntouched(field, draft) ? { value: undefined } : filled;
    if (filled.value !== undefined) value[name] = filled.value;
  }
  return field.isOptional && isUntouched(field, draft) ? { value: undefined } : { value };
}

const isUntouched = (field: Field, draft: Draft): boolean =>
  JSON.stringify(draft) === JSON.stringify(emptyDraft(field));
