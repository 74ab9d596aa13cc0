/** What a run forked at a point shares with the run it comes from: everything that does not follow from the point. */
import type { Entry, EntryOf, Ref } from "./entries.ts";
import { following } from "./fork-point.ts";
import { undoneIn } from "./fork-undone.ts";
import type { Node } from "./node.ts";
import { isWithin, type Path } from "./paths.ts";

/** What never passes to a fork: how the run stood, what it spent, and what only tells how it went. */
const own: ReadonlySet<Entry["type"]> = new Set([
  "run-created",
  "run-resumed",
  "run-completed",
  "run-failed",
  "run-halted",
  "run-waiting",
  "run-cancelled",
  "compensation-begun",
  "cancellation-requested",
  "step-started",
  "operation-cut",
  "scope-opened",
  "model-priced",
  "budget-reserved",
  "budget-settled",
  "budget-breached",
  "budget-released",
  "budget-raised",
  "budget-threshold",
  "text-streamed",
]);

/** What a fork shares. */
export interface Shared {
  /** In order. */
  readonly entries: readonly Entry[];
  /** Places among them that the run has undone, and that a fork cannot count on. */
  readonly lost: readonly Path[];
}

export function sharedEntries(all: readonly Entry[], root: Node, at: Path): Shared {
  const follows = following(root, at, all);
  const undone = undoneIn(all, follows);
  const kept = new Set<number>([0]);
  const entries = all.filter((entry) => {
    if (own.has(entry.type) || follows(entry) || !undone.passes(entry)) return false;
    if (!refsOf(entry).every((ref) => kept.has(typeof ref === "number" ? ref : ref[0]))) return false;
    kept.add(entry.seq);
    return true;
  });
  const isShared = (place: Path): boolean =>
    entries.some((one) => "path" in one && isWithin(one.path, place));
  return { entries, lost: undone.lost.filter(isShared) };
}

/** The references of an entry that a fork may share. */
function refsOf(entry: Entry): readonly Ref[] {
  const inward = "in" in entry && entry.in !== undefined ? [entry.in] : [];
  if (entry.type === "container-completed") return [...inward, ...outRefs(entry.kind, entry.out)];
  if (entry.type === "compensation-owed") return [entry.in, entry.out];
  if (hasOf(entry)) return [entry.of];
  return inward;
}

/** Whether an entry that may be shared belongs to another one. */
const hasOf = (
  entry: Entry,
): entry is EntryOf<"question-answered"> | EntryOf<"signal-escalated"> | EntryOf<"compensation-started"> =>
  entry.type === "question-answered" ||
  entry.type === "signal-escalated" ||
  entry.type === "compensation-started";

type Out = Extract<Entry, { type: "container-completed" }>["out"];

/** Only the kind tells a list of references from a reference to an element. */
function outRefs(kind: string, out: Out): readonly Ref[] {
  if (kind === "mapOver") return out as readonly Ref[]; // what a map writes
  if (kind === "parallel") return Object.values(out as { readonly [branch: string]: Ref }); // what a parallel writes
  return [out as Ref];
}

/** Shared entries as the first ones of another journal: numbered from 1 on, their references with them. */
export function renumbered(shared: readonly Entry[]): Entry[] {
  const numbers = new Map<number, number>([[0, 0]]);
  shared.forEach(({ seq }, i) => {
    numbers.set(seq, i + 1);
  });
  const number = (seq: number): number => numbers.get(seq) as number; // shared entries refer to shared ones
  const ref = (one: Ref): Ref => (typeof one === "number" ? number(one) : [number(one[0]), ...one.slice(1)]);
  return shared.map((entry): Entry => {
    const inward = "in" in entry && entry.in !== undefined ? { in: ref(entry.in) } : {};
    const moved = { ...entry, ...inward, seq: number(entry.seq) };
    if (moved.type === "compensation-owed") return { ...moved, out: ref(moved.out) };
    if (hasOf(moved)) return { ...moved, of: number(moved.of) };
    if (moved.type === "container-completed") return { ...moved, out: movedOut(moved.kind, moved.out, ref) };
    return moved;
  });
}

function movedOut(kind: string, out: Out, ref: (one: Ref) => Ref): Out {
  if (kind === "mapOver") return (out as readonly Ref[]).map(ref);
  if (kind !== "parallel") return ref(out as Ref);
  const named = Object.entries(out as { readonly [branch: string]: Ref });
  return Object.fromEntries(named.map(([name, one]) => [name, ref(one)]));
}
