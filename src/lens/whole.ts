import { blobsIn } from "../core/blob-refs.ts";
import type { Entry } from "../core/entries.ts";
import type { Signal, Store } from "../ports/store.ts";

/** A run with everything it is made of, as `flujo lens export --format json` writes it. */
export interface WholeRun {
  readonly format: "flujo-run";
  readonly version: 1;
  readonly runId: string;
  readonly entries: readonly Entry[];
  /** What entries refer to, by its hash: values kept aside, the manifest, the outline. */
  readonly blobs: { readonly [hash: string]: string };
  /** What was sent to it. */
  readonly signals: readonly Signal[];
}

export async function wholeRun(store: Store, runId: string, entries: readonly Entry[]): Promise<WholeRun> {
  const blobs: Record<string, string> = {};
  for (const { hash } of blobsIn(entries)) {
    const text = blobs[hash] ?? (await store.blob(hash));
    if (text !== undefined) blobs[hash] = text;
  }
  return { format: "flujo-run", version: 1, runId, entries, blobs, signals: await store.signals(runId) };
}
