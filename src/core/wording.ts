/** What happened, in words for people: what sinks that people read begin with. */
import type { RunEvent } from "./events.ts";
import { factsOf } from "./facts.ts";
import { decimalUsd } from "./limits.ts";

/** At most so many characters of a text from outside. */
const longest = 300;

/** One line: `Run r of q3 failed`. Without outputs, prompts of models, or the messages of errors. */
export function headline(
  event: RunEvent,
  run: { readonly runId: string; readonly pipeline: string },
): string {
  const which = `Run ${run.runId} of ${run.pipeline}`;
  switch (event.type) {
    case "run-created":
      return `${which} has begun`;
    case "run-resumed":
      return event.why === "taken-over" ? `${which} was taken over` : `${which} was resumed`;
    case "run-completed":
      return `${which} is completed`;
    case "run-failed":
      return `${which} failed: ${event.error.code}${whereOf(event.error.path)}${leftOf(event.left)}`;
    case "run-halted":
      return `${which} halted at its budget: ${event.error.code}${whereOf(event.error.path)}`;
    case "run-cancelled":
      return `${which} was cancelled${leftOf(event.left)}`;
    case "cancellation-requested":
      return `${which} is to be cancelled: what it has done is to be undone first`;
    case "compensation-begun":
      return `${which} ${event.why === "failed" ? "has failed" : "was cancelled"}, and undoes what it has done`;
    case "compensation-completed":
      return `${which}: ${event.path} is undone`;
    case "compensation-failed":
      return `${which}: ${event.path} could not be undone: ${event.error.code}${whereOf(event.error.path)}`;
    case "run-waiting":
      return `${which} waits at ${clipped(event.signals.join(", "))}`;
    case "signal-awaited": {
      const question = questionOf(event);
      return question === undefined
        ? `${which} asks for leave at ${event.path}`
        : `${which} asks: ${clipped(question)}`;
    }
    case "signal-escalated":
      return `${which} asks others at ${event.path}: nobody has answered in time`;
    case "step-failed":
    case "operation-failed":
      return `${which}: ${event.path} failed: ${event.error.code} (attempt ${event.attempt})`;
    case "budget-threshold":
      return `${which}: ${event.scope} is at ${event.percent} % of its ${limitNames[event.of]} limit`;
    case "budget-breached":
      return `${which}: ${event.path} cost $${decimalUsd(event.picoUsd)}, more than it was allowed to`;
    default:
      return `${which}: ${event.type} at ${event.path}`;
  }
}

/** The question of an event, as far as it may leave without being asked for. */
export function questionOf(event: RunEvent): string | undefined {
  const { prompt } = factsOf(event);
  return typeof prompt === "string" ? prompt : undefined;
}

const limitNames = { cost: "cost", tokens: "token", calls: "call", toolCalls: "tool call" } as const;

const whereOf = (path: string | undefined): string => (path === undefined ? "" : ` at ${path}`);

const leftOf = (left: readonly string[] | undefined): string =>
  left === undefined ? "" : `; not undone: ${clipped(left.join(", "))}`;

/** On one line, and no longer than a line should be. */
function clipped(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= longest ? line : `${[...line].slice(0, longest - 1).join("")}…`;
}
