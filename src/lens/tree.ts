/** A run's operations as a tree that is read a few rows at a time: what a waterfall draws. */
import type { Entry } from "../core/entries.ts";
import { addSpent, decimalUsd, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { parentPath } from "./nesting.ts";
import type { Operation, Recorded } from "./operations.ts";
import type { Charge } from "./spending.ts";

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

interface Twig {
  readonly path: Path;
  readonly holder: Twig | undefined;
  operation: Operation | undefined;
  readonly below: Twig[];
  /** Of all inside it: the first beginning, and the last end. */
  began: number;
  ended: number;
  spent: Spent;
  /** Operations inside it that have no result yet, itself included. */
  readonly open: Set<Operation>;
  /** Right below it: how many have come to what, and those of which that is not sure yet. */
  readonly results: { completed: number; failed: number };
  readonly unsure: Set<Twig>;
  /** What it has come to; undefined while that may change by itself. */
  result: "completed" | "failed" | undefined;
}

/**
 * The tree of everything recorded, kept up entry by entry. What an entry changes costs as much as its path is long; a page costs
 * what it holds, and what is under way.
 */
export class Tree {
  readonly #root = twigOf("", undefined);
  readonly #twigs = new Map<Path, Twig>([["", this.#root]]);
  readonly #pauses: Pause[] = [];
  #lastAt: number | undefined;

  /** Times in which nobody advanced the run. */
  get pauses(): readonly Pause[] {
    return this.#pauses;
  }

  /** Takes in that an entry has come. */
  pass({ type, at }: Entry): void {
    const before = this.#lastAt;
    if (type === "run-resumed" && before !== undefined && at > before)
      this.#pauses.push({ from: before, to: at });
    this.#lastAt = at;
  }

  /** Takes in what is told of an operation. */
  tell(operation: Operation): void {
    const { path, status, endedAt, startedAt = endedAt ?? Number.POSITIVE_INFINITY } = operation;
    const own = this.#hang(path);
    own.operation = operation;
    const isOpen = resultOf(status) === undefined;
    for (const twig of around(own)) {
      twig.began = Math.min(twig.began, startedAt);
      if (isOpen) twig.open.add(operation);
      else {
        twig.open.delete(operation);
        twig.ended = Math.max(twig.ended, endOf(operation));
      }
    }
    settle(own);
  }

  charge({ path, spent }: Charge): void {
    for (const twig of around(this.#hang(path))) twig.spent = addSpent(twig.spent, spent);
  }

  page(within: Path, from: number, limit: number, recorded: Recorded, run: RunRecord): TreePage {
    const below = this.#twigs.get(within)?.below ?? [];
    const rows = below.slice(from, from + limit).map((twig) => rowOf(twig, recorded, run));
    return { within, total: below.length, from, rows };
  }

  #hang(path: Path): Twig {
    const known = this.#twigs.get(path);
    if (known !== undefined) return known;
    const holder = this.#hang(parentPath(path));
    const twig = twigOf(path, holder);
    this.#twigs.set(path, twig);
    holder.below.push(twig);
    holder.unsure.add(twig);
    if (holder.operation === undefined) settle(holder);
    return twig;
  }
}

const twigOf = (path: Path, holder: Twig | undefined): Twig => ({
  ...{ path, holder, operation: undefined, below: [] },
  ...{ began: Number.POSITIVE_INFINITY, ended: 0, spent: nothingSpent, open: new Set() },
  ...{ results: { completed: 0, failed: 0 }, unsure: new Set(), result: undefined },
});

/** A twig and all that hold it. Paths are as deep as the pipeline is nested. */
function* around(twig: Twig): Generator<Twig> {
  for (let at: Twig | undefined = twig; at !== undefined; at = at.holder) yield at;
}

/** A sleep that is set when its moment has passed ends as it begins. */
const endOf = ({ startedAt = 0, endedAt = 0 }: Operation): number => Math.max(startedAt, endedAt);

const resultOf = (status: Operation["status"]): Twig["result"] =>
  status === "completed" || status === "failed" ? status : undefined;

/** Notes what a twig has come to where it hangs, and what follows from that further up. */
function settle(twig: Twig): void {
  const { operation, holder, results, unsure, result: before } = twig;
  const own = operation && resultOf(operation.status);
  const inner = unsure.size > 0 ? undefined : results.failed > 0 ? "failed" : "completed";
  const result = operation === undefined ? inner : own;
  if (result === before || holder === undefined) return;
  twig.result = result;
  if (before !== undefined) holder.results[before] -= 1;
  if (result === undefined) holder.unsure.add(twig);
  else {
    holder.unsure.delete(twig);
    holder.results[result] += 1;
  }
  if (holder.operation === undefined) settle(holder);
}

/** What stands without an entry of its own is as what is inside it. */
function statusOf(twig: Twig, recorded: Recorded, run: RunRecord): Operation["status"] {
  const { operation, results, unsure } = twig;
  if (operation !== undefined) return recorded.statusOf(operation, run);
  const found = new Set([...unsure].map((inner) => statusOf(inner, recorded, run)));
  if (results.failed > 0) found.add("failed");
  return (
    (["running", "waiting", "failed", "stopped"] as const).find((status) => found.has(status)) ?? "completed"
  );
}

function rowOf(twig: Twig, recorded: Recorded, run: RunRecord): TreeRow {
  const { path, holder, operation, below, spent } = twig;
  const now = run.updatedAt;
  const began = Math.min(twig.began, now);
  let ended = Math.max(twig.ended, began);
  for (const open of twig.open) {
    const status = recorded.statusOf(open, run);
    const isUnderWay = status === "running" || status === "waiting";
    ended = Math.max(ended, isUnderWay ? now : endOf(open));
  }
  return {
    path,
    name: path.slice(holder?.path.length ?? 0),
    kind: operation?.kind ?? kindOf(path, holder?.operation?.kind),
    status: statusOf(twig, recorded, run),
    attempts: operation?.attempts ?? 1,
    began,
    ended: Math.min(ended, now), // a sleep's end may be to come
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
