import type { Json, JsonObject } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";

/** All of a pipeline that can be changed without touching its source. */
export interface ImprovablesDocument {
  readonly version: 1;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly places: { readonly [place: Path]: { readonly [field: string]: Improvable } };
}

/** One value that can be changed, and how far. */
export interface Improvable {
  readonly type: "text" | "number" | "integer" | "model" | "examples" | "choice";
  readonly value: Json;
  readonly mayChange: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly Json[];
  readonly maxLength?: number;
  readonly placeholders?: readonly string[];
}

/** The document's values, by place and field: what patches are over. */
export function valuesOf({ places }: ImprovablesDocument): JsonObject {
  return Object.fromEntries(
    Object.entries(places).map(([place, fields]) => [
      place,
      Object.fromEntries(Object.entries(fields).map(([field, { value }]) => [field, value])),
    ]),
  );
}

import { versionOf } from "../../core/fingerprint.ts";
import type { Node } from "../../core/node.ts";
import { improvablesOf } from "../../core/overlay.ts";
import { rootOf } from "../../engine/root.ts";
export function documentOf(root: Node): ImprovablesDocument {
  const { node, pipeline } = rootOf(root);
  return {
    version: 1,
    pipeline: pipeline.name,
    fingerprint: versionOf(node).fingerprint,
    places: Object.fromEntries(
      Object.entries(improvablesOf(node)).map(([p, f]) => [
        p,
        Object.fromEntries(
          Object.entries(f).map(([k, value]) => [
            k,
            {
              type:
                k === "examples"
                  ? "examples"
                  : k === "model"
                    ? "model"
                    : typeof value === "number"
                      ? "number"
                      : "text",
              value,
              mayChange: k !== "model" && typeof value !== "number",
            } as Improvable,
          ]),
        ),
      ]),
    ),
  };
}
