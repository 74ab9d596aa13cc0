import { randomUUID } from "node:crypto";
import type { Json } from "../../core/json.ts";
import type { Note, NoteFilter } from "../../ports/store.ts";
import { defaultNoteLimit, refuseBadKey } from "../../ports/store-rules.ts";
import type { Connection } from "./connection.ts";
import * as scripts from "./scripts.ts";

const keysOf = ({ keys }: Connection): readonly string[] => [keys.notes, keys.noteKeys];

export async function notes(db: Connection, filter: NoteFilter): Promise<readonly Note[]> {
  const { prefix, after = "", limit = defaultNoteLimit } = filter;
  // Keys are ASCII: what begins with a text lies between it and itself with the last of those characters.
  const least = after >= prefix && after !== "" ? `(${after}` : `[${prefix}`;
  const found = await db.script(scripts.notes, keysOf(db), [least, `[${prefix}\x7f`, limit]);
  const texts = found as readonly string[]; // that script's: keys and bodies in turn
  return texts.flatMap((key, i) => (i % 2 === 0 ? [noteIn(key, texts[i + 1] ?? "")] : []));
}

function noteIn(key: string, text: string): Note {
  const space = text.indexOf(" ");
  return { key, value: JSON.parse(text.slice(space + 1)) as Json, version: text.slice(0, space) }; // as it was put
}

export async function putNote(
  db: Connection,
  key: string,
  value: Json,
  seen: string | undefined,
): Promise<string | undefined> {
  refuseBadKey(key);
  const version = randomUUID();
  const args = [key, seen ?? "", `${version} ${JSON.stringify(value)}`];
  return (await db.script(scripts.putNote, keysOf(db), args)) === 1 ? version : undefined;
}

export async function dropNote(db: Connection, key: string, seen: string): Promise<boolean> {
  // The empty version stands for no note.
  return seen !== "" && (await db.script(scripts.dropNote, keysOf(db), [key, seen])) === 1;
}
