/** What is noted of a run that is on its way from one store to another, in both, so that a move that is killed can be finished. */
import type { Json } from "../core/json.ts";
import type { Note, RunSummary, Store } from "../ports/store.ts";
import { everyNote, noteOf } from "./every-note.ts";

/** In the store it goes to: it may still be where it was, and so it is listed once it is not. */
export interface Crossing {
  readonly runId: string;
  /** The name of the store it comes from. */
  readonly from: string;
  readonly summary: RunSummary;
  /** How many entries it has. */
  readonly entries: number;
}

/** One as it is noted. */
type Noted = Note & { readonly crossing: Crossing };

const prefix = "copy/";

export async function noteCrossing(to: Store, crossing: Crossing): Promise<void> {
  const seen = (await crossingOf(to, crossing.runId))?.version;
  await to.putNote(prefix + crossing.runId, crossing as object as Json, seen); // all of it is JSON
}

export async function crossingOf(to: Store, runId: string): Promise<Noted | undefined> {
  const note = await noteOf(to, prefix + runId);
  return note && noted(note);
}

export async function* crossings(to: Store): AsyncGenerator<Noted> {
  for await (const note of everyNote(to, prefix)) yield noted(note);
}

const noted = (note: Note): Noted => ({ ...note, crossing: note.value as object as Crossing }); // as noteCrossing wrote it

/**
 * Says of a run that it is gone because it was moved, should the process that moves it die before the other store shows it:
 * where somebody has removed it otherwise, the copy in the other store is not what it came to.
 */
export const leavingKey = (runId: string): string => `leaving/${runId}`;

/** To be called before a run is removed otherwise. */
export async function forgetLeaving(store: Store, runId: string): Promise<void> {
  const note = await noteOf(store, leavingKey(runId));
  if (note !== undefined) await store.dropNote(note.key, note.version);
}
