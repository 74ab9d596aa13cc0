import { randomUUID } from "node:crypto";
import type { Json } from "../../core/json.ts";
import type { Note, NoteFilter } from "../../ports/store.ts";
import { defaultNoteLimit, refuseBadKey } from "../../ports/store-rules.ts";
import type { Database } from "./open.ts";

/** Keys are ASCII: what begins with a text lies between it and itself with the last of those characters. */
const page = "SELECT * FROM notes WHERE key BETWEEN ? AND ? AND key > ? ORDER BY key LIMIT ?";
const make = "INSERT INTO notes(key, version, body) VALUES(?, ?, ?) ON CONFLICT(key) DO NOTHING";
const change = "UPDATE notes SET version = ?, body = ? WHERE key = ? AND version = ?";
const drop = "DELETE FROM notes WHERE key = ? AND version = ?";

export function notes(db: Database, filter: NoteFilter): readonly Note[] {
  const { prefix, after = "", limit = defaultNoteLimit } = filter;
  return db.all(page, prefix, `${prefix}\x7f`, after, limit).map(({ key, version, body }) => ({
    key: String(key),
    value: JSON.parse(body as string) as Json, // TEXT NOT NULL, as it was put
    version: String(version),
  }));
}

export function putNote(
  db: Database,
  key: string,
  value: Json,
  seen: string | undefined,
): string | undefined {
  refuseBadKey(key);
  const version = randomUUID();
  const body = JSON.stringify(value);
  const changed =
    seen === undefined ? db.run(make, key, version, body) : db.run(change, version, body, key, seen);
  return changed > 0 ? version : undefined;
}

export const dropNote = (db: Database, key: string, seen: string): boolean => db.run(drop, key, seen) > 0;
