/**
 * What a form asks, made of a JSON Schema (2020-12). What is simple becomes a field of its own; what is not is asked for
 * as JSON. The server checks every answer against the schema itself: a form only spares people from writing JSON.
 */
import type { Json, JsonObject } from "../../../../src/core/json.ts";

export type Field = Named &
  (
    | { readonly kind: "text"; readonly isLong: boolean; readonly format: string | undefined }
    | {
        readonly kind: "number";
        readonly isInteger: boolean;
        readonly min: number | undefined;
        readonly max: number | undefined;
      }
    | { readonly kind: "truth" }
    | { readonly kind: "choice"; readonly choices: readonly Json[] }
    | { readonly kind: "list"; readonly of: Field }
    | { readonly kind: "object"; readonly fields: readonly (readonly [name: string, field: Field])[] }
    | { readonly kind: "json" }
  );

interface Named {
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** Whether it may be left out, and whether null says so. */
  readonly isOptional: boolean;
  readonly isNullable: boolean;
  readonly preset: Json | undefined;
}

/** How deep a form goes before it asks for JSON; schemas may refer to themselves. */
const maxDepth = 5;

export const fieldOf = (schema: Json): Field => read(schema, schema, false, 0);

function read(schema: Json, root: Json, isOptional: boolean, depth: number): Field {
  const { inner, isNullable } = withoutNull(resolved(schema, root), root);
  const { title, description, default: preset } = inner;
  const named: Named = {
    title: textOr(title),
    description: textOr(description),
    isOptional,
    isNullable,
    preset,
  };
  return { ...named, ...shapeOf(inner, root, depth) } as Field; // a shape of the union, with its name
}

type Shape = Field extends infer F ? (F extends Named ? Omit<F, keyof Named> : never) : never;

function shapeOf(schema: JsonObject, root: Json, depth: number): Shape {
  const choices = choicesOf(schema, root);
  if (choices !== undefined) return { kind: "choice", choices };
  switch (depth < maxDepth ? schema.type : undefined) {
    case "string": {
      const longest = numberOr(schema.maxLength);
      return { kind: "text", isLong: longest === undefined || longest > 120, format: textOr(schema.format) };
    }
    case "integer":
    case "number":
      return {
        kind: "number",
        isInteger: schema.type === "integer",
        min: numberOr(schema.minimum),
        max: numberOr(schema.maximum),
      };
    case "boolean":
      return { kind: "truth" };
    case "array":
      if (schema.prefixItems !== undefined || schema.items === undefined) return { kind: "json" };
      return { kind: "list", of: read(schema.items, root, false, depth + 1) };
    case "object": {
      const { properties, required } = schema;
      if (!isObject(properties)) return { kind: "json" };
      const needed = Array.isArray(required) ? required : [];
      const fields = Object.entries(properties).map(
        ([name, field]) => [name, read(field, root, !needed.includes(name), depth + 1)] as const,
      );
      return { kind: "object", fields };
    }
    default:
      return { kind: "json" };
  }
}

/** The values of an `enum`, a `const`, or a union of such. */
function choicesOf(schema: JsonObject, root: Json): readonly Json[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  const union = unionOf(schema);
  if (union === undefined) return undefined;
  const parts = union.map((part) => choicesOf(resolved(part, root), root));
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function withoutNull(
  schema: JsonObject,
  root: Json,
): { readonly inner: JsonObject; readonly isNullable: boolean } {
  const union = unionOf(schema)?.map((part) => resolved(part, root));
  const others = union?.filter(({ type }) => type !== "null");
  if (union !== undefined && others?.length === 1 && union.length === 2) {
    const { anyOf: _, oneOf: __, ...about } = schema;
    return { inner: { ...about, ...others[0] }, isNullable: true };
  }
  const { type } = schema;
  if (Array.isArray(type) && type.length === 2 && type.includes("null"))
    return { inner: { ...schema, type: type.find((one) => one !== "null") ?? "null" }, isNullable: true };
  return { inner: schema, isNullable: false };
}

const unionOf = ({ anyOf, oneOf }: JsonObject): readonly Json[] | undefined => {
  const union = anyOf ?? oneOf;
  return Array.isArray(union) ? union : undefined;
};

/** A schema in the place of a reference to it; what cannot be found asks for anything. */
function resolved(schema: Json, root: Json): JsonObject {
  let found: Json | undefined = schema;
  for (let hops = 0; isObject(found) && typeof found.$ref === "string" && hops < 10; hops++) {
    if (!found.$ref.startsWith("#")) return {};
    const keys = found.$ref.slice(1).split("/").slice(1);
    found = keys.reduce<Json | undefined>((at, key) => (isObject(at) ? at[unescaped(key)] : undefined), root);
  }
  return isObject(found) ? found : {};
}

const unescaped = (key: string): string =>
  decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);
const textOr = (json: Json | undefined): string | undefined => (typeof json === "string" ? json : undefined);
const numberOr = (json: Json | undefined): number | undefined =>
  typeof json === "number" ? json : undefined;
