import type { RunEvent } from "../core/events.ts";
import { undoAround } from "../core/paths.ts";
import { duration, limitName } from "./format.ts";
import type { Progress } from "./progress.ts";
import { say } from "./terminal.ts";

/** Of the many operations one place may stand for, these are told: 1, 2, 5, 10, 20, 50, 100 … */
const isTold = (done: number): boolean => /^[125]0*$/.test(String(done));

/** Progress as lines, for logs and pipes: few, however large the map. */
export function tell(event: RunEvent, progress: Progress): void {
  if (event.type === "step-completed" && undoAround(event.path) !== undefined) return; // told as a whole
  switch (event.type) {
    case "step-completed":
    case "container-completed": {
      const line = progress.lineOf(event.path);
      if (line === undefined || line.repeats === undefined) {
        say(`done   ${event.path}  ${tookText(event)}`);
        return;
      }
      if (isTold(line.done)) say(`done   ${line.place}  ${line.done.toLocaleString("en")} so far`);
      return;
    }
    case "step-failed":
    case "operation-failed": {
      const failed = progress.lineOf(event.path)?.failed ?? 1;
      if (isTold(failed)) say(`failed ${event.path}  ${event.error.message}`);
      return;
    }
    case "retry-scheduled":
      if (isTold(event.attempt)) say(`again  ${event.path}  at ${new Date(event.due).toISOString()}`);
      return;
    case "compensation-begun":
      say(
        `back   the run ${event.why === "failed" ? "has failed" : "is cancelled"}: what it has done is undone`,
      );
      return;
    case "compensation-completed":
      if (isTold(progress.undone)) say(`undone ${event.path}  ${duration(event.took)}`);
      return;
    case "compensation-failed":
      say(`left   ${event.path}  ${event.error.message}`);
      return;
    case "fallback-taken":
      say(`else   ${event.path}  its fallback is taken`);
      return;
    case "signal-escalated":
      say(`waits  ${event.path}  now for ${event.assignees?.join(", ") ?? "anybody"}`);
      return;
    case "signal-awaited":
      say(`waits  ${event.path}  ${event.prompt}`);
      return;
    case "budget-breached":
      say(`breach ${event.path}  the provider billed more than it was allowed to`);
      return;
    case "budget-threshold":
      say(`budget ${event.scope}  ${event.percent} % of its ${limitName(event.of)} limit is spent`);
      return;
    case "budget-raised":
      say("budget the limits of the run are raised");
      return;
    default:
      return;
  }
}

const tookText = (event: Extract<RunEvent, { took: number }>): string =>
  "cached" in event && event.cached ? "cached, $0" : duration(event.took);
