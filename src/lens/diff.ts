/** Two runs, step by step: what went in and came out, what models were sent and said, what it cost. */
import type { Path } from "../core/paths.ts";
import { compareTexts, compareValues, type ValueChange } from "./compare-values.ts";
import type { MessageView } from "./messages.ts";
import type { SpentView } from "./readable.ts";
import type { Trace, TracedOperation } from "./trace.ts";

/** Two runs beside one another, as `flujo lens diff --json` prints them. */
export interface RunDiff {
  readonly a: RunBrief;
  readonly b: RunBrief;
  readonly input: readonly ValueChange[];
  readonly output: readonly ValueChange[];
  /** Operations that are the same in both: in status, attempts, values, messages and cost. Times always differ. */
  readonly same: number;
  /** The others, in the order of `a`, those of `b` alone where they stand there. */
  readonly operations: readonly OperationDiff[];
}

export interface RunBrief {
  readonly runId: string;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly status: string;
  readonly durationMs: number;
  readonly spent: SpentView;
}

/** What differs at a path: absent where both are the same. */
export interface OperationDiff {
  readonly path: Path;
  readonly kind: string;
  /** In one run only. */
  readonly only?: "a" | "b";
  readonly status?: Both<string>;
  readonly attempts?: Both<number>;
  readonly model?: Both<string | null>;
  readonly input?: readonly ValueChange[];
  readonly output?: readonly ValueChange[];
  readonly error?: Both<string | null>;
  /** Lines of what was sent and answered, `-` or `+` before them. */
  readonly messages?: readonly string[];
  readonly costUsd?: Both<string>;
  readonly durationMs: Both<number | null>;
}

export interface Both<T> {
  readonly a: T;
  readonly b: T;
}

export async function diffRuns(a: Trace, b: Trace): Promise<RunDiff> {
  const mine = new Map(a.operations.map((operation) => [operation.path, operation]));
  const theirs = new Map(b.operations.map((operation) => [operation.path, operation]));
  const operations: OperationDiff[] = [];
  let same = 0;
  for (const path of merged(a.operations, b.operations)) {
    const difference = await differenceAt(path, mine.get(path), theirs.get(path));
    if (difference === undefined) same += 1;
    else operations.push(difference);
  }
  return {
    a: brief(a),
    b: brief(b),
    input: await compareValues(a.run.input, b.run.input),
    output: await compareValues(a.run.output, b.run.output),
    same,
    operations,
  };
}

const brief = ({ run }: Trace): RunBrief => {
  const { runId, pipeline, fingerprint, status, durationMs, spent } = run;
  return { runId, pipeline, fingerprint, status, durationMs, spent };
};

/** The paths of both: in the order of the first, those of the second alone after what stands before them there. */
export function merged(
  first: readonly { readonly path: Path }[],
  second: readonly { readonly path: Path }[],
): Path[] {
  const known = new Set(first.map(({ path }) => path));
  const after = new Map<Path, Path[]>();
  let before: Path = "";
  for (const { path } of second) {
    if (known.has(path)) before = path;
    else after.set(before, [...(after.get(before) ?? []), path]);
  }
  return [...(after.get("") ?? []), ...first.flatMap(({ path }) => [path, ...(after.get(path) ?? [])])];
}

async function differenceAt(
  path: Path,
  a: TracedOperation | undefined,
  b: TracedOperation | undefined,
): Promise<OperationDiff | undefined> {
  const durationMs = { a: a?.durationMs ?? null, b: b?.durationMs ?? null };
  if (a === undefined || b === undefined) {
    const [kind, only] = a === undefined ? [b?.kind ?? "", "b" as const] : [a.kind, "a" as const];
    return { path, kind, only, durationMs };
  }
  const found = {
    ...both("status", a.status, b.status),
    ...both("attempts", a.attempts, b.attempts),
    ...both("model", a.model ?? null, b.model ?? null),
    ...listed("input", await compareValues(a.input, b.input)),
    ...listed("output", await compareValues(a.output, b.output)),
    ...both("error", a.error?.message ?? null, b.error?.message ?? null),
    ...listed("messages", await compareTexts(messagesText(a.messages), messagesText(b.messages))),
    ...both("costUsd", a.spent.costUsd, b.spent.costUsd),
  };
  return Object.keys(found).length === 0 ? undefined : { path, kind: a.kind, ...found, durationMs };
}

const both = <T>(name: string, a: T, b: T): { readonly [name: string]: Both<T> } =>
  a === b ? {} : { [name]: { a, b } };

const listed = <T>(name: string, list: readonly T[]): { readonly [name: string]: readonly T[] } =>
  list.length === 0 ? {} : { [name]: list };

/** A conversation as text, each message with a word before it. */
function messagesText(messages: readonly MessageView[] = []): string {
  return messages
    .map(({ direction, role, kind, tool, text }) => {
      const who = kind === undefined ? role : [kind, tool].filter((word) => word !== undefined).join(" ");
      return `${direction === "to" ? "→" : "←"} ${who}: ${text}\n`;
    })
    .join("");
}
