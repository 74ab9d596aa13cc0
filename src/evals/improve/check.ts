/** Patches of strangers: a model has written them, and they are to be tried, applied and kept. */
import { placesOf } from "../../agents/template.ts";
import { canonical } from "../../core/canonical.ts";
import type { Improvable } from "../../core/improvable.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import type { Path } from "../../core/paths.ts";
import { equal } from "../../core/state.ts";
import type { Case } from "../dataset/case.ts";
import { type ImprovablesDocument, patchBetween, type Values, valuesOf } from "./document.ts";
import { leaksIn } from "./leaks.ts";
import { applying, operationsIn } from "./operations.ts";
import { kindOf, plainJson, shown } from "./untrusted.ts";

export interface CheckPatchOptions {
  /** The cases that texts must not tell and examples may be taken from. */
  readonly training: readonly Case[];
  /** A text may grow to so many times its length, and `growthSlack` characters more: from 1. Default 4. */
  readonly maxGrowth?: number | undefined;
  /** Inputs that agents were handed in trials of training cases: examples may show them, too. */
  readonly observed?: readonly Json[] | undefined;
}

export type CheckedPatch =
  | {
      readonly ok: true;
      /** The same change in its one form: `test`s that pin what it changes, then the changes. */
      readonly patch: Overlay;
      /** All values of the document under it. */
      readonly values: JsonObject;
    }
  /** Sentences, all that is wrong at once. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** So much a short text may grow beside: in UTF-16 units. */
export const growthSlack = 4_000;
/** The most text in all examples of one place, as JSON. */
const longestExamples = 100_000;
/** No list of faults is longer: whoever reads it is to correct a patch, not to count. */
const mostFaults = 50;

/**
 * Whether a patch may be tried: it is an RFC 6902 patch of `add`, `replace`, `remove` and `test` over known fields that
 * their owner lets change; what comes of it fits types, bounds and choices; texts keep their placeholders, do not grow
 * beyond measure, and tell no training case word for word; examples are training cases. A patch that passes is one that a
 * pipeline takes.
 *
 * ```ts
 * const document = documentOf(greet);
 * const patch = [{ op: "replace", path: "/~1hello~1greet/system", value: "Greet in one short sentence." }];
 * const checked = await checkPatch(document, patch, { training: [] });
 * if (!checked.ok) console.log(checked.faults.join("\n"));
 * ```
 *
 * @param patch anything at all: whatever it is, nothing is thrown.
 */
export async function checkPatch(
  document: ImprovablesDocument,
  patch: unknown,
  options: CheckPatchOptions,
): Promise<CheckedPatch> {
  const read = plainJson(patch);
  if ("fault" in read) return refused([`the patch is no JSON: ${read.fault}`]);
  const operations = operationsIn(read.json, document);
  if ("faults" in operations) return refused(operations.faults);
  const base = valuesOf(document) as Values; // by place and field
  const applied = await applying(base, operations.list);
  if ("faults" in applied) return refused(applied.faults);
  const faults = changedFields(document, base, applied.values).flatMap(({ place, field, before, after }) => {
    const improvable = document.places[place]?.[field] as Improvable; // operationsIn has seen it
    const texts = allTexts(base);
    return faultsOf(improvable, before, after, texts, options).map(
      (what) => `${JSON.stringify(field)} of ${place} ${what}`,
    );
  });
  if (faults.length > 0) return refused(faults);
  return { ok: true, patch: patchBetween(base, applied.values), values: applied.values as JsonObject };
}

const refused = (faults: readonly string[]): CheckedPatch => ({
  ok: false,
  faults: faults.slice(0, mostFaults),
});

interface FieldChange {
  readonly place: Path;
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

function changedFields({ places }: ImprovablesDocument, base: Values, values: Values): FieldChange[] {
  return Object.entries(places).flatMap(([place, fields]) =>
    Object.keys(fields).flatMap((field) => {
      const [before, after] = [base[place]?.[field], values[place]?.[field]];
      const isSame =
        before === after || (before !== undefined && after !== undefined && equal(before, after));
      return isSame ? [] : [{ place, field, before, after }];
    }),
  );
}

const allTexts = (values: Values): string[] =>
  Object.values(values)
    .flatMap((fields) => Object.values(fields))
    .filter((value) => typeof value === "string");

/** What is wrong with a value that has come in the place of another; undefined stands for a default. */
function faultsOf(
  improvable: Improvable,
  before: Json | undefined,
  after: Json | undefined,
  known: readonly string[],
  options: CheckPatchOptions,
): readonly string[] {
  if (after === undefined) return improvable.optional ? [] : ["is removed, and has no default"];
  switch (improvable.type) {
    case "text":
      return wrongText(improvable, before, after, known, options);
    case "examples":
      return wrongExamples(improvable, before, after, options);
    case "number":
    case "integer":
      return wrongNumber(improvable, after);
    case "model":
    case "choice":
      return improvable.choices?.some((one) => equal(one, after))
        ? []
        : [`is ${shown(after)}; it may be ${improvable.choices?.map(shown).join(" or ") ?? "what it is"}`];
  }
}

function wrongNumber({ type, min, max }: Improvable, value: Json): readonly string[] {
  if (typeof value !== "number") return [`is ${kindOf(value)}; it takes a number`];
  if (type === "integer" && !Number.isSafeInteger(value)) return [`is ${value}; it takes a whole number`];
  const [least, most] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
  return value >= least && value <= most ? [] : [`is ${value}; it takes ${least} to ${most}`];
}

function wrongText(
  { maxLength = Number.POSITIVE_INFINITY, placeholders }: Improvable,
  before: Json | undefined,
  after: Json,
  known: readonly string[],
  { training, maxGrowth = 4 }: CheckPatchOptions,
): readonly string[] {
  if (typeof after !== "string") return [`is ${kindOf(after)}; it takes a text`];
  const faults: string[] = [];
  if (after.trim() === "") faults.push("is empty");
  if (!after.isWellFormed() || unprintable.test(after)) faults.push("holds characters that are no text");
  const length = typeof before === "string" ? before.length : 0;
  const most = Math.min(maxLength, Math.floor(length * maxGrowth) + growthSlack);
  if (after.length > most) return [...faults, `has ${after.length} characters; it may grow to ${most}`];
  const old = typeof before === "string" ? before : "";
  const hidden = after.match(unseen)?.find((char) => !old.includes(char));
  if (hidden !== undefined)
    faults.push(`holds U+${hidden.codePointAt(0)?.toString(16).toUpperCase()}, which nobody sees`);
  if (placeholders !== undefined)
    faults.push(...wrongPlaceholders(after, placeholders, placesOf(old)?.length ?? 0));
  const leaks = leaksIn(after, training, known);
  return [
    ...faults,
    ...leaks.map(
      ({ caseId, run }) => `tells the training case ${shown(caseId)} word for word: ${shown(run)}`,
    ),
  ];
}

/** Controls, but for tabs and ends of lines. */
const unprintable = /[^\P{Cc}\t\n\r]/u;

/** What turns the order of letters around, and letters that are never drawn: a reviewer would read another text. */
const unseen = /[\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]/gu;

/** @param before how many places the text had. */
function wrongPlaceholders(text: string, placeholders: readonly string[], before: number): string[] {
  const found = placesOf(text);
  if (found === undefined) return ["has braces {{…}} that name no part of the input or state"];
  const gone = placeholders.filter((one) => !found.includes(one));
  const odd = [...new Set(found)].filter((one) => !placeholders.includes(one));
  const most = 2 * Math.max(1, before); // each is filled with an input, which may be long
  return [
    ...(found.length > most ? [`has ${found.length} places to fill in; it may have ${most}`] : []),
    ...gone.map((one) => `has lost ${one}, which has to stay`),
    ...odd.map((one) => `fills in ${one}, which it did not before`),
  ];
}

function wrongExamples(
  { max = Number.POSITIVE_INFINITY }: Improvable,
  before: Json | undefined,
  after: Json,
  { training, observed = [] }: CheckPatchOptions,
): readonly string[] {
  if (!Array.isArray(after)) return [`are ${kindOf(after)}; they are a list of { input, output }`];
  const examples: readonly Json[] = after;
  if (examples.length > max) return [`are ${examples.length}; there may be ${max}`];
  if (JSON.stringify(examples).length > longestExamples)
    return [`have more than ${longestExamples} characters in all`];
  const given = Array.isArray(before) ? before.map((one: Json) => inputOf(one)) : [];
  const allowed = new Set(
    [...training.map(({ input }) => input), ...observed, ...given].map((one) => canonical(one ?? null)),
  );
  return examples.flatMap((one, i) => {
    if (!isJsonObject(one) || Object.keys(one).sort().join() !== "input,output")
      return [`have ${kindOf(one)} in place ${i + 1}; an example is { input, output }`];
    return allowed.has(canonical(one.input as Json)) // it is there
      ? []
      : [`show in place ${i + 1} what is no training case`];
  });
}

const inputOf = (example: Json): Json | undefined => (isJsonObject(example) ? example.input : undefined);
