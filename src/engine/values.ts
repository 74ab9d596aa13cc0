import { decode, encode, sizeOf } from "../core/codec.ts";
import { type BlobRef, isBlobRef, type Ref, type StreamedText } from "../core/entries.ts";
import { StoreCorruptError } from "../core/errors.ts";
import { sha256 } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { hollowed, type KnownText } from "../core/streamed.ts";
import type { Blob } from "../ports/store.ts";
import type { Archive } from "./archive.ts";

/** A value between two places: its stored form (or what stands for it in the store), and where it came from. */
export interface Value {
  readonly json: Json;
  readonly ref: Ref;
}

/** Values with more text than this are kept aside, once for each content. */
export const spillSize = 8_192;

/** A value ready for an entry: what to write in the entry, what to keep aside, what to hand on. */
export interface Kept {
  readonly entry: Json;
  readonly blob: Blob | undefined;
  readonly json: Json;
}

/** @throws UnstorableValueError naming the field. */
export function keep(value: unknown, what: string, path: Path): Kept {
  const { json, size } = encode(value, what, path);
  return keepJson(json, size);
}

/** The same for a value that is in stored form already. */
export function keepJson(json: Json, size: number = sizeOf(json, spillSize)): Kept {
  if (size <= spillSize) return { entry: json, blob: undefined, json };
  const text = JSON.stringify(json);
  const hash = sha256(text);
  const ref: BlobRef & { readonly [key: string]: Json } = { $type: "blob", hash, size: text.length };
  return { entry: ref, blob: { hash, text }, json };
}

/** The same for a state: always kept aside, for the same one is kept often. Undefined when there is none. */
export function keepAside(state: Json): Pick<Kept, "entry" | "blob"> | undefined {
  const text = JSON.stringify(state);
  if (text === "{}") return undefined;
  const hash = sha256(text);
  return { entry: { $type: "blob", hash, size: text.length }, blob: { hash, text } };
}

/** The same for a result some of whose texts the journal has already. */
export function keepHollow(
  value: unknown,
  what: string,
  path: Path,
  known: () => readonly KnownText[],
): Kept & { readonly texts?: readonly StreamedText[] } {
  const { json, size } = encode(value, what, path);
  const texts = known();
  const hollow = texts.length === 0 ? undefined : hollowed(json, texts);
  if (hollow === undefined || hollow.texts.length === 0) return keepJson(json, size);
  return { ...keepJson(hollow.json), json, texts: hollow.texts };
}

/** The stored form itself, fetched when it was kept aside. */
export async function fetchJson(json: Json, store: Pick<Archive, "name" | "blob">): Promise<Json> {
  if (!isBlobRef(json)) return json;
  const text = await store.blob(json.hash);
  if (text === undefined) {
    throw new StoreCorruptError(`${store.name} has lost a value of ${json.size} characters (${json.hash})`);
  }
  return JSON.parse(text) as Json; // it was JSON when its hash was taken
}

/** A fresh copy for a body. */
export async function open(json: Json, store: Pick<Archive, "name" | "blob">): Promise<unknown> {
  return decode(isBlobRef(json) ? await fetchJson(json, store) : json);
}
