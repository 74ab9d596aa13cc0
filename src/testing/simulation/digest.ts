/** Values as short texts: what simulated bodies return, and what results are compared by. */

/** Eight hexadecimal digits of a value, by FNV-1a (32 bits; G. Fowler, L. C. Noll, P. Vo). */
export function digest(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const char of textOf(value)) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** A number from the digest. */
export const numberOf = (value: unknown): number => Number.parseInt(digest(value), 16);

/**
 * A value as text, keys in order. Of a collected failure only the code counts: a cached result may bring along the
 * path of the place that made it.
 */
export function textOf(value: unknown): string {
  return JSON.stringify(normal(value)) ?? "undefined";
}

function normal(value: unknown): unknown {
  if (value === undefined) return "(undefined)";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(normal);
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (value instanceof Set) return ["set", ...[...value].map(normal)];
  if (value instanceof Map) return ["map", ...[...value].map(normal)];
  if (value instanceof Uint8Array) return ["bytes", ...value];
  const fields = value as Record<string, unknown>; // what is left of the storable values is a plain object
  if (fields.ok === false && typeof fields.error === "object") {
    return { ok: false, code: (fields.error as { code?: unknown }).code };
  }
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, normal(fields[key])]),
  );
}
