/** What of an agent is plain data, so that an overlay can change it: no functions, no models handed over as objects. */
import { InvalidOptionError } from "../core/errors.ts";
import { type Improvable, type ImprovableFields, longestText } from "../core/improvable.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { AnyOptions } from "./agent-options.ts";
import type { Bounds, ImproveTerms } from "./improve-terms.ts";
import { defaultOutputTokens, defaultTurns } from "./models.ts";
import { placesOf } from "./template.ts";
import type { Tool } from "./tool.ts";

type Kind = "text" | "number" | "integer" | "model" | "examples" | "choice";

const kinds: { readonly [field in keyof AnyOptions]?: Kind } = {
  system: "text",
  prompt: "text",
  model: "model",
  examples: "examples",
  temperature: "number",
  topP: "number",
  maxOutputTokens: "integer",
  maxTurns: "integer",
  reasoning: "choice",
};

/** The description of a tool, as a field. */
const toolField = (name: string): string => `tool:${name}`;

/** The data of an agent: what is given, and what is not and may come. */
export function improvableIn(options: AnyOptions): ImprovableFields {
  const { improve = {} } = options;
  const terms: ImproveTerms = improve === false ? nothing : improve;
  const fields = Object.entries(kinds).flatMap(([field, kind]) => {
    const value = options[field as keyof AnyOptions] as Json | undefined; // `fits` says so
    if (value !== undefined && !fits(value, kind)) return []; // it is code, or an object
    const one = improvable(field, kind, value, terms);
    return value !== undefined || one.mayChange ? [[field, one] as const] : [];
  });
  const described = (options.tools ?? []).map(({ name, description }) => {
    const { tools = true } = terms;
    const mayChange = typeof tools === "boolean" ? tools : tools.includes(name);
    const text = { type: "text", value: description, mayChange, maxLength: longestText } as const;
    return [toolField(name), text] as const;
  });
  return Object.fromEntries<Improvable>([...fields, ...described]);
}

const nothing: ImproveTerms = { system: false, prompt: false, examples: false, tools: false };

function improvable(field: string, kind: Kind, given: Json | undefined, terms: ImproveTerms): Improvable {
  const value = given === undefined ? {} : { value: given };
  switch (field) {
    case "system":
      return { ...text(given), ...value, mayChange: terms.system ?? true };
    case "prompt": // one that is not given is the input itself: to write one is another thing than to better one
      return { ...text(given), ...value, mayChange: terms.prompt ?? given !== undefined, optional: true };
    case "examples": {
      const { examples = true } = terms;
      const max = typeof examples === "object" ? examples.max : mostExamples;
      return { type: "examples", ...value, mayChange: examples !== false, max, optional: true };
    }
    case "model": {
      const { model = [] } = terms;
      const choices = withFirst(given, model);
      return { type: "model", ...value, mayChange: model.length > 0, choices };
    }
    case "reasoning": {
      const { reasoning = [] } = terms;
      const choices = withFirst(given, reasoning);
      return { type: "choice", ...value, mayChange: reasoning.length > 0, choices, optional: true };
    }
    default: {
      const bounds = terms[field as "temperature"] as Bounds | undefined; // one of the numbers
      const type = kind === "integer" ? "integer" : "number";
      const standard = defaults[field];
      const known = given === undefined && standard !== undefined ? { value: standard } : value;
      return { type, ...known, mayChange: bounds !== undefined, ...bounds, optional: true };
    }
  }
}

const mostExamples = 16;

/** What holds where nothing is given, of the numbers whose default is known. */
const defaults: { readonly [field: string]: number } = {
  maxTurns: defaultTurns,
  maxOutputTokens: defaultOutputTokens.most,
};

const text = (value: Json | undefined) =>
  ({
    type: "text",
    maxLength: longestText,
    placeholders: typeof value === "string" ? [...new Set(placesOf(value))] : ["{{input}}"],
  }) as const;

/** What there is, and what else there may be, each once. */
function withFirst(value: Json | undefined, others: readonly Json[]): readonly Json[] {
  const all = [...(value === undefined ? [] : [value]), ...others];
  const texts = all.map((one) => JSON.stringify(one));
  return all.filter((_, i) => texts.indexOf(texts[i] as string) === i); // i is within it
}

/**
 * The options with other data in those fields. A field that is left out has its default again.
 *
 * @throws InvalidOptionError for a field that cannot be changed, or a value of the wrong kind.
 */
export function improvedOptions(name: string, options: AnyOptions, values: JsonObject): AnyOptions {
  const data = improvableIn(options);
  const tools = (options.tools ?? []).map((tool) => redescribed(tool, values));
  for (const [field, value] of Object.entries(values)) {
    if (tools.some((tool) => toolField(tool.name) === field) && fits(value, "text")) continue;
    const kind = Object.hasOwn(kinds, field) ? kinds[field as keyof AnyOptions] : undefined;
    if (kind !== undefined && fits(value, kind)) continue;
    const why = kind === undefined ? "cannot be changed by an overlay" : `takes ${words[kind]}`;
    throw new InvalidOptionError(`"${field}" of agent "${name}" ${why}`, {
      hint: `An overlay changes ${[...Object.keys(kinds), "tool:NAME"].join(", ")}.`,
    });
  }
  const rest = Object.entries(options).filter(([field]) => !Object.hasOwn(data, field));
  const own = Object.entries(values).filter(([field]) => Object.hasOwn(kinds, field));
  const described = options.tools === undefined ? {} : { tools };
  const changed: unknown = { ...Object.fromEntries([...rest, ...own]), ...described };
  return changed as AnyOptions; // what was there, and what was just looked at
}

/** A tool with the description that the values have for it. One that is left out stays as it is. */
function redescribed(tool: Tool, values: JsonObject): Tool {
  const description = values[toolField(tool.name)];
  return typeof description !== "string" || description === tool.description
    ? tool
    : Object.freeze({ ...tool, description });
}

const words: { readonly [kind in Kind]: string } = {
  text: "a text",
  number: "a number",
  integer: "a whole number from 1",
  model: 'the name of a model, as "openai:gpt-4o-mini", or a list of them',
  examples: "a list of { input, output }",
  choice: "a text",
};

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "text":
    case "choice":
      return typeof value === "string";
    case "number":
      return Number.isFinite(value);
    case "integer":
      return Number.isSafeInteger(value) && (value as number) >= 1; // the first part says so
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
