import { hash } from "node:crypto";
import { canonical } from "../../core/canonical.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import { patchBetween, type Values } from "./document.ts";

/** A way the pipeline could be: values of its document of improvables, and where they come from. */
export interface Candidate {
  /** A hash of the document's values with the patch applied: candidates of the same values are one. */
  readonly id: string;
  /** From the document as it is; what it changes is pinned by `test` operations, which come first. None: the base itself. */
  readonly patch: Overlay;
  /** The ids of those it was made of. */
  readonly parents: readonly string[];
  /** `"base"`, `"reflection"`, `"merge"`, `"bootstrap"`, `"delta"` or `"rule:NAME"`. */
  readonly by: string;
  /** Why, in a sentence. */
  readonly note: string;
}

/** The pipeline as it is. */
export const baseOf = (values: JsonObject): Candidate => ({
  id: idOf(values),
  patch: [],
  parents: [],
  by: "base",
  note: "the pipeline as it is",
});

/** A candidate of these values, whose patch leads there from the base. */
export const candidateOf = (
  base: JsonObject,
  values: JsonObject,
  origin: Pick<Candidate, "parents" | "by" | "note">,
): Candidate => ({ id: idOf(values), patch: patchFrom(base, values), ...origin });

/** The id of whoever has these values. */
export const idOf = (values: JsonObject): string => hash("sha256", canonical(values)).slice(0, 16);

/** The patch that leads from some values of a document to others. */
export const patchFrom = (before: JsonObject, after: JsonObject): Overlay =>
  patchBetween(before as Values, after as Values); // by place and field, as the document has them

/** The fields of a place: none where there is no such place. */
export function fieldsAt(values: JsonObject, place: string): JsonObject {
  const fields = Object.hasOwn(values, place) ? values[place] : undefined;
  return isJsonObject(fields) ? fields : {};
}

/** The values with another one at a field. */
export const withValue = (values: JsonObject, place: string, field: string, value: Json): JsonObject => ({
  ...values,
  [place]: { ...fieldsAt(values, place), [field]: value },
});
