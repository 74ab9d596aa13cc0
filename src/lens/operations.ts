import type { Entry, EntryOf, Ref } from "../core/entries.ts";
import type { ErrorRecord } from "../core/error-record.ts";
import type { Json } from "../core/json.ts";
import { nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { close, spend, statusIn } from "./standing.ts";
import { takeEntry } from "./telling.ts";

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
    takeEntry(entry, at, this.#found);
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
