/** A journal by path, as a replay looks things up in it. */
import type { Entry, EntryOf } from "../../core/entries.ts";
import type { WorkNode } from "../../core/node.ts";
import { attemptPath, type Path } from "../../core/paths.ts";
import { type Attempted, OperationIndex } from "./operations.ts";

type Completion = EntryOf<"step-completed">;
type Reservation = EntryOf<"budget-reserved">;

export class Records {
  readonly operations: OperationIndex;
  /** Steps and agents with a result. */
  readonly completions = new Map<Path, Completion>();
  readonly answers = new Map<Path, EntryOf<"signal-received">>();
  /** What was held for calls, in order. */
  readonly reservations = new Map<Path, Reservation[]>();
  readonly #failures = new Map<Path, number[]>();
  readonly #resumes: number[] = [];
  /** From where on what had failed before was done again: in the whole run, or (a retry) in the scope of a path. */
  readonly #fresh: { readonly seq: number; readonly scope: Path }[] = [];

  constructor(entries: readonly Entry[]) {
    this.operations = new OperationIndex(entries);
    let hasEnded = false;
    for (const entry of entries) {
      switch (entry.type) {
        case "step-completed":
          this.completions.set(entry.path, entry);
          break;
        case "signal-received":
          this.answers.set(entry.path, entry);
          break;
        case "budget-reserved":
          add(this.reservations, entry.path, entry);
          break;
        case "step-failed":
          add(this.#failures, entry.path, entry.seq);
          break;
        case "retry-scheduled":
          if (!entry.path.includes(":")) this.#fresh.push({ seq: entry.seq, scope: parentOf(entry.path) });
          break;
        case "run-failed":
        case "run-halted":
          hasEnded = true;
          break;
        case "run-resumed":
          this.#resumes.push(entry.seq);
          if (hasEnded) this.#fresh.push({ seq: entry.seq, scope: "" });
          hasEnded = false;
          break;
        default:
      }
    }
  }

  /** The attempt that a recorded result came of. */
  attemptOf(node: WorkNode, end: Completion): Attempted {
    const { path, attempt: number = 1 } = end;
    const before = (seqs: readonly number[] = []): number => seqs.findLast((seq) => seq < end.seq) ?? -1;
    return {
      prefix: node.freshAttempts ? attemptPath(path, number) : path,
      number,
      begun: before(this.#failures.get(path)),
      resumed: before(this.#resumes),
      freshFrom: before(
        this.#fresh.filter(({ scope }) => path.startsWith(`${scope}/`)).map(({ seq }) => seq),
      ),
      end,
    };
  }
}

function add<T>(lists: Map<Path, T[]>, path: Path, one: T): void {
  const known = lists.get(path);
  if (known) known.push(one);
  else lists.set(path, [one]);
}

const parentOf = (path: Path): Path => path.slice(0, path.lastIndexOf("/"));
