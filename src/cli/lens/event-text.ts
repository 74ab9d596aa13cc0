/** An event of a run as one line for people. */
import type { RunEvent } from "../../core/events.ts";
import { clip, duration, limitName, money } from "../format.ts";

/** Characters of a line that shows a text from outside. */
const widest = 160;

/** What happened, as a word and the rest; undefined for what tells a reader nothing. */
export function eventText(event: RunEvent): readonly [word: string, text: string] | undefined {
  const { path } = event;
  switch (event.type) {
    case "run-created":
      return ["begins", `${event.pipeline}  ${event.fingerprint}`];
    case "run-resumed":
      return ["goes on", `${event.why}, by ${event.owner}`];
    case "run-completed":
      return ["completed", ""];
    case "run-failed":
      return ["failed", said(event.error.message)];
    case "run-halted":
      return ["halted", said(event.error.message)];
    case "run-cancelled":
      return ["cancelled", said(event.error.message)];
    case "run-waiting":
      return ["waits", (event.waits ?? []).map((wait) => wait.path).join(", ")];
    case "step-started":
      return ["begins", attemptText(path, event.attempt)];
    case "operation-started":
      return ["begins", path];
    case "step-completed":
      return ["done", `${path}  ${event.cached ? "cached" : duration(event.took)}`];
    case "container-completed":
    case "operation-completed":
      return ["done", `${path}  ${duration(event.took)}`];
    case "step-failed":
    case "operation-failed":
      return ["failed", `${attemptText(path, event.attempt)}  ${said(event.error.message)}`];
    case "operation-cut":
      return ["cut off", `${path}  after ${duration(event.after)}`];
    case "failure-collected":
      return ["collected", `${path}  ${said(event.error.message)}`];
    case "retry-scheduled":
      return ["again", `${path}  at ${new Date(event.due).toISOString()}`];
    case "fallback-taken":
      return ["else", `${path}  takes ${event.to}`];
    case "branch-chosen":
      return ["takes", `${path}  ${event.key}`];
    case "loop-judged":
      return ["judged", `${path}  ${event.done ? "done" : "again"}`];
    case "map-started":
      return ["maps", `${path}  ${event.count.toLocaleString("en")} items`];
    case "timer-set":
      return ["sleeps", `${path}  until ${new Date(event.due).toISOString()}`];
    default:
      return peopleText(event) ?? undoText(event) ?? moneyText(event);
  }
}

function undoText(event: RunEvent): readonly [string, string] | undefined {
  switch (event.type) {
    case "compensation-begun":
      return [
        "back",
        `the run ${event.why === "failed" ? "has failed" : "is cancelled"}: what it has done is undone`,
      ];
    case "compensation-started":
      return ["undoes", event.path];
    case "compensation-completed":
      return ["undone", `${event.path}  ${duration(event.took)}`];
    case "compensation-failed":
      return ["left", `${event.path}  ${said(event.error.message)}`];
    case "cancellation-requested":
      return ["cancelled", said(event.reason)];
    default:
      return undefined;
  }
}

function peopleText(event: RunEvent): readonly [string, string] | undefined {
  const { path } = event;
  switch (event.type) {
    case "signal-awaited":
      return ["asks", `${path}  ${said(event.prompt)}`];
    case "signal-escalated":
      return ["asks", `${path}  now ${event.assignees?.join(", ") ?? "anybody"}`];
    case "signal-received":
      return ["answered", `${path}  ${event.late ? "nobody, in time" : (event.by ?? "somebody")}`];
    case "question-answered":
      return ["answered", `${path}  ${event.by ?? "somebody"}`];
    case "text-streamed":
      return ["says", `${path}  ${said(event.chunks.join(""))}`];
    default:
      return undefined;
  }
}

function moneyText(event: RunEvent): readonly [string, string] | undefined {
  const { path } = event;
  switch (event.type) {
    case "budget-reserved":
      return ["calls", `${path}  ${event.model}, at most ${money(event.picoUsd)}`];
    case "budget-settled":
      return ["paid", `${path}  ${money(event.picoUsd)}${event.doubt ? ", in doubt" : ""}`];
    case "budget-released":
      return ["returned", `${path}  the call was never made`];
    case "budget-breached":
      return ["breach", `${path}  the provider billed more than it was allowed to`];
    case "budget-threshold":
      return ["budget", `${event.scope}  ${event.percent} % of its ${limitName(event.of)} limit is spent`];
    case "budget-raised":
      return ["budget", "the limits of the run are raised"];
    default:
      return undefined;
  }
}

const said = (text: string): string => clip(text, widest);
const attemptText = (path: string, attempt: number): string =>
  attempt > 1 ? `${path}  attempt ${attempt}` : path;

/** The line: how long after the run's beginning, the word, the rest. */
export function eventLine(event: RunEvent, began: number): string | undefined {
  const told = eventText(event);
  if (told === undefined) return undefined;
  const after = duration(Math.max(0, Date.parse(event.at) - began));
  return `${after.padStart(12)}  ${told[0].padEnd(9)}  ${told[1]}`.trimEnd();
}
