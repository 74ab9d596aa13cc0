import { isJsonObject, type Json } from "./json.ts";

/**
 * One text for one value, whatever the order of its fields: RFC 8785. Lone surrogates, which that refuses, are written
 * as JSON escapes them, so that texts that differ stay apart. Fields that are undefined are left out.
 */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .filter((key) => value[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Json)}`); // it is there
  return `{${fields.join()}}`;
}
