import type { Entry, EntryOf, EntryType, Fact } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import type { RunRecord } from "../../core/run-record.ts";
import type { Pen } from "../journal.ts";
import { brief, type Findings } from "./findings.ts";
import type { Differing } from "./report.ts";

/** What a walk decides by itself: in a replay it is decided anew, and compared with what is recorded. */
const decisions = [
  "branch-chosen",
  "loop-judged",
  "map-started",
  "container-completed",
  "value-altered",
  "timer-set",
] as const;
type DecisionType = (typeof decisions)[number];
type Decision = Extract<Fact, { type: DecisionType }>;

/** Facts that only follow a failure, which the record does not have. */
export const failures: ReadonlySet<EntryType> = new Set([
  "retry-scheduled",
  "fallback-taken",
  "failure-collected",
  "step-failed",
]);

/** With these, a place has come to its result or chosen the way to it. */
export const passing: ReadonlySet<EntryType> = new Set([
  "step-completed",
  "container-completed",
  "branch-chosen",
  "map-started",
]);

/** Facts of new work: where they come up, the record is at its end. */
const work: ReadonlySet<EntryType> = new Set([
  "signal-awaited",
  "signal-escalated",
  "signal-received",
  "step-completed",
]);

/**
 * The journal of a run that is replayed. Nothing is written: each fact that the walk would write is held against the
 * entry that was written in its place.
 */
export class ReplayedJournal implements Pen {
  readonly runId: string;
  readonly run: RunRecord;
  readonly #findings: Findings;
  readonly #decisions = new Map<string, Entry>();
  /** What failed in a run that came to stand elsewhere need not have been followed up any more. */
  readonly #isCutShort: boolean;

  /** @param run the record without its decisions. */
  constructor(runId: string, run: RunRecord, entries: readonly Entry[], findings: Findings) {
    this.runId = runId;
    this.run = run;
    this.#findings = findings;
    this.#isCutShort = run.status !== "completed";
    for (const entry of entries) if (isDecision(entry)) this.#decisions.set(keyOf(entry), entry);
  }

  put(fact: Fact): number {
    const { type } = fact;
    if (isDecision(fact)) return this.#compared(fact);
    if (failures.has(type) && "path" in fact) throw this.#failed(fact);
    if (work.has(type) && "path" in fact) throw this.#findings.end(fact.path, type);
    return this.run.next; // of budgets and prices: they may change under a run
  }

  announce(start: { readonly path: Path }): never {
    throw this.#findings.end(start.path, "step-completed");
  }

  post(): void {}
  close(): void {}
  async sync(): Promise<void> {}
  onCommit(): () => void {
    return () => {};
  }

  #compared(fact: Decision): number {
    const recorded = this.#decisions.get(keyOf(fact)) as (Decision & { readonly seq: number }) | undefined; // by its key
    if (recorded === undefined) throw this.#findings.end(fact.path, fact.type);
    this.#findings.compared.decisions += 1;
    const [before, now] = [telling(recorded), telling(fact)];
    const differing = before.find(([, value], i) => JSON.stringify(value) !== JSON.stringify(now[i]?.[1]));
    if (differing === undefined) return recorded.seq;
    const [what, value] = differing;
    const other = now[before.indexOf(differing)]?.[1];
    this.#findings.differ(fact.path, what, shown(fact, value), shown(fact, other));
    throw this.#findings.stop(fact.path);
  }

  #failed(fact: Extract<Fact, { path: Path }>): Error {
    const { path, type } = fact;
    if (this.#isCutShort && !this.#isPassed(path)) return this.#findings.end(path, type);
    const why = "error" in fact && fact.error !== undefined ? fact.error.message : "it fails";
    this.#findings.differ(path, "failure", "no failure", why);
    return this.#findings.stop(path);
  }

  /** Whether the record has the place's result, or goes on inside it. */
  #isPassed(path: Path): boolean {
    return (
      this.run.completed.has(path) || [...passing].some((type) => this.#decisions.has(`${type} ${path}`))
    );
  }
}

const isDecision = <F extends Fact>(fact: F): fact is F & Decision =>
  (decisions as readonly EntryType[]).includes(fact.type);

const keyOf = ({ type, path }: Decision): string => `${type} ${path}`;

type Telling = readonly (readonly [what: Differing, value: unknown])[];

/** What of a decision must be the same. */
function telling(fact: Decision): Telling {
  switch (fact.type) {
    case "branch-chosen":
      return [["branch", fact.key]];
    case "loop-judged":
      return [["verdict", fact.done]];
    case "map-started":
      return [["items", [fact.keys ?? fact.count, fact.items ?? null]]];
    case "container-completed":
      return [
        ["input", fact.in ?? null],
        ["output", fact.out],
      ];
    case "value-altered":
      return [["output", fact.output]];
    case "timer-set":
      return [["moment", fact.due]];
  }
}

function shown({ type }: Decision, value: unknown): string {
  if (type === "loop-judged") return value === true ? "done" : "another turn";
  if (type === "timer-set") return new Date(value as number).toISOString(); // a moment
  const text = brief(value as Json); // entries are JSON
  return type === "container-completed" ? `made of entries ${text}` : text;
}

/** Decisions of a record are forgotten, so that the walk makes them again. */
export function undecided(run: RunRecord, isDecided: (timer: Path) => boolean): RunRecord {
  for (const all of [run.choices, run.verdicts, run.maps, run.containers, run.alterations]) all.clear();
  for (const path of run.timers.keys()) if (isDecided(path)) run.timers.delete(path);
  return run;
}

export type Completion = EntryOf<"step-completed">;
