import type { Json } from "../../../../src/core/json.ts";

/** JSON as somebody typed it; undefined when it is none (yet). */
export function jsonIn(text: string): { readonly json: Json } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
