/** A form for an answer: made from what the answer must be, and read back into one. Pure; nothing here is markup. */
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** One thing to fill in. */
export interface Field {
  /** The name of its input: not the author's, which may be anything. */
  readonly input: string;
  /** The property of the answer. Empty: the answer itself. */
  readonly property: string;
  readonly label: string;
  readonly help: string | undefined;
  readonly kind: "text" | "number" | "choice";
  /** What there is to choose from. */
  readonly choices: readonly Json[];
  readonly required: boolean;
}

/** How an answer is given. */
export type Form =
  /** It is there already, and has to be confirmed. */
  | { readonly kind: "confirm"; readonly answer: unknown }
  /** Yes or no, and a note. */
  | { readonly kind: "approval" }
  | { readonly kind: "fields"; readonly fields: readonly Field[] }
  /** As JSON, where no simple form fits. */
  | { readonly kind: "json" };

/** What a browser sends. */
export interface Filled {
  readonly [input: string]: string;
}

/** What came of a form: an answer, which may still not fit its schema; or why it is none. */
export type Read = { readonly answer: unknown } | { readonly wrong: string };

const mostFields = 30;

/**
 * The form for a schema.
 *
 * @param schema JSON Schema, or the name of the library whose schema it is.
 */
export function formFor(schema: Json): Form {
  if (!isJsonObject(schema)) return { kind: "json" };
  const whole = fieldOf(schema, "", "f0", true);
  if (whole !== undefined) return { kind: "fields", fields: [whole] };
  const { type, properties } = schema;
  if (type !== "object" || !isJsonObject(properties) || isComposed(schema)) return { kind: "json" };
  const names = Object.keys(properties);
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = names.map((name, i) =>
    fieldOf(properties[name] ?? null, name, `f${i}`, required.includes(name)),
  );
  const known = fields.filter((field) => field !== undefined);
  const isSimple = known.length === names.length && names.length > 0 && names.length <= mostFields;
  return isSimple ? { kind: "fields", fields: known } : { kind: "json" };
}

function fieldOf(schema: Json, property: string, input: string, required: boolean): Field | undefined {
  if (!isJsonObject(schema) || isComposed(schema)) return undefined;
  const { type, title, description } = schema;
  const label = textIn(title) ?? (property === "" ? "Your answer" : property);
  const choices = choicesIn(schema);
  const kind =
    choices.length > 0 ? "choice" : type === "string" ? "text" : isNumber(type) ? "number" : undefined;
  if (kind === undefined) return undefined;
  return { input, property, label, help: textIn(description), kind, choices, required };
}

/** Numbers and texts; lists and objects are nothing to choose from. */
function choicesIn({ type, enum: among, const: only }: JsonObject): readonly Json[] {
  if (type === "boolean") return [true, false];
  const all = Array.isArray(among) ? among : only === undefined ? [] : [only];
  return all.every((choice) => typeof choice !== "object" || choice === null) ? all : [];
}

/** Whether it says more than a form can hold to. */
const isComposed = (schema: JsonObject): boolean =>
  ["anyOf", "oneOf", "allOf", "not", "if", "$ref", "patternProperties"].some((word) => word in schema);

/** Reads a form back. */
export function answerIn(form: Form, filled: Filled): Read {
  switch (form.kind) {
    case "confirm":
      return { answer: form.answer };
    case "approval": {
      const { approved, note = "" } = filled;
      if (approved !== "true" && approved !== "false") return { wrong: "Choose one: approve, or reject." };
      return { answer: { approved: approved === "true", ...(note.trim() === "" ? {} : { note }) } };
    }
    case "json":
      return jsonIn(filled.json ?? "");
    case "fields":
      return fieldsIn(form.fields, filled);
  }
}

function fieldsIn(fields: readonly Field[], filled: Filled): Read {
  const answer: [string, unknown][] = [];
  for (const field of fields) {
    const text = filled[field.input] ?? "";
    if (text === "" && (!field.required || field.kind !== "text")) {
      if (field.required) return { wrong: `${field.label}: it is needed.` };
      continue;
    }
    answer.push([field.property, valueIn(field, text)]);
  }
  const [first] = answer;
  return first?.[0] === "" ? { answer: first[1] } : { answer: Object.fromEntries(answer) };
}

/** What is no number, and no choice, stays the text it is: the schema says what is wrong with it. */
function valueIn({ kind, choices }: Field, text: string): unknown {
  if (kind === "choice") return choices[Number(text)] === undefined ? text : choices[Number(text)];
  const number = Number(text);
  return kind === "number" && Number.isFinite(number) ? number : text;
}

function jsonIn(text: string): Read {
  try {
    return { answer: JSON.parse(text) };
  } catch {
    return { wrong: "That is not JSON. A text stands in double quotes." };
  }
}

const isNumber = (type: Json | undefined): boolean => type === "number" || type === "integer";

const textIn = (json: Json | undefined): string | undefined => (typeof json === "string" ? json : undefined);
