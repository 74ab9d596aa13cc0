import type { Ending } from "./voice.ts";

/**
 * A speech up to the first of the marks that are to end it; `halt` is called then. Text that may yet turn out to be
 * the beginning of a mark is held back until it is known.
 */
export async function* untilMark(
  speech: AsyncGenerator<string, Ending>,
  marks: readonly string[],
  halt: () => void,
): AsyncGenerator<string, Ending> {
  let held = "";
  let next = await speech.next();
  for (; !next.done; next = await speech.next()) {
    held += next.value;
    const found = marks.map((mark) => held.indexOf(mark)).filter((at) => at >= 0);
    if (found.length > 0) {
      const before = held.slice(0, Math.min(...found));
      if (before !== "") yield before;
      halt();
      while (!next.done) next = await speech.next();
      return { ...next.value, finish: "stop" };
    }
    const sure = held.length - Math.max(0, ...marks.map((mark) => begun(held, mark)));
    if (sure > 0) yield held.slice(0, sure);
    held = held.slice(sure);
  }
  if (held !== "") yield held;
  return next.value;
}

/** How many characters at the end of a text are the beginning of a mark. */
function begun(text: string, mark: string): number {
  let length = Math.min(text.length, mark.length - 1);
  while (length > 0 && !text.endsWith(mark.slice(0, length))) length -= 1;
  return length;
}
