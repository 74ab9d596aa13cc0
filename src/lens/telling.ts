/** What the entries of a journal tell of its operations. */
import type { Entry, EntryOf } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import { decimalUsd } from "../core/limits.ts";
import { type Path, undoPath } from "../core/paths.ts";
import type { Operation } from "./operations.ts";
import { readableJson } from "./readable.ts";

/** The operation at a path, from here on among those that are told of. */
type At = (path: Path, kind: string) => Operation;

/**
 * Changes the operations that an entry tells of.
 *
 * @param found all there are so far: of some, an entry has nothing to say unless they are there.
 */
export function takeEntry(entry: Entry, at: At, found: ReadonlyMap<Path, Operation>): void {
  switch (entry.type) {
    case "step-started": {
      const operation = at(entry.path, entry.kind);
      operation.status = "running";
      operation.attempts = entry.attempt;
      operation.startedAt ??= entry.at;
      operation.in = entry.in;
      return;
    }
    case "step-completed": {
      const operation = at(entry.path, entry.kind);
      operation.attempts = entry.attempt ?? 1;
      operation.in = entry.in;
      operation.cached = entry.cached === true;
      complete(operation, entry, entry.took ?? 0);
      return;
    }
    case "operation-completed": {
      const operation = at(entry.path, entry.kind);
      operation.kind = entry.kind;
      complete(operation, entry, entry.took);
      return;
    }
    case "step-failed":
    case "operation-failed":
      fail(at(entry.path, entry.kind), entry);
      return;
    case "container-completed": {
      const operation = at(entry.path, entry.kind);
      operation.kind = entry.kind;
      operation.in = entry.in;
      complete(operation, entry, entry.took);
      return;
    }
    case "value-altered":
      complete(at(entry.path, "check"), entry, 0);
      return;
    case "signal-received": {
      const operation = at(entry.path, "humanInTheLoop");
      if (entry.by !== undefined) operation.notes.push(`${entry.by} sent it.`);
      if (entry.late) operation.notes.push("Nothing came in time: this was declared for that.");
      complete(operation, entry, undefined);
      return;
    }
    case "compensation-started":
    case "compensation-completed":
    case "compensation-failed":
      takeUndo(entry, at(undoPath(entry.path), "compensation"));
      return;
    case "failure-collected": {
      const operation = at(entry.path, "item");
      operation.status = "failed";
      operation.error = entry.error;
      operation.endedAt = entry.at;
      return;
    }
    default:
      takeDecision(entry, at, found);
  }
}

function takeUndo(
  entry: EntryOf<"compensation-started"> | EntryOf<"compensation-completed"> | EntryOf<"compensation-failed">,
  operation: Operation,
): void {
  if (entry.type === "compensation-started") {
    operation.startedAt ??= entry.at;
    operation.in = entry.seq;
    return;
  }
  operation.durationMs = entry.took;
  operation.status = entry.type === "compensation-completed" ? "completed" : "failed";
  operation.error = entry.type === "compensation-failed" ? entry.error : undefined;
}

function takeDecision(entry: Entry, at: At, found: ReadonlyMap<Path, Operation>): void {
  switch (entry.type) {
    case "branch-chosen":
      decide(at(entry.path, "branchOn"), entry.at, entry.key);
      return;
    case "loop-judged":
      decide(at(entry.path, "decision"), entry.at, entry.done);
      return;
    case "map-started":
      at(entry.path, "mapOver").startedAt ??= entry.at;
      return;
    case "timer-set": {
      const operation = at(entry.path, "sleep");
      operation.startedAt ??= entry.at;
      operation.endedAt = entry.due;
      operation.durationMs = entry.due - entry.at;
      return;
    }
    case "signal-awaited": {
      const operation = at(entry.path, askerOf(entry));
      operation.status = "waiting";
      operation.startedAt ??= entry.at;
      if (entry.kind !== "signal") operation.notes.push(`It asks${whom(entry)}: ${entry.prompt}`);
      if (entry.due !== undefined) operation.notes.push(`It waits until ${iso(entry.due)}.`);
      return;
    }
    case "signal-escalated": {
      const until = entry.due === undefined ? "" : ` until ${iso(entry.due)}`;
      at(entry.path, "humanInTheLoop").notes.push(`Nobody answered in time: it asks${whom(entry)}${until}.`);
      return;
    }
    case "question-answered": {
      const operation = at(entry.path, "tool-call");
      operation.status = "running";
      const who = entry.late
        ? "Nobody answered in time, for which was declared"
        : `${entry.by ?? "A person"} answered`;
      operation.notes.push(`${who}: ${JSON.stringify(readableJson(entry.output))}`);
      return;
    }
    case "operation-started": {
      const operation = at(entry.path, entry.kind);
      operation.status = "running";
      operation.startedAt ??= entry.at;
      return;
    }
    case "retry-scheduled": {
      const { path, attempt, due, error } = entry;
      const operation = error === undefined ? found.get(path) : at(path, "tool-call");
      const why = error === undefined ? "" : ` (${error.message})`;
      operation?.notes.push(`Attempt ${attempt} failed${why}; the next one was due at ${iso(due)}.`);
      return;
    }
    case "operation-cut":
      found
        .get(entry.path)
        ?.notes.push(`Cut off after ${entry.after / 1_000} s, as the time of its process was over.`);
      return;
    case "fallback-taken":
      found.get(entry.path)?.notes.push("Its fallback was taken.");
      return;
    case "budget-reserved": {
      const operation = at(entry.path, entry.kind ?? "model-call");
      if (operation.model !== undefined) operation.attempts += 1;
      operation.model = entry.model;
      operation.said = [];
      operation.startedAt ??= entry.at;
      return;
    }
    case "text-streamed":
      at(entry.path, "model-call").said.push(entry);
      return;
    case "budget-breached":
      at(entry.path, "model-call").notes.push(
        `The provider billed ${usd(entry.amount.picoUsd)}, and was allowed ${usd(entry.allowed.picoUsd)}.`,
      );
      return;
    default:
      return;
  }
}

function askerOf({ asks, kind }: EntryOf<"signal-awaited">): string {
  if (asks !== undefined) return "tool-call";
  return kind === "signal" ? "waitFor" : "humanInTheLoop";
}

const whom = ({ assignees }: { readonly assignees?: readonly string[] }): string =>
  assignees === undefined ? "" : ` ${assignees.join(", ")}`;

function complete(operation: Operation, entry: Entry, took: number | undefined): void {
  operation.status = "completed";
  operation.out = { ref: entry.seq };
  operation.error = undefined;
  operation.endedAt = entry.at;
  operation.startedAt ??= entry.at - (took ?? 0); // what was sent early was there when it was waited for
  if (took === undefined) operation.durationMs ??= entry.at - operation.startedAt;
  else operation.durationMs = took;
}

function fail(operation: Operation, entry: EntryOf<"step-failed"> | EntryOf<"operation-failed">): void {
  const { attempt, error, took } = entry;
  operation.status = "failed";
  if (entry.type === "step-failed") {
    operation.attempts = attempt;
    operation.in = entry.in;
  }
  operation.startedAt ??= entry.at - took;
  operation.endedAt = entry.at;
  operation.durationMs = took;
  operation.error = error;
  operation.failures.push({ attempt, at: iso(entry.at), durationMs: took, error });
}

function decide(operation: Operation, at: number, output: Json): void {
  operation.status = "completed";
  operation.startedAt ??= at;
  operation.endedAt = at;
  operation.out = { json: output };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const usd = (pico: string): string => `$${decimalUsd(BigInt(pico))}`;
