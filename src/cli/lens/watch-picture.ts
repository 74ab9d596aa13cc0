/** A run that is followed, as a picture for terminals. Pure: drawing is `live.ts`. */
import type { Entry } from "../../core/entries.ts";
import { fold, type RunRecord } from "../../core/fold.ts";
import type { Path } from "../../core/paths.ts";
import { blocksOf } from "../../core/streamed.ts";
import { nested, type Operation, operationsOf, parentPath } from "../../lens/operations.ts";
import { clip, count, duration, money } from "../format.ts";
import { around } from "../live.ts";
import { printable } from "../terminal.ts";

export interface PictureFrame {
  readonly width: number;
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How the run stands and what it has spent, then its operations: as many as fit around those at work. */
export function watchPicture(runId: string, entries: readonly Entry[], frame: PictureFrame): string[] {
  const run = fold(entries);
  const depths = new Map<Path, number>();
  const operations = [...nested(operationsOf(entries, run))].filter(({ kind }) => kind !== "decision");
  const busy = operations.findIndex(({ status }) => status === "running" || status === "waiting");
  const next = busy >= 0 ? busy : operations.length - 1;
  const lines = operations.map((operation) => operationLine(operation, depths, frame.now));
  const shown = around(lines, next, Math.max(1, frame.height - 1));
  return [headLine(runId, run, frame.now), ...shown].map((line) => printable(clipEnd(line, frame.width)));
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

function operationLine(operation: Operation, depths: Map<Path, number>, now: number): string {
  const { path, kind, status, startedAt, durationMs, attempts, spent, said, out } = operation;
  let outer = parentPath(path);
  while (outer !== "" && !depths.has(outer)) outer = parentPath(outer);
  const depth = outer === "" ? 0 : (depths.get(outer) ?? 0) + 1;
  depths.set(path, depth);
  const tookMs = status === "running" && startedAt !== undefined ? Math.max(0, now - startedAt) : durationMs;
  const facts = [
    kind,
    ...(tookMs === undefined ? [] : [duration(tookMs)]),
    ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ...(spent.picoUsd === 0n ? [] : [money(spent.picoUsd)]),
  ];
  const text = out === undefined ? saying(said) : "";
  return `${"  ".repeat(depth)}${marks[status]} ${path.slice(outer.length)}  ${facts.join(", ")}${text}`;
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
