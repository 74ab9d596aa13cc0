import type { Note, Store } from "../ports/store.ts";

/** Every note whose key begins so, by key, one page in memory at a time. */
export async function* everyNote(store: Store, prefix: string): AsyncGenerator<Note> {
  for (let after = ""; ; ) {
    const notes = await store.notes({ prefix, after });
    yield* notes;
    const last = notes.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** The note of exactly this key. */
export async function noteOf(store: Store, key: string): Promise<Note | undefined> {
  return (await store.notes({ prefix: key, limit: 1 })).find((note) => note.key === key);
}
