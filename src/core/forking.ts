/**
 * What a run forked at a point shares with the run it comes from: everything that does not follow from the point. Other
 * branches and items are kept whole, whatever their turn was; in a body, what comes before in the journal.
 */
import type { Entry, EntryOf, Ref } from "./entries.ts";
import { undoneIn } from "./fork-undone.ts";
import { isQualifier, links, type Node, nameOf } from "./node.ts";
import { childPath, isWithin, type Path, pathSegment } from "./paths.ts";
import { places } from "./tree.ts";

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

/** Tells whether an entry is of the point, or follows from it. */
function following(root: Node, at: Path, entries: readonly Entry[]): (entry: Entry) => boolean {
  const operation = at.indexOf(":");
  const place = operation < 0 ? at : at.slice(0, operation).replace(/@\d+$/, "");
  const first = operation < 0 ? 0 : (entries.find((one) => "path" in one && one.path === at)?.seq ?? 0);
  const after = downstream(root, place);
  return (entry) => {
    if (!("path" in entry)) return false;
    const { path, type, seq } = entry;
    if (type === "input-replaced" && path === place) return false; // it came from before
    if (isWithin(path, place)) return operation < 0 || seq >= first;
    if (type === "fallback-taken" && after.untaken.has(entry.to)) return true;
    if (after.entries.has(`${type} ${path}`)) return true;
    if (after.turns.some(({ loop, from }) => turnOf(path, loop) >= from)) return true;
    return after.scopes.some((scope) => isWithin(path, scope));
  };
}

/** The turn of a loop in which something stands; -1 for what is not in it. */
function turnOf(path: Path, loop: Path): number {
  if (!path.startsWith(`${loop}[`)) return -1;
  return Number(path.slice(loop.length + 1, path.indexOf("]", loop.length)));
}

/** What comes after a place. */
interface Downstream {
  /** Paths with all inside them. */
  readonly scopes: Path[];
  /** Loops, and the first of their turns that comes after. */
  readonly turns: { readonly loop: Path; readonly from: number }[];
  /** Single entries, by type and path. */
  readonly entries: Set<string>;
  /** Ways out that were taken because the place, or something around it, failed. */
  readonly untaken: Set<Path>;
}

function downstream(root: Node, place: Path): Downstream {
  const found: Downstream = { scopes: [], turns: [], entries: new Set(), untaken: new Set() };
  let trees: readonly Node[] = [root];
  let scope = "";
  for (const [whole, name = "", key] of place.matchAll(/\/([^/[@:]+)(?:\[([^\]]*)\])?/g)) {
    const tree = trees.find((node) => places(node).some((one) => pathSegment(one.name) === name));
    if (tree === undefined) return found;
    later(tree, name, scope, found);
    const inner = places(tree).find((one) => pathSegment(one.name) === name) as ReturnType<
      typeof places
    >[number]; // found above
    const path = childPath(scope, inner.name);
    scope += whole;
    if (scope === place && key === undefined) return found;
    found.entries.add(`container-completed ${path}`).add(`value-altered ${path}:validate#0`);
    if (key !== undefined) found.entries.add(`failure-collected ${scope}`).add(`loop-judged ${scope}`);
    if (inner.kind === "loopUntil") found.turns.push({ loop: path, from: Number(key) + 1 });
    trees = inside(inner, key);
  }
  return found;
}

function inside(place: ReturnType<typeof places>[number], key: string | undefined): readonly Node[] {
  switch (place.kind) {
    case "pipeline":
    case "loopUntil":
      return [place.body];
    case "mapOver":
      return [place.each];
    case "parallel":
    case "branchOn": {
      const named = Object.entries(place.branches).filter(([name]) => pathSegment(name) === key);
      const other = place.kind === "branchOn" && place.otherwise !== undefined ? [place.otherwise] : [];
      return named.length > 0 ? named.map(([, node]) => node) : other;
    }
    default:
      return [];
  }
}

/** Notes what comes after a name among the places side by side. */
function later(node: Node, name: string, scope: Path, found: Downstream): void {
  const has = (part: Node): boolean => places(part).some((one) => pathSegment(one.name) === name);
  if (node.kind === "sequence") {
    const all = links(node);
    const index = all.findIndex(has);
    later(all[index] as Node, name, scope, found); // one of them has it
    for (const link of all.slice(index + 1))
      for (const one of places(link)) found.scopes.push(childPath(scope, one.name));
  } else if (node.kind === "fallback") {
    later(has(node.of) ? node.of : node.other, name, scope, found);
    if (!has(node.of)) return;
    found.untaken.add(childPath(scope, nameOf(node.other)));
    for (const one of places(node.other)) found.scopes.push(childPath(scope, one.name));
  } else if (isQualifier(node)) {
    found.entries.add(`value-altered ${childPath(scope, nameOf(node.of))}:validate#0`);
    later(node.of, name, scope, found);
  }
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
