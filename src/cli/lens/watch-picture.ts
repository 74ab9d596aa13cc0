/** A run that is followed, as a picture for terminals. Pure: drawing is `live.ts`. */
import type { Entry } from "../../core/entries.ts";
import { record } from "../../core/fold.ts";
import type { Path } from "../../core/paths.ts";
import { emptyRecord, type RunRecord } from "../../core/run-record.ts";
import { blocksOf } from "../../core/streamed.ts";
import { nested, parentPath } from "../../lens/nesting.ts";
import { type Operation, operationsOf } from "../../lens/operations.ts";
import { clip, count, duration, money } from "../format.ts";
import { around } from "../live.ts";
import { printable } from "../terminal.ts";

export interface PictureFrame {
  readonly width: number;
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** An operation, and where it stands in the tree. */
interface Row {
  readonly operation: Operation;
  readonly depth: number;
  /** The length of the path of the operation around it. */
  readonly outer: number;
}

/** So many entries are gone through anew in a millisecond of watching: a small part of what a computer can. */
const entriesPerMs = 25;

/**
 * How a run stands, drawn again and again. What comes is taken in once. The list of operations is made anew when something
 * has come, of a long journal less often: of 50,000 entries every two seconds.
 */
export class WatchPicture {
  readonly #runId: string;
  readonly #entries: Entry[] = [];
  readonly #run = emptyRecord();
  #rows: readonly Row[] = [];
  /** How many entries the rows are of, and when they were made. */
  #listed = 0;
  #listedAt = Number.NEGATIVE_INFINITY;

  constructor(runId: string) {
    this.#runId = runId;
  }

  take(fresh: readonly Entry[]): void {
    for (const entry of fresh) {
      this.#entries.push(entry);
      record(this.#run, entry);
    }
  }

  /** How the run stands and what it has spent, then its operations: as many as fit around those at work. */
  lines(frame: PictureFrame): string[] {
    this.#list(frame.now);
    const busy = this.#rows.findIndex(({ operation: { status } }) => isAtWork(status));
    const next = busy >= 0 ? busy : this.#rows.length - 1;
    const shown = around(this.#rows, next, Math.max(1, frame.height - 1)).map((row) =>
      typeof row === "string" ? row : rowLine(row, frame.now),
    );
    return [headLine(this.#runId, this.#run, frame.now), ...shown].map((line) =>
      printable(clipEnd(line, frame.width)),
    );
  }

  #list(now: number): void {
    const count = this.#entries.length;
    const isDue = now - this.#listedAt >= count / entriesPerMs;
    if (this.#listed === count || (this.#run.status === "running" && !isDue)) return;
    this.#rows = rowsOf(operationsOf(this.#entries, this.#run));
    this.#listed = count;
    this.#listedAt = now;
  }
}

const isAtWork = (status: Operation["status"]): boolean => status === "running" || status === "waiting";

function rowsOf(operations: ReadonlyMap<Path, Operation>): Row[] {
  const depths = new Map<Path, number>();
  const rows: Row[] = [];
  for (const operation of nested(operations)) {
    if (operation.kind === "decision") continue;
    let outer = parentPath(operation.path);
    while (outer !== "" && !depths.has(outer)) outer = parentPath(outer);
    const depth = outer === "" ? 0 : (depths.get(outer) ?? 0) + 1;
    depths.set(operation.path, depth);
    rows.push({ operation, depth, outer: outer.length });
  }
  return rows;
}

function headLine(runId: string, run: RunRecord, now: number): string {
  const { status, created, spent, limits, updatedAt } = run;
  const began = created?.at ?? updatedAt;
  const until = status === "running" ? now : updatedAt;
  const held = [...run.reservations.values()].filter(({ settled }) => settled === undefined);
  const heldPico = held.reduce((sum, { amount }) => sum + BigInt(amount.picoUsd), 0n);
  return [
    `${runId}  ${created?.pipeline ?? ""}  ${status}`,
    duration(Math.max(0, until - began)),
    `${money(spent.picoUsd)}${limits.picoUsd === undefined ? "" : ` of ${money(BigInt(limits.picoUsd))}`}`,
    ...(heldPico === 0n ? [] : [`${money(heldPico)} of it held`]),
    ...(spent.calls === 0 ? [] : [count(spent.calls, "call")]),
  ].join(" · ");
}

const marks = { completed: "✔", failed: "✖", running: "…", waiting: "?", stopped: "■" } as const;

function rowLine({ operation, depth, outer }: Row, now: number): string {
  const { path, kind, status, startedAt, durationMs, attempts, spent, said, out } = operation;
  const tookMs = status === "running" && startedAt !== undefined ? Math.max(0, now - startedAt) : durationMs;
  const facts = [
    kind,
    ...(tookMs === undefined ? [] : [duration(tookMs)]),
    ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ...(spent.picoUsd === 0n ? [] : [money(spent.picoUsd)]),
  ];
  const text = out === undefined ? saying(said) : "";
  return `${"  ".repeat(depth)}${marks[status]} ${path.slice(outer)}  ${facts.join(", ")}${text}`;
}

/** The end of what a call says while it is under way. */
function saying(said: Operation["said"]): string {
  const text = blocksOf(said)
    .map((block) => block.text)
    .join(" ")
    .replace(/\s+/g, " ");
  return text === "" ? "" : `  “…${text.slice(-mostSaid)}”`;
}
const mostSaid = 80;

const clipEnd = (line: string, width: number): string => {
  const indent = /^ */.exec(line)?.[0] ?? "";
  return indent + clip(line, Math.max(1, width - indent.length));
};
