/**
 * The lines of a journal file: a CRC-32 in eight hex digits, a space, JSON, a newline. A line is whole or void, so
 * whatever is written as one line is atomic.
 */
import { readSync } from "node:fs";
import { crc32 } from "node:zlib";

/** One line, from its first byte to the byte after its newline. */
export interface Line {
  readonly start: number;
  readonly end: number;
  /** The JSON, to be read before the next line is asked for; undefined when the line is torn or damaged. */
  readonly body: Buffer | undefined;
}

const newline = 10;
const space = 32;
const crcLength = 8;
const firstChunk = 256 * 1_024;

export function encodeLine(value: unknown): Buffer {
  const json = JSON.stringify(value);
  return Buffer.from(`${crc32(json).toString(16).padStart(crcLength, "0")} ${json}\n`);
}

/** The JSON of a line without its newline; undefined when it is not what was written. */
export function decodeLine(line: Buffer): Buffer | undefined {
  if (line.length <= crcLength || line[crcLength] !== space) return undefined;
  const body = line.subarray(crcLength + 1);
  const crc = line.toString("latin1", 0, crcLength);
  return crc === crc32(body).toString(16).padStart(crcLength, "0") ? body : undefined;
}

/** The lines of an open file from one byte offset to another. Memory is bounded by the longest line. */
export function* lines(file: number, from: number, to: number = Number.POSITIVE_INFINITY): Generator<Line> {
  let chunk = Buffer.allocUnsafe(Math.min(firstChunk, Math.max(to - from, 1)));
  let held = 0;
  let at = from;
  for (;;) {
    const wanted = Math.min(chunk.length - held, to - at - held);
    const got = wanted > 0 ? readSync(file, chunk, held, wanted, at + held) : 0;
    const bytes = chunk.subarray(0, held + got);
    let start = 0;
    for (let end = bytes.indexOf(newline, held); end !== -1; end = bytes.indexOf(newline, start)) {
      yield { start: at + start, end: at + end + 1, body: decodeLine(bytes.subarray(start, end)) };
      start = end + 1;
    }
    if (got === 0) {
      if (bytes.length > start) yield { start: at + start, end: at + bytes.length, body: undefined };
      return;
    }
    held = bytes.length - start;
    at += start;
    const next = held === chunk.length ? Buffer.allocUnsafe(chunk.length * 2) : chunk;
    bytes.copy(next, 0, start);
    chunk = next;
  }
}
