/** What a run that is forked has undone: a fork can neither count on it nor undo it again. */
import type { Entry, EntryOf, EntryType } from "./entries.ts";
import { isWithin, type Path, undoAround } from "./paths.ts";

/** Entries of undoing. */
const undoing: ReadonlySet<EntryType> = new Set([
  "compensation-owed",
  "compensation-started",
  "compensation-completed",
  "compensation-failed",
]);

/** The place an entry tells the undoing of. */
const undoneBy = (entry: Entry): Path | undefined => {
  if (!("path" in entry)) return undefined;
  return undoing.has(entry.type) ? entry.path : undoAround(entry.path)?.replace(/@undo$/, "");
};

export interface Undone {
  /** Whether an entry of undoing passes to a fork: of what was undone, or could not be, for a failure that passes, too. */
  passes(entry: Entry): boolean;
  /** Places that have been undone for a failure that does not pass. */
  readonly lost: readonly Path[];
}

/** @param follows whether an entry is of the point, or follows from it. */
export function undoneIn(entries: readonly Entry[], follows: (entry: Entry) => boolean): Undone {
  const turned = entries.find(({ type }) => type === "compensation-begun")?.seq ?? Number.POSITIVE_INFINITY;
  const causes = entries.filter(isCause).filter(follows);
  const begun = entries.filter((entry) => entry.type === "compensation-started");
  const isLost = ({ path, seq }: EntryOf<"compensation-started">): boolean =>
    seq > turned || causes.some((cause) => cause.seq < seq && isWithin(path, scopeOf(cause.path)));
  const lost = new Set(begun.filter(isLost).map(({ path }) => path));
  const tried = entries.flatMap((one) => (isOutcome(one) ? [one.path] : []));
  const kept = new Set(tried.filter((path) => !lost.has(path)));
  return {
    passes: (entry) => {
      const place = undoneBy(entry);
      return place === undefined || (kept.has(place) && entry.seq < turned);
    },
    lost: [...lost],
  };
}

const isCause = (entry: Entry): entry is EntryOf<"fallback-taken"> | EntryOf<"failure-collected"> =>
  entry.type === "fallback-taken" || entry.type === "failure-collected";

/** One that has failed is over, too: it is the other run that owes it. */
const isOutcome = (
  entry: Entry,
): entry is EntryOf<"compensation-completed"> | EntryOf<"compensation-failed"> =>
  entry.type === "compensation-completed" || entry.type === "compensation-failed";

/** A fallback's failure is of all that stands beside it; a collected one of its line. */
const scopeOf = (path: Path): Path => (path.endsWith("]") ? path : path.slice(0, path.lastIndexOf("/")));
