/** The operations of bodies, as a journal has them. */
import type { Entry, EntryOf } from "../../core/entries.ts";
import type { Path } from "../../core/paths.ts";
import type { Delivered } from "./delivery.ts";

/** One operation's recorded end; of a sleep, the moment it was to end. */
export interface OperationEnd {
  readonly path: Path;
  readonly kind: string;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The attempt of the step in which it failed; undefined when it did not. */
  readonly failedIn: number | undefined;
}

/** What a body has of them. */
export interface Operations {
  /** In the order of their ends. */
  readonly order: readonly Delivered[];
  /** Those that came to their end when the body was over. */
  readonly late: ReadonlySet<Path>;
  readonly kinds: ReadonlyMap<Path, string>;
}

/** The attempt that is walked again. */
export interface Attempted {
  /** What the paths of its operations begin with. */
  readonly prefix: Path;
  readonly number: number;
  /** Failures before this entry are stale. */
  readonly freshFrom: number;
  /** Where the attempt before ended, and where the run was last resumed before this one did; -1 where neither was. */
  readonly begun: number;
  readonly resumed: number;
  readonly end: Pick<EntryOf<"step-completed">, "seq" | "at">;
}

/** Finds what bodies asked for, by the prefix of its paths. */
export class OperationIndex {
  readonly #ends = new Map<Path, OperationEnd[]>();

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) {
      const end = endOf(entry);
      if (end === undefined) continue;
      const prefix = end.path.slice(0, end.path.indexOf(":"));
      const known = this.#ends.get(prefix);
      if (known) known.push(end);
      else this.#ends.set(prefix, [end]);
    }
  }

  has(prefix: Path): boolean {
    return this.#ends.has(prefix);
  }

  of({ prefix, number, freshFrom, begun, resumed, end }: Attempted): Operations {
    const all = this.#ends.get(prefix) ?? [];
    const done = new Set(all.filter(({ failedIn }) => failedIn === undefined).map(({ path }) => path));
    const counted = all.filter(
      ({ path, failedIn, seq }) =>
        failedIn === undefined || (failedIn === number && seq > freshFrom && !done.has(path)),
    );
    // What failed and was done after all: the body ran again in between, and may have gone another way before.
    const failed = new Set(all.filter(({ failedIn }) => failedIn === number).map(({ path }) => path));
    const mended = all.filter(({ path, failedIn }) => failedIn === undefined && failed.has(path));
    const given = Math.max(begun, freshFrom, ...mended.map(({ seq }) => seq));
    const isLate = ({ seq, at }: OperationEnd): boolean => seq > end.seq || at > end.at;
    const order = counted.filter((one) => !isLate(one)).sort((a, b) => a.at - b.at || a.seq - b.seq);
    return {
      order: order.map(({ path, seq }) => ({
        path,
        isEarlier: seq < Math.max(begun, resumed),
        isOptional: seq < given,
      })),
      late: new Set(counted.filter(isLate).map(({ path }) => path)),
      kinds: new Map(counted.map(({ path, kind }) => [path, kind])),
    };
  }
}

function endOf(entry: Entry): OperationEnd | undefined {
  if (!("path" in entry) || !entry.path.includes(":")) return undefined;
  const { path, seq, at } = entry;
  switch (entry.type) {
    case "operation-completed":
      return { path, kind: entry.kind, seq, at, failedIn: undefined };
    case "operation-failed":
      return { path, kind: entry.kind, seq, at, failedIn: entry.attempt };
    case "timer-set":
      return { path, kind: "sleep", seq, at: entry.due, failedIn: undefined };
    default:
      return undefined;
  }
}
