/**
 * One fence's part of a journal: the file `journal-000002.jsonl` of fence 2. Its lines are, in order:
 *
 *     claim    { format, owner, expiresAt }      who took the lease; there from the file's first moment
 *     head     { after, seq, summary }           what came before: the newest older segment that counts, and how many
 *                                                bytes of it; the number of the first entry here; the summary so far
 *     append   { entries, summary }              one for each commit
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../core/entries.ts";
import { StoreCorruptError, StoreNewerError } from "../../core/errors.ts";
import type { RunSummary } from "../../ports/store.ts";
import { namesIn } from "./disk.ts";
import { encodeLine, lines } from "./line.ts";

/** The form of the files. Runs written with a higher one are refused. */
export const format = 1;

export interface Claim {
  readonly format: number;
  readonly owner: string;
  readonly expiresAt: number;
}

export interface Head {
  readonly after: { readonly fence: number; readonly bytes: number } | null;
  readonly seq: number;
  readonly summary?: RunSummary | undefined;
}

export interface AppendLine {
  readonly entries: readonly Entry[];
  readonly summary?: RunSummary | undefined;
}

/** What a segment says of itself. A part that is missing was never written, or lost with the power. */
export interface Opening {
  readonly claim?: Claim;
  readonly head?: Head;
  /** Where the next line goes, or the first append stands. */
  readonly end: number;
}

const numbered = (fence: number): string => String(fence).padStart(6, "0");

export const segmentPath = (folder: string, fence: number): string =>
  join(folder, `journal-${numbered(fence)}.jsonl`);
export const leasePath = (folder: string, fence: number): string =>
  join(folder, `lease-${numbered(fence)}.json`);

/** The fences of a run, oldest first; empty when there is no such run. */
export function fencesIn(folder: string): number[] {
  const found = (namesIn(folder) ?? []).map((name) => /^journal-(\d+)\.jsonl$/.exec(name)?.[1]);
  return found.flatMap((fence) => (fence === undefined ? [] : [Number(fence)])).sort((a, b) => a - b);
}

export const encodeClaim = (owner: string, expiresAt: number): Buffer =>
  encodeLine({ format, owner, expiresAt } satisfies Claim);
export const encodeHead = (head: Head): Buffer => encodeLine(head);
export const encodeAppend = (append: AppendLine): Buffer => encodeLine(append);

/** A line whose CRC holds is what this file's functions encoded: the one place where its type is taken on trust. */
export const parse = <T>(body: Buffer): T => JSON.parse(body.toString()) as T;

/**
 * What a segment says of itself.
 *
 * @throws StoreNewerError when the segment has a later format, StoreCorruptError when a part is bad though lines follow
 *   it: it was once whole, and what follows must not pass for nothing.
 */
export function readOpening(folder: string, fence: number): Opening {
  return reading(segmentPath(folder, fence), (file) => {
    let claim: Claim | undefined;
    let end = 0;
    let torn = false;
    for (const line of lines(file, 0)) {
      if (torn && line.body !== undefined) {
        throw damaged(segmentPath(folder, fence), claim === undefined ? "line 1" : "line 2");
      }
      torn ||= line.body === undefined;
      if (line.body === undefined) continue;
      if (claim !== undefined) return { claim, head: parse<Head>(line.body), end: line.end };
      claim = parse<Claim>(line.body);
      end = line.end;
      if (claim.format > format) throw newer(segmentPath(folder, fence), claim.format);
    }
    return claim === undefined ? { end } : { claim, end };
  });
}

export const damaged = (path: string, where: string): StoreCorruptError =>
  new StoreCorruptError(`the journal file ${path} is damaged at ${where}`, {
    hint: "Restore the file from a copy. Everything before that line is whole.",
  });

const newer = (path: string, found: number): StoreNewerError =>
  new StoreNewerError(`${path} was written by a newer Flujo (format ${found}, this one knows ${format})`, {
    hint: "Update Flujo; nothing was changed.",
  });

/** Hands an open file to `work`, and closes it again. */
export function reading<T>(path: string, work: (file: number) => T): T {
  const file = openSync(path, "r");
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}
