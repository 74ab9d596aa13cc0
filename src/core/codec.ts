/**
 * Values as the journal holds them: JSON, and tagged objects for Date, Map, Set, bigint, Uint8Array and undefined.
 *
 *     encode(new Date(0))   { "$type": "date", "value": "1970-01-01T00:00:00.000Z" }
 *
 * An object that has a `$type` key of its own is wrapped as `{ "$type": "object", "value": … }`, so data can never
 * pose as a tag. `decode` always makes a fresh copy: whoever receives a value may change it without touching the
 * record.
 */
import { UnstorableValueError } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";

/** Levels of nesting a value may have. */
export const maxDepth = 1_000;

/** A value in stored form, and its rough size: characters of text plus eight a scalar. */
export interface Encoded {
  readonly json: Json;
  readonly size: number;
}

/**
 * The stored form of a value.
 *
 * @param what names the value in the error: `"output of /q3/fetch"`.
 * @param known objects whose stored form is at hand: it is used as it is.
 * @throws UnstorableValueError naming the field, for a function, symbol, class instance, NaN, cycle.
 */
export function encode(value: unknown, what: string, path?: string, known?: WeakMap<object, Json>): Encoded {
  const tally: Tally = { size: 0, known };
  try {
    return { json: plain(value, 0, tally), size: tally.size };
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error;
    const found = explain(value, "", []);
    throw new UnstorableValueError(
      `${what} cannot be stored: ${found?.field || "the value"} is ${found?.why ?? error.message}`,
      {
        path,
        hint: "Return JSON, Date, Map, Set, bigint, Uint8Array or undefined; turn anything else into one of these first.",
      },
    );
  }
}

class Unstorable extends Error {}

interface Tally {
  size: number;
  readonly known: WeakMap<object, Json> | undefined;
}

function plain(value: unknown, depth: number, tally: Tally): Json {
  switch (typeof value) {
    case "string":
      tally.size += value.length + 2;
      return value;
    case "boolean":
      tally.size += 5;
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new Unstorable(String(value));
      tally.size += 8;
      return value;
    case "undefined":
      tally.size += 21;
      return { $type: "undefined" };
    case "bigint": {
      const text = value.toString();
      tally.size += text.length + 28;
      return { $type: "bigint", value: text };
    }
    case "object":
      if (value === null) return null;
      if (tally.known !== undefined) {
        const known = tally.known.get(value);
        if (known !== undefined) return known;
      }
      if (depth >= maxDepth) throw new Unstorable("too deep");
      return Array.isArray(value) ? plainArray(value, depth, tally) : plainObject(value, depth, tally);
    default:
      throw new Unstorable(typeof value);
  }
}

function plainArray(value: readonly unknown[], depth: number, tally: Tally): Json {
  tally.size += 2;
  const copy: Json[] = new Array(value.length);
  for (let i = 0; i < value.length; i++) {
    tally.size += 1;
    copy[i] = plain(value[i], depth + 1, tally);
  }
  return copy;
}

function plainObject(value: object, depth: number, tally: Tally): Json {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return tagged(value, depth, tally);
  if (prototype !== null && prototype !== Object.prototype && prototype.constructor?.name !== "Object") {
    throw new Unstorable("a class instance");
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw new Unstorable("a symbol key");
  const copy: Record<string, Json> = {};
  tally.size += 2;
  for (const key of Object.keys(value)) {
    tally.size += key.length + 4;
    const part = plain((value as Record<string, unknown>)[key], depth + 1, tally);
    if (key === "__proto__") assign(copy, key, part);
    else copy[key] = part;
  }
  return Object.hasOwn(copy, "$type") ? { $type: "object", value: copy } : copy;
}

function tagged(value: object, depth: number, tally: Tally): Json {
  tally.size += 28;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Unstorable("an invalid Date");
    return { $type: "date", value: value.toISOString() };
  }
  if (value instanceof Map) {
    const entries = [...value].map((pair) => plainArray(pair, depth + 1, tally));
    return { $type: "map", value: entries };
  }
  if (value instanceof Set) return { $type: "set", value: plainArray([...value], depth + 1, tally) };
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    tally.size += text.length;
    return { $type: "bytes", value: text };
  }
  throw new Unstorable("a class instance");
}

/** The rough size of a stored form, as `encode` tells it; of one that is larger than `enough`, at least that it is. */
export function sizeOf(json: Json, enough = Number.POSITIVE_INFINITY): number {
  if (typeof json === "string") return json.length + 2;
  if (typeof json !== "object" || json === null) return 8;
  let size = 2;
  if (Array.isArray(json)) {
    for (let i = 0; i < json.length && size <= enough; i++)
      size += sizeOf(json[i] as Json, enough - size) + 1;
    return size;
  }
  for (const key in json) {
    size += key.length + 4 + sizeOf((json as JsonObject)[key] as Json, enough - size);
    if (size > enough) return size;
  }
  return size;
}

/** A fresh value from its stored form. */
export function decode(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(decode);
  const tag = (json as JsonObject).$type;
  return typeof tag === "string"
    ? untagged(tag, (json as JsonObject).value as Json)
    : decodeObject(json as JsonObject);
}

function decodeObject(json: JsonObject): object {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(json)) assign(copy, key, decode(json[key] as Json));
  return copy;
}

function untagged(tag: string, value: Json): unknown {
  switch (tag) {
    case "undefined":
      return undefined;
    case "bigint":
      return BigInt(value as string);
    case "date":
      return new Date(value as string);
    case "map":
      return new Map((value as readonly [Json, Json][]).map(([k, v]) => [decode(k), decode(v)]));
    case "set":
      return new Set((value as readonly Json[]).map(decode));
    case "bytes":
      return new Uint8Array(Buffer.from(value as string, "base64"));
    case "object":
      return decodeObject(value as JsonObject);
    default:
      throw new UnstorableValueError(`a stored value has the unknown tag "${tag}"`, {
        hint: "It was written by a newer Flujo, or the store is damaged.",
      });
  }
}

/** Sets an own property; `__proto__` becomes a plain key, as in JSON.parse. */
export function assign<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** The slow second look, for the error: which field, and why. */
function explain(value: unknown, field: string, above: object[]): { field: string; why: string } | undefined {
  if (typeof value === "function") return { field, why: `a function${value.name ? ` (${value.name})` : ""}` };
  if (typeof value === "symbol") return { field, why: "a symbol" };
  if (typeof value === "number" && !Number.isFinite(value)) return { field, why: String(value) };
  if (typeof value !== "object" || value === null) return undefined;
  if (above.includes(value)) return { field, why: "a cycle: it contains itself" };
  if (above.length >= maxDepth) return { field: "a field", why: `nested more than ${maxDepth} levels deep` };
  const inside = [...above, value];
  for (const [key, part] of parts(value)) {
    const found = explain(part, field === "" ? key : `${field}.${key}`, inside);
    if (found) return found;
  }
  try {
    Array.isArray(value) || plainObject(value, maxDepth - 1, { size: 0, known: undefined });
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error;
    if (error.message === "a class instance") {
      return { field, why: `an instance of ${value.constructor?.name || "a class"}` };
    }
    if (error.message !== "too deep") return { field, why: error.message };
  }
  return undefined;
}

function parts(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([k, v]) => [String(k), v]);
  if (value instanceof Set) return [...value].map((v, i) => [String(i), v]);
  if (value instanceof Date || value instanceof Uint8Array) return [];
  return Object.entries(value);
}
