/** All that may be improved of a pipeline, as one versioned JSON document. */
import { versionOf } from "../../core/fingerprint.ts";
import type { Improvable, ImprovableFields } from "../../core/improvable.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Node } from "../../core/node.ts";
import { improvableFieldsOf, type Overlay } from "../../core/overlay.ts";
import type { Path } from "../../core/paths.ts";
import { equal } from "../../core/state.ts";
import { type AnyStep, nodeOf } from "../../core/step.ts";
import { rootOf } from "../../engine/root.ts";

export type { Improvable, ImprovableFields };

/** What of a pipeline an overlay can change, value by value, with bounds and the owner's leave. */
export interface ImprovablesDocument {
  readonly version: 1;
  readonly pipeline: string;
  /** Of the version the values are of. */
  readonly fingerprint: string;
  /** By the path of the place as the tree has it (`/q3/AnalyseAll[]/summarise`), then by field. */
  readonly places: { readonly [place: Path]: ImprovableFields };
}

/**
 * The document of a pipeline.
 *
 * ```ts
 * const route = agent("route", { model: "openai:gpt-4o-mini", system: "Name the team that should answer." });
 * const { places } = documentOf(pipeline("desk", route));
 * console.log(places["/desk/route"]?.system); // { type: "text", value: "Name the …", mayChange: true, … }
 * ```
 *
 * @throws InvalidPipelineError
 */
export function documentOf(root: AnyStep | Node): ImprovablesDocument {
  const given = "node" in root ? nodeOf(root, "what documentOf was given") : root;
  const { node, pipeline } = rootOf(given);
  const { fingerprint } = versionOf(node);
  return { version: 1, pipeline: pipeline.name, fingerprint, places: improvableFieldsOf(node) };
}

/**
 * The values alone, by place and field: what patches are over. A value that is not given is not there.
 *
 * ```ts
 * console.log(valuesOf(documentOf(greet))); // { "/hello/greet": { system: "…", model: "…" } }
 * ```
 */
export function valuesOf({ places }: ImprovablesDocument): JsonObject {
  const values = Object.entries(places).map(([place, fields]) => {
    const given = Object.entries(fields).flatMap(([field, { value }]) =>
      value === undefined ? [] : [[field, value] as const],
    );
    return [place, Object.fromEntries(given)] as const;
  });
  return Object.fromEntries(values);
}

/** The values of a document in other words: `{ "/desk/route": { "system": … } }`. */
export type Values = { readonly [place: Path]: { readonly [field: string]: Json } };

/**
 * The patch that makes of some values others, in one form: first a `test` of each value that changes, then the changes, in
 * the order of the document. The same change is always the same patch.
 *
 * ```ts
 * const from = { "/hello/greet": { system: "Greet." } };
 * const patch = patchBetween(from, { "/hello/greet": { system: "Greet warmly." } });
 * // [{ op: "test", path: "/~1hello~1greet/system", value: "Greet." }, { op: "replace", … }]
 * ```
 *
 * @param to of the same places; fields may be missing or come.
 */
export function patchBetween(from: Values, to: Values): Overlay {
  const [pins, changes]: [Overlay[number][], Overlay[number][]] = [[], []];
  for (const [place, before] of Object.entries(from)) {
    const after = to[place] ?? {};
    for (const field of new Set([...Object.keys(before), ...Object.keys(after).sort()])) {
      const [old, fresh] = [before[field], after[field]];
      if (old !== undefined && fresh !== undefined && equal(old, fresh)) continue;
      const path = pointer(place, field);
      if (old !== undefined) pins.push({ op: "test", path, value: old });
      if (fresh === undefined) changes.push({ op: "remove", path });
      else changes.push({ op: old === undefined ? "add" : "replace", path, value: fresh });
    }
  }
  return [...pins, ...changes];
}

/** Where a field stands in the document, as a JSON Pointer (RFC 6901): `/~1desk~1route/system`. */
export const pointer = (place: Path, field: string): string => `/${pointerKey(place)}/${pointerKey(field)}`;

const pointerKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
