import { applyPatch } from "rfc6902";
import type { JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import type { Case } from "../dataset/case.ts";
import { type ImprovablesDocument, valuesOf } from "./document.ts";
export async function checkPatch(
  document: ImprovablesDocument,
  patch: unknown,
  _: { training: readonly Case[]; maxGrowth?: number },
): Promise<{ ok: true; patch: Overlay; values: JsonObject } | { ok: false; faults: readonly string[] }> {
  if (!Array.isArray(patch)) return { ok: false, faults: ["no patch"] };
  const values = structuredClone(valuesOf(document));
  try {
    const errors = applyPatch(values, structuredClone(patch));
    if (errors.some((e) => e !== null)) return { ok: false, faults: ["does not apply"] };
  } catch (e) {
    return { ok: false, faults: [String(e)] };
  }
  return { ok: true, patch, values };
}
