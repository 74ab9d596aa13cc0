/** A patch of whole fields, put over values: what it pins has to be there. */
import type { Json } from "../../core/json.ts";
import { type Overlay, placeIn } from "../../core/overlay.ts";
import type { Path } from "../../core/paths.ts";
import { equal } from "../../core/state.ts";
import type { Values } from "./document.ts";

/** What is not as a patch expects it: a place that is gone, or a field that has another value. */
export interface Misfit {
  readonly place: Path;
  readonly field?: string;
}

/** In words. */
export const misfitText = ({ place, field }: Misfit): string =>
  field === undefined ? `${place} is gone` : `${JSON.stringify(field)} of ${place} is not what it was`;

/** The values under a patch, or where it does not fit. */
export function applied(
  values: Values,
  patch: Overlay,
): { readonly values: Values } | { readonly misfit: Misfit } {
  const places = new Map(
    Object.entries(values).map(([place, fields]) => [place, new Map(Object.entries(fields))]),
  );
  for (const operation of patch) {
    const [place, field] = placeIn(operation.path);
    const fields = places.get(place);
    if (fields === undefined) return { misfit: { place } };
    const before = fields.get(field);
    if (operation.op === "test") {
      const isThere = before !== undefined && equal(before, operation.value as Json); // a patch is JSON
      if (!isThere) return { misfit: { place, field } };
    } else if (operation.op === "add" || operation.op === "replace")
      fields.set(field, operation.value as Json);
    else fields.delete(field);
  }
  const after = [...places].map(([place, fields]) => [place, Object.fromEntries(fields)] as const);
  return { values: Object.fromEntries(after) };
}
