import type { RunEvent } from "../../core/events.ts";
import { say } from "../terminal.ts";

/** Told so many times in all, where lines stay. */
const tellings = 10;

/** Tells how far an experiment has come: in one line that changes on a terminal, in a few lines elsewhere. */
export function trialProgress(total: number, done: number): (event: RunEvent) => void {
  const isLive = process.stderr.isTTY && process.env.TERM !== "dumb";
  let scored = 0;
  let sum = 0;
  return (event) => {
    if (event.type !== "step-completed") return;
    done += 1;
    const score = (event.output as { readonly score?: unknown }).score; // a record, or where a large one is kept
    if (typeof score === "number") {
      scored += 1;
      sum += score;
    }
    const line = `${done} of ${total} trials${scored === 0 ? "" : `, ${(sum / scored).toFixed(3)} on average`}`;
    if (isLive) process.stderr.write(`\r\x1b[K${line}${done === total ? "\n" : ""}`);
    else if (done === total || done % Math.ceil(total / tellings) === 0) say(line);
  };
}
