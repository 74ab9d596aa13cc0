import { hash } from "node:crypto";
import type { Operation } from "rfc6902";
import { canonical } from "../../core/canonical.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import { equal } from "../../core/state.ts";

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
): Candidate => ({ id: idOf(values), patch: patchBetween(base, values), ...origin });

const idOf = (values: JsonObject): string => hash("sha256", canonical(values)).slice(0, 16);

/**
 * The patch from one state of the document's values to another, field by field: first what pins the values it changes, then
 * the changes, both in the order of the document.
 */
export function patchBetween(before: JsonObject, after: JsonObject): Overlay {
  const pins: Operation[] = [];
  const changes: Operation[] = [];
  for (const place of Object.keys({ ...before, ...after })) {
    const [from, to] = [fieldsAt(before, place), fieldsAt(after, place)];
    for (const field of Object.keys({ ...from, ...to })) {
      const path = pointerTo(place, field);
      const [was, is] = [from[field], to[field]];
      if (was !== undefined && is !== undefined && equal(was, is)) continue;
      if (was !== undefined) pins.push({ op: "test", path, value: was });
      if (is === undefined) changes.push({ op: "remove", path });
      else changes.push({ op: was === undefined ? "add" : "replace", path, value: is });
    }
  }
  return [...pins, ...changes];
}

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

/** A field's JSON Pointer (RFC 6901). */
export const pointerTo = (place: string, field: string): string =>
  `/${pointerKey(place)}/${pointerKey(field)}`;

const pointerKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
