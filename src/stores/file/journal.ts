/**
 * Which bytes are the journal of a run, though several processes wrote it, and some of them died or slept meanwhile.
 *
 * A fence is a segment file. Whoever takes the lease makes the next segment (one process can), and only then looks how
 * far the older ones go; the head it writes records what it found. An owner looks for a newer segment before and after
 * each append: finding none *after* it means that any later one will see the append; finding one, it acknowledges
 * nothing. So what is acknowledged is in every later head, and what a stale owner adds beyond the recorded length is
 * void.
 *
 * A process may die, or be stopped, between making a segment and writing its head. Such a segment counts for nothing:
 * each head names the newest older segment *that had a head*, so the chain goes around it. Should the sleeper wake and
 * write its head after all, nobody reads it: a newer segment with a head names another. While its claim lasts it holds
 * the lease like any owner; afterwards the next process takes over in the same way. Only while no newer segment has a
 * head may the sleeper's be read; it then names a prefix that holds everything acknowledged, and before it appends it
 * looks for newer segments like everybody else.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Entry } from "../../core/entries.ts";
import type { RunSummary } from "../../ports/store.ts";
import { type Line, lines } from "./line.ts";
import { type AppendLine, damaged, fencesIn, parse, reading, readOpening, segmentPath } from "./segment.ts";

/** A part of a journal that counts. */
export interface Segment {
  readonly fence: number;
  /** The number of its first entry. */
  readonly seq: number;
  /** Where its appends begin. */
  readonly start: number;
  /** Where they end; undefined in the last segment, which may still grow. */
  readonly bytes: number | undefined;
  readonly summary: RunSummary | undefined;
}

/** A place between two lines. */
export interface Place {
  readonly fence: number;
  readonly offset: number;
  /** The number of the next entry. */
  readonly seq: number;
}

/** The segments that count, oldest first; undefined when there is no such run. */
export function segmentsOf(folder: string, from = 0): Segment[] | undefined {
  const fences = fencesIn(folder);
  if (fences.length === 0) return undefined;
  const chain: Segment[] = [];
  let limit: { fence: number; bytes: number } | null | undefined;
  for (const fence of fences.reverse()) {
    if (limit === null || (chain[0] !== undefined && chain[0].seq <= from)) break;
    if (limit !== undefined && fence !== limit.fence) continue;
    const { head, end } = readOpening(folder, fence);
    if (head === undefined && limit !== undefined) throw damaged(segmentPath(folder, fence), "line 2");
    if (head === undefined) continue;
    chain.unshift({ fence, seq: head.seq, start: end, bytes: limit?.bytes, summary: head.summary });
    limit = head.after;
  }
  if (limit && chain[0] !== undefined && chain[0].seq > from)
    throw damaged(segmentPath(folder, limit.fence), "its first line");
  return chain;
}

interface Page {
  readonly entries: readonly Entry[];
  readonly place: Place | undefined;
}

/** Entries from `from` on, at most `limit`, and the place to go on from. */
export function readEntries(folder: string, from: number, limit: number, near?: Place): Page | undefined {
  const segments = segmentsOf(folder, from);
  if (segments === undefined) return undefined;
  const entries: Entry[] = [];
  let place: Place | undefined;
  for (const segment of segments) {
    place = startIn(folder, segment, from, near);
    for (const line of appendsOf(folder, segment, place.offset)) {
      const append = parse<AppendLine>(line.body);
      const first: number = append.entries[0]?.seq ?? place.seq;
      if (first !== place.seq)
        throw damaged(
          segmentPath(folder, segment.fence),
          `${lineAt(segmentPath(folder, segment.fence), place.offset)}: entry ${place.seq} is missing`,
        );
      for (const entry of append.entries)
        if (entry.seq >= from && entries.length < limit) entries.push(entry);
      const seq: number = first + append.entries.length;
      if (seq > from + limit) return { entries, place };
      place = { fence: segment.fence, offset: line.end, seq };
      if (seq === from + limit) return { entries, place };
    }
  }
  return { entries, place };
}

/** Where to begin in a segment: where an earlier reading ended, if that is still the end of a line. */
function startIn(folder: string, segment: Segment, from: number, near: Place | undefined): Place {
  const start = { fence: segment.fence, offset: segment.start, seq: segment.seq };
  if (near?.fence !== segment.fence || near.seq > from || near.offset > (segment.bytes ?? near.offset))
    return start;
  const before = Buffer.alloc(1);
  const got = reading(segmentPath(folder, near.fence), (file) =>
    readSync(file, before, 0, 1, near.offset - 1),
  );
  return got === 1 && before.toString() === "\n" ? near : start;
}

/** Where a segment's appends end now, and what the last of them leave behind. */
export function endOf(
  folder: string,
  segment: Segment,
): Place & { readonly summary: RunSummary | undefined } {
  let { seq, summary } = segment;
  let offset = segment.start;
  for (const { body, end } of appendsOf(folder, segment, offset)) {
    const append = parse<AppendLine>(body);
    seq += append.entries.length;
    summary = append.summary ?? summary;
    offset = end;
  }
  return { fence: segment.fence, offset, seq, summary };
}

/**
 * The whole lines of a segment. A bad one at the very end of the last segment is an append that never was; anywhere
 * else it is damage.
 */
function* appendsOf(folder: string, segment: Segment, from: number): Generator<Line & { body: Buffer }> {
  const path = segmentPath(folder, segment.fence);
  const file = openSync(path, "r");
  try {
    let end = from;
    let torn = false;
    for (const line of lines(file, from, segment.bytes)) {
      if (torn) throw damaged(path, lineAt(path, end));
      torn = line.body === undefined;
      if (line.body === undefined) continue;
      end = line.end;
      yield { ...line, body: line.body };
    }
    if (segment.bytes !== undefined && end < segment.bytes) throw damaged(path, lineAt(path, end));
  } finally {
    closeSync(file);
  }
}

function lineAt(path: string, offset: number): string {
  return reading(path, (file) => {
    let number = 1;
    for (const line of lines(file, 0, offset)) if (line.end <= offset) number++;
    return `line ${number}`;
  });
}
