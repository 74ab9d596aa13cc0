/** Values of strangers, taken as JSON or not at all. */
import { InvalidOptionError } from "../../core/errors.ts";
import { isJsonObject, type Json } from "../../core/json.ts";

const deepest = 32;
/** Of what a model has written. */
const largest = 1_000_000;

/**
 * A copy of what is JSON through and through; a sentence about what is not. Nothing of the value is kept, so that it can
 * change no more, and no name in it has a meaning to JavaScript.
 *
 * @param most characters and values in all. Default 1,000,000.
 */
export function plainJson(
  value: unknown,
  most: number = largest,
): { readonly json: Json } | { readonly fault: string } {
  let left = most;
  const copy = (one: unknown, depth: number): Json => {
    left -= typeof one === "string" ? one.length + 1 : 1;
    if (left < 0) throw new Fault(`it is larger than ${most} characters`);
    if (depth > deepest) throw new Fault(`it is nested deeper than ${deepest} levels`);
    if (one === null || typeof one === "boolean" || typeof one === "string") return one;
    if (typeof one === "number" && Number.isFinite(one)) return one;
    if (Array.isArray(one)) return Array.from(one, (inner: unknown) => copy(inner, depth + 1));
    if (typeof one !== "object" || !isPlain(one))
      throw new Fault(`it holds ${nameOf(one)}, which is no JSON`);
    const fields = Object.keys(one).map((key) => {
      if (key === "__proto__") throw new Fault('it holds a field "__proto__"');
      left -= key.length;
      return [key, copy((one as { readonly [key: string]: unknown })[key], depth + 1)] as const; // isPlain says so
    });
    return Object.fromEntries(fields);
  };
  try {
    return { json: copy(value, 0) };
  } catch (error) {
    return { fault: error instanceof Fault ? error.message : "it cannot be read" };
  }
}

class Fault extends Error {}

/** Characters of a file: hundreds of patches of long prompts. */
const largestFile = 100_000_000;

/**
 * What a file says.
 *
 * @throws InvalidOptionError when it is not JSON.
 */
export function jsonIn(text: string, name: string): Json {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new InvalidOptionError(`${name} is not JSON: ${(error as Error).message}`);
  }
  const plain = plainJson(given, largestFile);
  if ("fault" in plain) throw new InvalidOptionError(`${name} cannot be read: ${plain.fault}`);
  return plain.json;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

const nameOf = (value: unknown): string =>
  typeof value === "object" ? "an object of a class" : `a ${typeof value}`;

/** Words for what something is. */
export const kindOf = (value: Json | undefined): string => {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return isJsonObject(value) ? "an object" : `a ${typeof value === "string" ? "text" : typeof value}`;
};

const longestShown = 80;
/** A value, shortened, as JSON. */
export function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
}
