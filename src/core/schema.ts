import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Path } from "./paths.ts";

/** Any Standard Schema: zod, Valibot, ArkType and others (https://standardschema.dev). */
export type Schema<In = unknown, Out = In> = StandardSchemaV1<In, Out>;
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** What a schema made of a value: the value it returned, or its complaints as lines. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: string[] };

/** Checks a value; never throws for a value that does not fit. */
export async function check(schema: Schema, value: unknown): Promise<Checked> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, issues: result.issues.map(issueLine) };
}

function issueLine(issue: StandardSchemaV1.Issue): string {
  const keys = issue.path?.map((part) => String(typeof part === "object" ? part.key : part)) ?? [];
  return keys.length > 0 ? `${keys.join(".")}: ${issue.message}` : issue.message;
}

/** Takes any value as it is. */
export const anything: Schema = {
  "~standard": { version: 1, vendor: "flujo", validate: (value) => ({ value }) },
};

/** "input of /q3 does not fit its schema: companies.0: expected string". */
export function misfit(
  what: "input" | "output" | "answer" | "signal",
  path: Path,
  issues: readonly string[],
): string {
  return `${what} of ${path} does not fit its schema: ${issues.join("; ")}`;
}
