/**
 * How far a sink has been told a run: a note in the store, for each sink and run, from before the run's first entry
 * until its last one is told. While somebody delivers, the note says who, so that two processes do not do the same.
 */
import type { Json } from "../core/json.ts";
import type { Note, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** What is not delivered yet, and has been tried. */
export interface Failing {
  readonly attempts: number;
  /** When it was tried first, and when it is tried next, in milliseconds since 1970. */
  readonly since: number;
  readonly due: number;
  readonly why: string;
}

export interface Cursor {
  /** The number of the next entry to be told. */
  readonly next: number;
  /** Who delivers now (a process, and which outbox of it), and until when nobody else does. */
  readonly owner?: string;
  readonly by?: string;
  readonly until?: number;
  readonly failing?: Failing;
}

/** A cursor as it stands in the store. */
export interface Standing {
  readonly sink: string;
  readonly runId: string;
  readonly cursor: Cursor;
  readonly version: string;
}

const prefix = "outbox/";
const keyOf = (sink: string, runId: string): string => `${prefix}${sink}/${runId}`;

/** Makes a cursor at the run's beginning where there is none. */
export async function openCursor(store: Store, sink: string, runId: string): Promise<void> {
  await store.putNote(keyOf(sink, runId), { next: 0 }, undefined);
}

export async function cursorAt(store: Store, sink: string, runId: string): Promise<Standing | undefined> {
  const key = keyOf(sink, runId);
  const [note] = await store.notes({ prefix: key, limit: 1 }); // a key comes before those it begins
  return note?.key === key ? standingOf(note) : undefined;
}

/** All there are, or those of one sink, page by page. */
export async function* cursors(store: Store, sink?: string): AsyncGenerator<Standing> {
  const under = sink === undefined ? prefix : keyOf(sink, "");
  for (let after = ""; ; ) {
    const notes = await store.notes({ prefix: under, after });
    yield* notes.map(standingOf);
    const last = notes.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** Moves a cursor; undefined when somebody else has moved it meanwhile. */
export async function moveCursor(
  store: Store,
  { sink, runId, version }: Standing,
  cursor: Cursor,
): Promise<Standing | undefined> {
  const moved = await store.putNote(keyOf(sink, runId), { ...cursor } as unknown as Json, version);
  return moved === undefined ? undefined : { sink, runId, cursor, version: moved };
}

export const closeCursor = (store: Store, { sink, runId, version }: Standing): Promise<boolean> =>
  store.dropNote(keyOf(sink, runId), version);

/**
 * Makes the cursors of a run in another store, where its sinks are to be told what comes next, and nothing again. One that is there
 * is of a move that was killed, or of the time before the run was moved away from there: it stands too early.
 */
export async function carryCursors(
  from: Store,
  to: Store,
  runId: string,
  sinks: Iterable<string>,
): Promise<void> {
  for (const sink of sinks) {
    const next = (await cursorAt(from, sink, runId))?.cursor.next;
    if (next === undefined) continue;
    const old = await cursorAt(to, sink, runId);
    await to.putNote(keyOf(sink, runId), { next }, old?.version);
  }
}

/** Whether somebody else delivers, as far as one can know. */
export const isTaken = (cursor: Cursor, by: string, world: World): boolean =>
  cursor.owner !== undefined &&
  cursor.by !== by &&
  (cursor.until ?? 0) > world.now() &&
  !world.isGone(cursor.owner);

function standingOf({ key, value, version }: Note): Standing {
  const [sink = "", runId = ""] = key.slice(prefix.length).split("/");
  return { sink, runId, cursor: value as unknown as Cursor, version }; // as `openCursor` and `moveCursor` put it
}
