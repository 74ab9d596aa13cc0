/**
 * What of an event may leave the process without being asked for: what kind of thing happened, where, when, and what it
 * cost. Never inputs, outputs, states, model prompts, pieces of answers or error messages, which may hold any of these.
 * What is not listed stays.
 */
import type { EntryOf, EntryType } from "./entries.ts";
import type { RunEvent } from "./events.ts";
import type { Json, JsonObject } from "./json.ts";
import { decimalUsd } from "./limits.ts";
import { questionPath } from "./paths.ts";

const work = ["kind", "attempt", "took", "cached"];

/** Fields beside those that every event has. */
const fields: { readonly [type in EntryType]?: readonly string[] } = {
  "run-created": ["pipeline", "fingerprint"],
  "run-resumed": ["why"],
  "run-waiting": ["signals"],
  "step-started": work,
  "step-completed": work,
  "step-failed": work,
  "container-completed": work,
  "operation-completed": work,
  "operation-failed": work,
  "retry-scheduled": ["attempt", "due"],
  "fallback-taken": ["to"],
  "loop-judged": ["done"],
  "map-started": ["count"],
  "timer-set": ["due"],
  "compensation-begun": ["why"],
  "compensation-completed": ["took"],
  "compensation-failed": ["took"],
  "run-failed": ["left"],
  "run-cancelled": ["left"],
  "signal-awaited": ["asks", "due"],
  "signal-escalated": ["round", "due"],
  "operation-started": ["kind"],
  "operation-cut": ["after"],
  "model-priced": ["model", "source", "date"],
  "budget-reserved": ["model", "kind"],
  "budget-settled": ["doubt"],
  "budget-threshold": ["scope", "percent", "of"],
};

/** The facts of an event: `type`, `seq`, `at`, `path`, and a few of its kind; money as `costUsd`, an exact decimal. */
export function factsOf(event: RunEvent): JsonObject {
  const { type, seq, at, path } = event;
  const facts: Record<string, Json> = { type, seq, at, path };
  const known = event as unknown as { readonly [field: string]: Json | undefined }; // the listed ones are JSON
  for (const field of fields[type] ?? []) {
    const value = known[field];
    if (value !== undefined) facts[field] = field === "due" ? new Date(Number(value)).toISOString() : value;
  }
  if ("picoUsd" in event) Object.assign(facts, { costUsd: decimalUsd(event.picoUsd), tokens: event.tokens });
  if (event.type === "signal-awaited") Object.assign(facts, questionIn(event));
  if ("error" in event && event.error !== undefined)
    Object.assign(facts, { errorCode: event.error.code, retryable: event.error.retryable });
  return facts;
}

/**
 * Where the answer goes; and the question, where an author wrote it for people to read. Whether a tool may be called is
 * asked with its arguments, which a model has written: that text stays.
 */
function questionIn(event: Pick<EntryOf<"signal-awaited">, "path" | "seq" | "prompt" | "asks">): JsonObject {
  const { path, seq, prompt, asks } = event;
  const answerAt = asks === undefined ? path : questionPath(path, seq);
  return asks === "approval" ? { answerAt } : { answerAt, prompt };
}
