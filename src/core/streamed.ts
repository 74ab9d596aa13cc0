/** Answers that came in pieces: their texts, put together from the entries of their calls; values that refer to them. */
import { assign } from "./codec.ts";
import type { BlockKind, EntryOf, StreamedText } from "./entries.ts";
import type { Json } from "./json.ts";

/** One text of an answer. */
export interface Block {
  readonly kind: BlockKind;
  text: string;
}

/** A piece of an answer as it comes. */
export interface Piece {
  /** Which of the answer's texts it belongs to, from 0. */
  readonly block: number;
  readonly kind: BlockKind;
  readonly chunk: string;
}

/** The texts of one call, from its entries in order. */
export function blocksOf(entries: Iterable<EntryOf<"text-streamed">>): Block[] {
  const blocks: Block[] = [];
  for (const { block, kind = "text", chunks } of entries) {
    blocks[block] ??= { kind, text: "" };
    blocks[block].text += chunks.join("");
  }
  return blocks;
}

/** A streamed text, and the blocks it is made of. */
export interface KnownText {
  readonly text: string;
  readonly from: StreamedText["from"];
}

/** A stored form without the texts that are recorded already, and where they belong. */
export interface Hollow {
  readonly json: Json;
  readonly texts: readonly StreamedText[];
}

/** Takes every known text out of a stored form. */
export function hollowed(json: Json, known: readonly KnownText[]): Hollow {
  const sources = new Map(known.map(({ text, from }) => [text, from]));
  sources.delete("");
  const texts: StreamedText[] = [];
  const walk = (part: Json, at: StreamedText["at"]): Json => {
    if (typeof part === "string") {
      const from = sources.get(part);
      if (from === undefined) return part;
      texts.push({ at, from });
      return "";
    }
    if (typeof part !== "object" || part === null) return part;
    if (Array.isArray(part)) return part.map((one, i) => walk(one, [...at, i]));
    const copy: Record<string, Json> = {};
    for (const [key, one] of Object.entries(part)) assign(copy, key, walk(one, [...at, key]));
    return copy;
  };
  return { json: walk(json, []), texts };
}

/** The whole again. */
export function filled({ json, texts }: Hollow, blockText: (of: number, block: number) => string): Json {
  let whole = json;
  for (const { at, from } of texts) {
    const text = from.map(([of, block]) => blockText(of, block)).join("");
    whole = withText(whole, at, text);
  }
  return whole;
}

function withText(json: Json, [key, ...rest]: StreamedText["at"], text: string): Json {
  if (key === undefined) return text;
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((one, i) => (i === key ? withText(one, rest, text) : one));
  const copy: Record<string, Json> = {};
  for (const [name, one] of Object.entries(json))
    assign(copy, name, name === key ? withText(one, rest, text) : one);
  return copy;
}
