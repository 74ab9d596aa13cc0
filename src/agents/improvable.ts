/** What of an agent is plain data, so that a patch can change it: no functions, no models handed over as objects. */
import { InvalidOptionError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { AnyOptions } from "./agent-options.ts";

type Kind = "text" | "number" | "model" | "examples";

const fields: { readonly [field in keyof AnyOptions]?: Kind } = {
  system: "text",
  prompt: "text",
  model: "model",
  examples: "examples",
  temperature: "number",
  topP: "number",
  maxOutputTokens: "number",
  reasoning: "text",
};

/** The fields that are given as data. */
export function improvableIn(options: AnyOptions): JsonObject {
  const given = Object.entries(fields).flatMap(([field, kind]) => {
    const value = options[field as keyof AnyOptions] as Json | undefined; // `fits` says so
    return value !== undefined && fits(value, kind) ? [[field, value] as const] : [];
  });
  return Object.fromEntries(given);
}

/**
 * The options with other data in those fields. A field that is left out has its default again.
 *
 * @throws InvalidOptionError for a field that cannot be changed, or a value of the wrong kind.
 */
export function improvedOptions(name: string, options: AnyOptions, values: JsonObject): AnyOptions {
  for (const [field, value] of Object.entries(values)) {
    const kind = fields[field as keyof AnyOptions];
    const why = kind === undefined ? "cannot be changed by an overlay" : `takes ${words[kind]}`;
    if (kind === undefined || !fits(value, kind)) {
      throw new InvalidOptionError(`"${field}" of agent "${name}" ${why}`, {
        hint: `An overlay changes ${Object.keys(fields).join(", ")}.`,
      });
    }
  }
  const given = improvableIn(options);
  const rest = Object.entries(options).filter(([field]) => !Object.hasOwn(given, field));
  return { ...Object.fromEntries(rest), ...values } as AnyOptions; // what was there, and what was just looked at
}

const words: { readonly [kind in Kind]: string } = {
  text: "a text",
  number: "a number",
  model: 'the name of a model, as "openai:gpt-4o-mini", or a list of them',
  examples: "a list of { input, output }",
};

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "model":
      return isName(value) || (Array.isArray(value) && value.length > 0 && value.every(isName));
    case "examples":
      return Array.isArray(value) && value.every(isPlainExample);
  }
}

const isName = (value: unknown): boolean => typeof value === "string";

/** What JSON gives back as it was. */
const isPlainExample = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.keys(value).sort().join() === "input,output" &&
  isJson(value);

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value !== "object") return false;
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
}
