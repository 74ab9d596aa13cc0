import { canonical } from "../../core/canonical.ts";
import { schemaFact } from "../../core/fingerprint.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { check, type Schema } from "../../core/schema.ts";
import { expectedOf, quoted, type Score, type Scorer, scorer, textOf, verdict } from "./scorer.ts";

/** How far from the expected number an answer may be: whichever of both allows more. */
export interface Tolerance {
  /** In the number's own unit. Default 0. */
  readonly absolute?: number;
  /** As a part of the expected number. Default 1e-9. */
  readonly relative?: number;
}

/**
 * Right when the answer is the expected number, or nearly. A text is taken for the last number in it: "that makes $1,200.50"
 * is 1200.5.
 *
 * ```ts
 * const scorers = [numeric({ relative: 0.01 })];
 * ```
 */
export function numeric(tolerance: Tolerance = {}): Scorer {
  return scorer(
    "numeric",
    (answer) => {
      const [wanted, got] = [numberIn(expectedOf(answer)), numberIn(answer.output)];
      if (wanted === undefined) throw new Error(`${quoted(expectedOf(answer))} is no number`);
      if (got === undefined) return { score: 0, feedback: `there is no number in ${quoted(answer.output)}` };
      return verdict(
        isNear(got, wanted, tolerance),
        `${got} is near enough`,
        `expected ${wanted}, got ${got}`,
      );
    },
    { version: { ...tolerance } },
  );
}

const isNear = (got: number, wanted: number, { absolute = 0, relative = 1e-9 }: Tolerance): boolean =>
  Math.abs(got - wanted) <= Math.max(absolute, relative * Math.abs(wanted));

function numberIn(value: Json): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  const found = value.match(/[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?/gi)?.at(-1);
  return found === undefined ? undefined : Number(found.replaceAll(",", "").replace("−", "-"));
}

/** How JSON answers are compared. */
export interface JsonOptions {
  /** Only these fields, of objects; `"address.city"` is one within another. Default: all that are expected. */
  readonly fields?: readonly string[];
  /** Numbers may differ by so much. Default: not at all. */
  readonly tolerance?: Tolerance;
  /** Fields that nobody expected are faults. Default false. */
  readonly strict?: boolean;
}

/**
 * How many of the expected fields are right, each by itself: `parts` says which. A text that is JSON is read first.
 *
 * ```ts
 * const scorers = [json({ tolerance: { relative: 0.01 } })];
 * ```
 */
export function json(options: JsonOptions = {}): Scorer {
  const { fields, tolerance, strict = false } = options;
  return scorer(
    "json",
    (answer) => {
      const [wanted, got] = [leaves(parsed(expectedOf(answer))), leaves(parsed(answer.output))];
      const isAsked = (field: string): boolean =>
        fields === undefined || fields.some((one) => field === one || field.startsWith(`${one}.`));
      const parts: Record<string, number> = Object.create(null); // fields may have any name
      const wrong: string[] = [];
      for (const [field, value] of wanted) {
        if (!isAsked(field)) continue;
        const is = got.get(field);
        const isRight = is !== undefined && isSame(is, value, tolerance);
        parts[field] = Number(isRight);
        if (!isRight)
          wrong.push(
            `${field || "the value"}: expected ${quoted(value)}, got ${is === undefined ? "nothing" : quoted(is)}`,
          );
      }
      for (const field of strict ? got.keys() : []) {
        if (wanted.has(field) || !isAsked(field)) continue;
        parts[field] = 0;
        wrong.push(`${field}: nobody expected it`);
      }
      return fieldwise(parts, wrong);
    },
    {
      version: {
        strict,
        ...(tolerance === undefined ? {} : { tolerance: { ...tolerance } }),
        ...(fields === undefined ? {} : { fields: [...fields] }),
      },
    },
  );
}

function fieldwise(parts: { readonly [field: string]: number }, wrong: readonly string[]): Score {
  const scores = Object.values(parts);
  const score = scores.length === 0 ? 1 : scores.reduce((sum, one) => sum + one, 0) / scores.length;
  return {
    score,
    feedback: wrong.length === 0 ? "all fields as expected" : wrong.join("; "),
    parts: { ...parts },
  };
}

function isSame(got: Json, wanted: Json, tolerance: Tolerance | undefined): boolean {
  if (tolerance !== undefined && typeof got === "number" && typeof wanted === "number")
    return isNear(got, wanted, tolerance);
  return canonical(got) === canonical(wanted);
}

/** A value's innermost values by their fields: `address.city`, `lines.0`. Empty objects and lists are values. */
function leaves(value: Json, at = "", found = new Map<string, Json>()): Map<string, Json> {
  const entries =
    Array.isArray(value) || isJsonObject(value) ? Object.entries(value as JsonObject | Json[]) : [];
  if (entries.length === 0) found.set(at, value);
  for (const [key, inner] of entries) leaves(inner, at === "" ? key : `${at}.${key}`, found);
  return found;
}

function parsed(value: Json): Json {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as Json; // what JSON.parse makes is JSON
  } catch {
    return value;
  }
}

/**
 * Right when the answer fits a schema: zod, Valibot, ArkType or another Standard Schema. A text that is JSON is read first.
 *
 * ```ts
 * const scorers = [fits(z.object({ total: z.number() }))];
 * ```
 */
export function fits(schema: Schema): Scorer {
  return scorer(
    "fits",
    async ({ output }) => {
      let result = await check(schema, output);
      if (!result.ok && parsed(output) !== output) result = await check(schema, parsed(output));
      return result.ok
        ? { score: 1, feedback: "it fits its schema" }
        : { score: 0, feedback: `${textOf(quoted(output))} does not fit: ${result.issues.join("; ")}` };
    },
    { version: schemaFact(schema) },
  );
}
