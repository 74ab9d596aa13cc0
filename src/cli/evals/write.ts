import { writeFile } from "node:fs/promises";
import { result } from "../terminal.ts";

/** Characters that are written at once. */
const portion = 65_536;

/** Writes a report as it is made, to a file, or to stdout (`-`). */
export async function writeReport(to: string, pieces: AsyncIterable<string>): Promise<void> {
  if (to !== "-") return writeFile(to, portionsOf(pieces));
  for await (const text of portionsOf(pieces)) await result(text);
}

async function* portionsOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length < portion) continue;
    yield text;
    text = "";
  }
  yield text;
}
