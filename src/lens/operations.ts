import type { Entry, EntryOf, Ref } from "../core/entries.ts";
import type { ErrorRecord } from "../core/error-record.ts";
import { type RunRecord, spentOf } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import { addSpent, decimalUsd, nothingSpent, type Spent } from "../core/limits.ts";
import { type Path, undoPath } from "../core/paths.ts";
import { readableJson } from "./readable.ts";

/** An attempt that failed. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly at: string;
  readonly durationMs: number;
  readonly error: ErrorRecord;
}

/** What a journal says of one path, before values are fetched. */
export interface Operation {
  readonly path: Path;
  kind: string;
  /** `stopped`: begun, and the run came to stand before there was a result. */
  status: "running" | "completed" | "failed" | "waiting" | "stopped";
  attempts: number;
  startedAt: number | undefined;
  /** When its last attempt ended; undefined while there is no end. */
  endedAt: number | undefined;
  durationMs: number | undefined;
  in: Ref | undefined;
  /** Where the output stands; or the output itself, of a decision. */
  out: { readonly ref: Ref } | { readonly json: Json } | undefined;
  error: ErrorRecord | undefined;
  readonly failures: FailedAttempt[];
  /** Money held or spent for it and for all inside it. */
  spent: Spent;
  cached: boolean;
  model: string | undefined;
  /** What its last call said, as far as it came. */
  said: EntryOf<"text-streamed">[];
  /** Sentences for a reader: what is held, in doubt, due. */
  readonly notes: string[];
}

/** Every path with something recorded, in the order of its first entry. */
export function operationsOf(entries: readonly Entry[], run: RunRecord): ReadonlyMap<Path, Operation> {
  const recorded = new Recorded();
  for (const entry of entries) recorded.take(entry);
  return recorded.standing(run);
}

/** Operations as entries tell of them, one entry after another. */
export class Recorded {
  readonly #found = new Map<Path, Operation>();

  /** How many there are. */
  get size(): number {
    return this.#found.size;
  }

  /** All of them, as the last entry that tells of each has left it. */
  get told(): Iterable<Operation> {
    return this.#found.values();
  }

  /** Takes the next entry in. Returns the operations it tells of. */
  take(entry: Entry): readonly Operation[] {
    const told: Operation[] = [];
    const at = (path: Path, kind: string): Operation => {
      const operation = this.#found.get(path) ?? blank(path, kind);
      this.#found.set(path, operation);
      told.push(operation);
      return operation;
    };
    take(entry, at, this.#found);
    return told;
  }

  /** How one of them stands: what has no result yet is under way, or was stopped with the run. */
  statusOf(operation: Operation, run: RunRecord): Operation["status"] {
    return statusIn(operation, run, this.#found);
  }

  /** All of them as they stand, with what they cost. */
  standing(run: RunRecord): ReadonlyMap<Path, Operation> {
    const all = new Map<Path, Operation>();
    for (const [path, { failures, said, notes, ...rest }] of this.#found)
      all.set(path, { ...rest, failures: [...failures], said: [...said], notes: [...notes] });
    spend(run, all);
    for (const operation of all.values()) close(operation, run, this.#found);
    return all;
  }
}

type At = (path: Path, kind: string) => Operation;

const blank = (path: Path, kind: string): Operation => ({
  path,
  kind,
  status: "running",
  attempts: 1,
  startedAt: undefined,
  endedAt: undefined,
  durationMs: undefined,
  in: undefined,
  out: undefined,
  error: undefined,
  failures: [],
  spent: nothingSpent,
  cached: false,
  model: undefined,
  said: [],
  notes: [],
});

function take(entry: Entry, at: At, found: ReadonlyMap<Path, Operation>): void {
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

/** Charges each reservation to its call and to everything around it. */
function spend(run: RunRecord, found: ReadonlyMap<Path, Operation>): void {
  for (const { path, amount, kind, settled, doubt } of run.reservations.values()) {
    const charged = spentOf(settled ?? amount, kind);
    for (let at = path; at !== ""; at = parentPath(at)) {
      const operation = found.get(at);
      if (operation !== undefined) operation.spent = addSpent(operation.spent, charged);
    }
    const notes = found.get(path)?.notes;
    if (settled === undefined) {
      notes?.push(`${usd(amount.picoUsd)} is held for it: the most it can cost, until the call is settled.`);
    } else if (doubt) {
      notes?.push(
        `In doubt: nobody knows what the call cost, so all that was held for it counts (${usd(amount.picoUsd)}).`,
      );
    }
  }
}

/** How an operation stands in its run, with what is to be said of that. */
function close(operation: Operation, run: RunRecord, found: ReadonlyMap<Path, Operation>): void {
  const { forkedFrom } = run.created ?? {};
  if (forkedFrom !== undefined && operation.kind === "model-call" && operation.model === undefined)
    operation.notes.push(
      `It is shared with run ${forkedFrom.runId}: what its model was sent, and what it cost, is recorded there.`,
    );
  const wasRunning = operation.status === "running";
  operation.status = statusIn(operation, run, found);
  const due = run.timers.get(operation.path);
  if (wasRunning && due !== undefined && (operation.status === "running" || operation.status === "waiting"))
    operation.notes.push(`It sleeps until ${iso(due)}.`);
}

function statusIn(
  { path, status }: Operation,
  run: RunRecord,
  found: ReadonlyMap<Path, Operation>,
): Operation["status"] {
  if (status === "waiting") return run.status === "waiting" || run.status === "running" ? status : "stopped";
  if (status !== "running") return status;
  const due = run.timers.get(path);
  const owner = found.get(parentPath(path));
  if (due !== undefined && (due <= run.updatedAt || owner?.status === "completed")) return "completed";
  if (run.status === "waiting" && due !== undefined) return "waiting";
  return run.status === "running" ? status : "stopped";
}

/** The path one part shorter: of `/q3/all[a]/fetch:get#0` it is `/q3/all[a]/fetch`; of `/q3` it is the empty one. */
export function parentPath(path: Path): Path {
  const at = Math.max(
    path.lastIndexOf("/"),
    path.lastIndexOf("["),
    path.lastIndexOf("@"),
    path.lastIndexOf(":"),
  );
  return path.slice(0, Math.max(0, at));
}

/** Outer paths before inner ones, neighbours in the order of their first entry. */
export function* nested(found: ReadonlyMap<Path, Operation>): Generator<Operation> {
  const below = new Map<Path, Path[]>();
  const hung = new Set<Path>();
  for (const path of found.keys()) {
    for (let at = path; at !== "" && !hung.has(at); at = parentPath(at)) {
      hung.add(at);
      const siblings = below.get(parentPath(at));
      if (siblings === undefined) below.set(parentPath(at), [at]);
      else siblings.push(at);
    }
  }
  const rest: Path[] = [""];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    const operation = found.get(path);
    if (operation !== undefined) yield operation;
    const inner = below.get(path) ?? [];
    for (let i = inner.length - 1; i >= 0; i--) rest.push(inner[i] as Path); // in range
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
const usd = (pico: string): string => `$${decimalUsd(BigInt(pico))}`;
