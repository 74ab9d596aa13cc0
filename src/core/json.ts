/** A JSON value. What the journal stores is always one of these: see `codec.ts` for the richer values. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
