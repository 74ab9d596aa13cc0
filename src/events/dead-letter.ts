/** Events that a sink did not take: notes in the store until they are sent again, or dropped. The event is in the journal. */
import type { EntryType } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Note, Store } from "../ports/store.ts";

export interface DeadLetter {
  /** What the receiver knows it by. */
  readonly id: string;
  readonly type: EntryType;
  readonly path: string;
  readonly attempts: number;
  /** Milliseconds since 1970: when it was given up. */
  readonly at: number;
  readonly why: string;
  /** Somebody sends it again at this moment: not before then does another. Milliseconds since 1970. */
  readonly until?: number;
}

/** A dead letter as it stands in the store. */
export interface StandingLetter extends DeadLetter {
  readonly sink: string;
  readonly runId: string;
  /** The number of its entry. */
  readonly seq: number;
  readonly version: string;
}

const prefix = "dead/";

/** Sequence numbers sort as texts. */
const keyOf = (sink: string, runId: string, seq: number): string =>
  `${prefix}${sink}/${runId}/${String(seq).padStart(10, "0")}`;

/** Keeps a letter; one that is there already stays. */
export async function keepLetter(
  store: Store,
  sink: string,
  runId: string,
  seq: number,
  letter: DeadLetter,
): Promise<void> {
  await store.putNote(keyOf(sink, runId, seq), { ...letter } as unknown as Json, undefined);
}

/** All there are, by sink, run and number. */
export async function* deadLetters(store: Store): AsyncGenerator<StandingLetter> {
  for (let after = ""; ; ) {
    const notes = await store.notes({ prefix, after });
    yield* notes.map(letterOf);
    const last = notes.at(-1);
    if (last === undefined) return;
    after = last.key;
  }
}

/** Changes a letter; undefined when somebody else has changed or removed it meanwhile. */
export async function changeLetter(
  store: Store,
  standing: StandingLetter,
  letter: DeadLetter,
): Promise<StandingLetter | undefined> {
  const { sink, runId, seq } = standing;
  const value = { ...letter } as unknown as Json; // the fields of a letter are JSON
  const version = await store.putNote(keyOf(sink, runId, seq), value, standing.version);
  return version === undefined ? undefined : { ...letter, sink, runId, seq, version };
}

export const dropLetter = (store: Store, { sink, runId, seq, version }: StandingLetter): Promise<boolean> =>
  store.dropNote(keyOf(sink, runId, seq), version);

function letterOf({ key, value, version }: Note): StandingLetter {
  const [sink = "", runId = "", seq = ""] = key.slice(prefix.length).split("/");
  const letter = value as unknown as DeadLetter; // as `keepLetter` and `changeLetter` put it
  return { ...letter, sink, runId, seq: Number(seq), version };
}
