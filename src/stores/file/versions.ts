/**
 * A value that several processes change: in a folder, one file for each version, `ledger-00000012.json` of version 12.
 * A change makes the next version, which one process can; who comes second reads again and decides anew. So each change
 * is atomic over all processes.
 *
 * Old versions are removed, lowest first. A process that slept may therefore make a version that there was before, and
 * must not believe it. Its version counts when the very one it was decided on is still there: had its own number been
 * used and removed, that one would have been removed earlier.
 */
import { randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync } from "node:fs";
import { join } from "node:path";
import { discard, makeFolder, makeOnce, namesIn, readIfThere, syncFolder } from "./disk.ts";
import { decodeLine, encodeLine } from "./line.ts";
import { parse } from "./segment.ts";

/** Versions kept beside the newest, for whoever is just reading one. */
const versionsKept = 16;

/** Where a value lives, and how to say that a file of it is damaged. */
export interface Place {
  readonly folder: string;
  /** What its files are named: `ledger`. */
  readonly name: string;
  readonly damaged: (path: string) => Error;
}

interface Version<T> {
  readonly number: number;
  /** Tells this file from one that a sleeper made in its place. */
  readonly id: string;
  readonly value: T | undefined;
}

const pathOf = ({ folder, name }: Place, version: number): string =>
  join(folder, `${name}-${String(version).padStart(8, "0")}.json`);

/** The versions there are, oldest first. */
function versionsIn({ folder, name }: Place): number[] {
  const found = (namesIn(folder) ?? []).map((file) => /^(\w+)-(\d+)\.json$/.exec(file));
  const numbers = found.flatMap((match) => (match?.[1] === name ? [Number(match[2])] : []));
  return numbers.sort((a, b) => a - b);
}

/** The value now; undefined when there never was one. */
export const present = <T extends object>(place: Place): T | undefined => newest<T>(place).value;

/** The newest version; one that has just been removed has a newer one beside it. */
function newest<T extends object>(place: Place): Version<T> {
  for (;;) {
    const number = versionsIn(place).at(-1);
    if (number === undefined) return { number: 0, id: "", value: undefined };
    const version = read<T>(place, number);
    if (version !== undefined) return version;
  }
}

function read<T extends object>(place: Place, number: number): Version<T> | undefined {
  const path = pathOf(place, number);
  const line = readIfThere(path);
  if (line === undefined) return undefined;
  const body = decodeLine(line.subarray(0, -1));
  if (body === undefined) throw place.damaged(path);
  const { id, ...value } = parse<T & { readonly id: string }>(body);
  return { number, id, value: value as unknown as T }; // what was written beside the id
}

/** What becomes of the value, and what is answered; without a value it stays as it is. */
export interface Decision<T, A> {
  readonly answer: A;
  readonly value?: T;
}

/** Decides on the newest version, and makes the next one of it. */
export function change<T extends object, A>(
  place: Place,
  synced: boolean,
  decide: (value: T | undefined) => Decision<T, A>,
): A {
  for (;;) {
    const base = newest<T>(place);
    const { answer, value } = decide(base.value);
    if (value === undefined || make(place, base, value, synced)) return answer;
  }
}

function make<T extends object>(place: Place, base: Version<T>, value: T, synced: boolean): boolean {
  const folders = makeFolder(place.folder);
  const number = base.number + 1;
  const file = makeOnce(pathOf(place, number), encodeLine({ id: randomUUID(), ...value }));
  if (file === undefined) return false;
  try {
    if (!isFirst(place, base)) return false;
    if (synced) fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  if (synced) folders.forEach(syncFolder);
  for (const old of versionsIn(place)) if (old <= number - versionsKept) discard(pathOf(place, old));
  return true;
}

/** Whether the version just made on `base` is the first of its number. The first of all has no other to go by. */
function isFirst<T extends object>(place: Place, base: Version<T>): boolean {
  if (base.number === 0) return (versionsIn(place).at(-1) ?? 0) <= versionsKept;
  return read<T>(place, base.number)?.id === base.id;
}
