/**
 * Prompts with places to fill in: `Summarise {{input.title}} for {{state.audience}}.` There is no logic, and what is
 * filled in is text for ever: braces in it mean nothing.
 */
import { InvalidInputError, InvalidOptionError } from "../core/errors.ts";
import { isRecord } from "./language-model.ts";
import { textOf } from "./text.ts";

/** What a place may be filled from. */
export interface Filling {
  readonly input: unknown;
  readonly state: unknown;
}

/** A template read once. */
export interface Template {
  /** `system prompt of agent "summarise"`. */
  readonly what: string;
  readonly pieces: readonly (string | Place)[];
}

interface Place {
  /** As written: `input.title`. */
  readonly source: string;
  readonly root: keyof Filling;
  readonly keys: readonly string[];
  /** Written with `?`: nothing stands in the place of what is missing. */
  readonly optional: boolean;
}

const opening = /\\\{\{|\{\{/g;
const reference = /^(input|state)((?:\.[^\s.[\]{}?]+|\[\d+\])*)(\?)?$/;

/**
 * Reads a template.
 *
 * @throws InvalidOptionError for braces that hold anything but `input…` or `state…`.
 */
export function template(text: string, what: string): Template {
  const pieces: (string | Place)[] = [];
  let at = 0;
  for (;;) {
    opening.lastIndex = at;
    const found = opening.exec(text);
    if (found === null) break;
    pieces.push(text.slice(at, found.index));
    if (found[0] !== "{{") {
      pieces.push("{{"); // it was written \{{
      at = opening.lastIndex;
      continue;
    }
    const end = text.indexOf("}}", opening.lastIndex);
    const source = text.slice(opening.lastIndex, end < 0 ? undefined : end).trim();
    const match = end < 0 ? null : reference.exec(source);
    if (match === null) throw unreadable(what, source);
    const [, root, path = "", optional] = match;
    const keys = [...path.matchAll(/[^.[\]]+/g)].map(([key]) => key);
    pieces.push({ source, root: root as keyof Filling, keys, optional: optional !== undefined }); // one of the two
    at = end + 2;
  }
  pieces.push(text.slice(at));
  return { what, pieces: pieces.filter((piece) => piece !== "") };
}

/**
 * The text of a template.
 *
 * @throws InvalidInputError for a field that is not there, naming `path`, the field, and those that are.
 */
export function filled({ what, pieces }: Template, filling: Filling, path: string): string {
  return pieces
    .map((piece) => (typeof piece === "string" ? piece : fill(piece, filling, what, path)))
    .join("");
}

function fill(place: Place, filling: Filling, what: string, path: string): string {
  let value: unknown = filling[place.root];
  let reached: string = place.root;
  for (const key of place.keys) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) {
      if (place.optional) return "";
      throw absent(place, what, path, `${reached} has no "${key}"${fieldsOf(value)}`);
    }
    value = value[key];
    reached += `.${key}`;
  }
  if (value === undefined || (value === null && place.optional)) {
    if (place.optional) return "";
    throw absent(place, what, path, `${reached} is undefined`);
  }
  return textOf(value);
}

/** The places of a template in their order, as it writes them: `{{input.title}}`. Undefined: it is none that can be read. */
export function placesOf(text: string): readonly string[] | undefined {
  try {
    const { pieces } = template(text, "text");
    return pieces.flatMap((piece) => (typeof piece === "string" ? [] : [`{{${piece.source}}}`]));
  } catch {
    return undefined;
  }
}

/** The places of a template that values of a JSON Schema can never fill, as sentences. */
export function neverFilled({ what, pieces }: Template, inputSchema: object | undefined): readonly string[] {
  return pieces.flatMap((piece) => {
    if (typeof piece === "string" || piece.root !== "input" || piece.optional) return [];
    let schema: unknown = inputSchema;
    for (const key of piece.keys) {
      if (!isRecord(schema) || !isRecord(schema.properties) || schema.additionalProperties !== false)
        return [];
      if (!Object.hasOwn(schema.properties, key))
        return [
          `the ${what} has {{${piece.source}}}, and its input has no "${key}"${fieldsOf(schema.properties)}`,
        ];
      schema = schema.properties[key];
    }
    return [];
  });
}

/** The most field names an error lists. */
const mostFields = 12;

function fieldsOf(value: unknown): string {
  if (!isRecord(value) || Array.isArray(value)) return "";
  const names = Object.keys(value);
  if (names.length === 0) return " (it has no fields)";
  const rest = names.length > mostFields ? ", …" : "";
  return ` (it has ${names.slice(0, mostFields).join(", ")}${rest})`;
}

const absent = (place: Place, what: string, path: string, why: string): InvalidInputError =>
  new InvalidInputError(`the ${what} has {{${place.source}}}, and at ${path} ${why}`, {
    path,
    hint: `Correct the template, or write {{${place.source}?}} for what may be missing.`,
  });

const unreadable = (what: string, source: string): InvalidOptionError =>
  new InvalidOptionError(
    `the ${what} has {{${source.slice(0, 60)}}}, which names no part of the input or state`,
    {
      hint: "Write {{input.title}}, {{input.lines[0]}} or {{state.audience}}; for two braces as they are, write \\{{.",
    },
  );
