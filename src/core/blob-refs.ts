/** What a journal refers to that is kept aside: by the hash of its content. */
import { type Entry, isBlobRef } from "./entries.ts";
import type { Json } from "./json.ts";

/** Something that entries refer to by its hash; `size` is its length in characters, where that is recorded. */
export interface Referred {
  readonly seq: number;
  readonly hash: string;
  readonly size: number | undefined;
}

/** Everything kept aside that a journal refers to, in its order; what is referred to twice comes twice. */
export function* blobsIn(entries: readonly Entry[]): Generator<Referred> {
  for (const entry of entries) {
    const { seq } = entry;
    if (entry.type === "run-created" || entry.type === "run-resumed") {
      for (const hash of [entry.manifest, entry.outline])
        if (hash !== undefined) yield { seq, hash, size: undefined };
    }
    for (const value of Object.values(entry)) yield* within(seq, value);
  }
}

/** Values of entries are JSON; only what wears the tag is a reference: data that looks like one is wrapped. */
function* within(seq: number, value: Json | object | undefined): Generator<Referred> {
  if (typeof value !== "object" || value === null) return;
  const json = value as Json;
  if (isBlobRef(json)) {
    if (typeof json.hash === "string") yield { seq, hash: json.hash, size: json.size };
    return;
  }
  const { $type, value: inner } = value as { readonly $type?: unknown; readonly value?: object };
  const parts = $type === "object" && inner !== undefined ? inner : value;
  for (const part of Object.values(parts)) yield* within(seq, part as Json);
}
