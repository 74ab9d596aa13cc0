/** A run's operations as a tree that is read a few rows at a time: what a waterfall draws. */
import type { Entry } from "../core/entries.ts";
import type { RunRecord } from "../core/fold.ts";
import { addSpent, decimalUsd, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { type Operation, parentPath } from "./operations.ts";

/** One row: an operation, or what holds operations and has no entry of its own (a map's item, a loop's turn, a branch). */
export interface TreeRow {
  readonly path: Path;
  /** The last part of the path, as it stands there. */
  readonly name: string;
  readonly kind: string;
  readonly status: Operation["status"];
  readonly attempts: number;
  /** Milliseconds since 1970: from its first beginning to its last end, or to the run's last entry. */
  readonly began: number;
  readonly ended: number;
  /** An exact decimal of US dollars, of all inside it. */
  readonly costUsd: string;
  readonly tokens: number;
  readonly model?: string;
  readonly cached?: true;
  /** Rows right below it. */
  readonly children: number;
}

/** Some of the rows right below a path. */
export interface TreePage {
  readonly within: Path;
  /** How many rows there are below it, and the number of the first one here, from 0. */
  readonly total: number;
  readonly from: number;
  readonly rows: readonly TreeRow[];
}

/** A time in which nobody advanced the run: it waited, had halted or failed, or its process had died. */
export interface Pause {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** A run's tree, made once for many pages. */
export interface Tree {
  page(within: Path, from: number, limit: number): TreePage;
  readonly pauses: readonly Pause[];
}

interface Twig {
  readonly path: Path;
  operation: Operation | undefined;
  readonly below: Twig[];
  began: number;
  ended: number;
  spent: Spent;
  status: Operation["status"];
}

/** The tree of everything recorded. Time and memory grow with the journal; a page costs what it holds. */
export function treeOf(
  operations: Iterable<Operation>,
  entries: readonly Entry[],
  { updatedAt }: Pick<RunRecord, "updatedAt">,
): Tree {
  const root = twigOf("");
  const twigs = new Map<Path, Twig>([["", root]]);
  for (const operation of operations) hang(operation.path, twigs).operation = operation;
  measure(root, updatedAt);
  return {
    pauses: pausesOf(entries),
    page(within, from, limit) {
      const below = twigs.get(within)?.below ?? [];
      return {
        within,
        total: below.length,
        from,
        rows: below.slice(from, from + limit).map((twig) => rowOf(twig, twigs)),
      };
    },
  };
}

const twigOf = (path: Path): Twig => ({
  path,
  operation: undefined,
  below: [],
  began: Number.POSITIVE_INFINITY,
  ended: 0,
  spent: nothingSpent,
  status: "completed",
});

function hang(path: Path, twigs: Map<Path, Twig>): Twig {
  const known = twigs.get(path);
  if (known !== undefined) return known;
  const twig = twigOf(path);
  twigs.set(path, twig);
  hang(parentPath(path), twigs).below.push(twig);
  return twig;
}

/** What stands without an entry of its own is as what is inside it. Paths are as deep as the pipeline is nested. */
function measure(twig: Twig, now: number): void {
  for (const inner of twig.below) {
    measure(inner, now);
    twig.began = Math.min(twig.began, inner.began);
    twig.ended = Math.max(twig.ended, inner.ended);
  }
  const { operation } = twig;
  if (operation === undefined) {
    twig.spent = twig.below.reduce((sum, { spent }) => addSpent(sum, spent), nothingSpent);
    twig.status = statusOf(twig.below);
    return;
  }
  twig.spent = operation.spent;
  twig.status = operation.status;
  const isOpen = operation.status === "running" || operation.status === "waiting";
  const began = Math.min(operation.startedAt ?? twig.began, now);
  const ended = isOpen ? now : Math.min(operation.endedAt ?? began, now); // a sleep's end may be to come
  twig.began = Math.min(twig.began, began);
  twig.ended = Math.max(twig.ended, ended);
}

function statusOf(below: readonly Twig[]): Operation["status"] {
  const found = new Set(below.map(({ status }) => status));
  return (
    (["running", "waiting", "failed", "stopped"] as const).find((status) => found.has(status)) ?? "completed"
  );
}

function rowOf(twig: Twig, twigs: ReadonlyMap<Path, Twig>): TreeRow {
  const { path, operation, below, began, ended, spent, status } = twig;
  const within = parentPath(path);
  return {
    path,
    name: path.slice(within.length),
    kind: operation?.kind ?? kindOf(path, twigs.get(within)?.operation?.kind),
    status,
    attempts: operation?.attempts ?? 1,
    began,
    ended,
    costUsd: decimalUsd(spent.picoUsd),
    tokens: spent.inputTokens + spent.outputTokens,
    ...(operation?.model === undefined || operation.kind !== "model-call" ? {} : { model: operation.model }),
    ...(operation?.cached ? { cached: true } : {}),
    children: below.length,
  };
}

/** What a path without an entry stands for, by its form and by what holds it. */
function kindOf(path: Path, holder: string | undefined): string {
  const part = path.slice(parentPath(path).length);
  if (part.startsWith("@")) return "attempt";
  if (!part.startsWith("[")) return "place";
  switch (holder) {
    case "mapOver":
      return "item";
    case "loopUntil":
      return "turn";
    case "parallel":
    case "branchOn":
      return "branch";
    default:
      return "part"; // a loop and a parallel are not named before their end
  }
}

function pausesOf(entries: readonly Entry[]): Pause[] {
  const pauses: Pause[] = [];
  for (const [i, entry] of entries.entries()) {
    const before = entries[i - 1];
    if (entry.type === "run-resumed" && before !== undefined && entry.at > before.at)
      pauses.push({ from: before.at, to: entry.at });
  }
  return pauses;
}
