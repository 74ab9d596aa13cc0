/** Notes: those whose keys have the same hash lie together in one value, `notes/2f/notes-00000012.json`. */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { StoreCorruptError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Note } from "../../ports/store.ts";
import { refuseBadKey } from "../../ports/store-rules.ts";
import { namesIn } from "./disk.ts";
import { change, type Place, present } from "./versions.ts";

interface Shelf {
  readonly notes: readonly Note[];
}

/** One folder for each of the first bytes that a hash may have. */
const shelfOf = (root: string, key: string): string =>
  join(root, "notes", createHash("sha256").update(key).digest("hex").slice(0, 2));

const placeIn = (folder: string): Place => ({ folder, name: "notes", damaged });

export function notesIn(root: string): readonly Note[] {
  const folders = (namesIn(join(root, "notes")) ?? []).filter((name) => /^[0-9a-f]{2}$/.test(name));
  return folders.flatMap((name) => present<Shelf>(placeIn(join(root, "notes", name)))?.notes ?? []);
}

export function putNote(
  root: string,
  key: string,
  value: Json,
  seen: string | undefined,
  synced: boolean,
): string | undefined {
  refuseBadKey(key);
  const version = randomUUID();
  const isPut = swap(shelfOf(root, key), key, seen, { key, value, version }, synced);
  return isPut ? version : undefined;
}

export const dropNote = (root: string, key: string, seen: string, synced: boolean): boolean =>
  swap(shelfOf(root, key), key, seen, undefined, synced);

function swap(
  folder: string,
  key: string,
  seen: string | undefined,
  next: Note | undefined,
  synced: boolean,
): boolean {
  return change<Shelf, boolean>(placeIn(folder), synced, (shelf) => {
    const standing = shelf?.notes.find((note) => note.key === key);
    if (standing?.version !== seen) return { answer: false };
    const others = shelf?.notes.filter((note) => note !== standing) ?? [];
    return { answer: true, value: { notes: next === undefined ? others : [...others, next] } };
  });
}

const damaged = (path: string): StoreCorruptError =>
  new StoreCorruptError(`the file of notes ${path} is damaged`, {
    hint: "Restore it from a copy, or delete it: what has been told of runs may then be told once more.",
  });
