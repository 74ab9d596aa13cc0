import type { Json } from "../../core/json.ts";

/** A value as a dataset can expect it, in plain JSON: dates and bigints are texts, maps objects, sets lists, undefined null. */
export function plain(value: unknown): Json {
  const text = JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === "bigint") return one.toString();
    if (one instanceof Map) return Object.fromEntries(one);
    if (one instanceof Set) return [...one];
    if (one instanceof Uint8Array) return Buffer.from(one).toString("base64");
    return one;
  });
  return text === undefined ? null : (JSON.parse(text) as Json); // what JSON.parse makes is JSON
}
