/** The overlay that a run began with, as its first entry has it: a large one is kept aside, once for all runs that have it. */
import { decode } from "../core/codec.ts";
import type { RunCreated } from "../core/entries.ts";
import type { Overlay } from "../core/overlay.ts";
import type { Blob, Store } from "../ports/store.ts";
import { fetchJson, keep } from "./values.ts";

/** The field of the entry, and what is to be written aside. */
export function keptOverlay(
  overlay: Overlay,
  path: string,
): { readonly field: Pick<RunCreated, "overlay">; readonly blob: Blob | undefined } {
  if (overlay.length === 0) return { field: {}, blob: undefined };
  const { entry, blob } = keep(overlay, `overlay of ${path}`, path);
  return { field: { overlay: entry }, blob };
}

/** What was kept; nothing where there is none. */
export async function overlayOf(
  created: Pick<RunCreated, "overlay"> | undefined,
  store: Store,
): Promise<Overlay> {
  if (created?.overlay === undefined) return [];
  return decode(await fetchJson(created.overlay, store)) as Overlay; // as it was recorded
}
