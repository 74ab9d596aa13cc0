import type { End } from "./course.ts";
import { textOf } from "./digest.ts";
import type { Verdict } from "./reference.ts";

/** Says where a run has ended otherwise than it must. */
export function compareEnds(expected: Verdict, end: End, say: (what: string) => void): void {
  const code = expected.status === "failed" ? expected.code : undefined;
  if (expected.status !== end.status || code !== end.code) {
    say(`it ended ${end.status} (${end.code}), and should have ended ${expected.status} (${code})`);
    return;
  }
  const should = textOf(expected.status === "completed" ? expected.output : undefined);
  const is = textOf(end.output);
  if (should !== is) say(`its output is ${is}, and should be ${should}`);
}
