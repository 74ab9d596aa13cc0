/**
 * What follows from a point at which a run is forked. Other branches and items do not, whatever their turn was; inside a
 * body, what was recorded before the point had an end does not.
 */
import type { Entry, EntryType } from "./entries.ts";
import { checksIn, isQualifier, links, type Node, nameOf } from "./node.ts";
import { childPath, isWithin, operationPath, type Path, pathSegment } from "./paths.ts";
import { places } from "./tree.ts";

/** A point, taken apart. */
interface Point {
  readonly at: Path;
  /** The place it is, or is in; or the name of a sequence whose whole it is. */
  readonly place: Path;
  /** What of the place it is: the whole, something a body does, or the check of what came of it. */
  readonly part: "whole" | "body" | "check";
}

/** Ends of an operation: what a body does next may come of one. */
const ends: ReadonlySet<EntryType> = new Set(["operation-completed", "operation-failed", "signal-received"]);

/** Tells whether an entry is of the point, or follows from it. */
export function following(root: Node, at: Path, entries: readonly Entry[]): (entry: Entry) => boolean {
  const point = pointAt(at, entries);
  const own = entries.filter((entry) => "path" in entry && isWithin(entry.path, at));
  const end = own.find((entry) => ends.has(entry.type) && "path" in entry && entry.path === at);
  const ended = (end ?? own[0])?.seq ?? 0;
  const after = downstream(root, point);
  const isOf = ({ path, seq }: Extract<Entry, { path: Path }>): boolean => {
    if (isWithin(path, at)) return true;
    if (!isWithin(path, point.place)) return false;
    return point.part === "whole" || (point.part === "body" && seq >= ended);
  };
  return (entry) => {
    if (!("path" in entry)) return false;
    const { path, type } = entry;
    if (type === "input-replaced" && path === point.place) return false; // it came from before
    if (isOf(entry)) return true;
    if (type === "fallback-taken" && after.untaken.has(entry.to)) return true;
    if (after.entries.has(`${type} ${path}`)) return true;
    if (after.turns.some(({ loop, from }) => turnOf(path, loop) >= from)) return true;
    return after.scopes.some((scope) => isWithin(path, scope));
  };
}

function pointAt(at: Path, entries: readonly Entry[]): Point {
  const place = at.replace(/(@\d+)?(:.*)?$/, "");
  if (place === at) return { at, place, part: "whole" };
  const isCheck = entries.some((entry) => entry.type === "value-altered" && entry.path === at);
  if (isCheck && at.includes(":input#")) return { at, place, part: "whole" }; // all inside has been given it
  return { at, place, part: isCheck ? "check" : "body" };
}

/** The turn of a loop in which something stands; -1 for what is not in it. */
function turnOf(path: Path, loop: Path): number {
  if (!path.startsWith(`${loop}[`)) return -1;
  return Number(path.slice(loop.length + 1, path.indexOf("]", loop.length)));
}

/** What comes after a point. */
interface Downstream {
  /** Paths with all inside them. */
  readonly scopes: Path[];
  /** Loops, and the first of their turns that comes after. */
  readonly turns: { readonly loop: Path; readonly from: number }[];
  /** Single entries, by type and path. */
  readonly entries: Set<string>;
  /** Ways out that were taken because the point, or something around it, failed. */
  readonly untaken: Set<Path>;
}

function downstream(root: Node, point: Point): Downstream {
  const found: Downstream = {
    ...{ scopes: [], turns: [], entries: new Set(), untaken: new Set() },
  };
  let trees: readonly Node[] = [root];
  let scope = "";
  for (const [whole, name = "", key] of point.place.matchAll(/\/([^/[@:]+)(?:\[([^\]]*)\])?/g)) {
    const tree = trees.find((node) => has(node, name));
    if (tree === undefined) return found;
    later(tree, name, scope, found, point);
    const inner = places(tree).find((one) => pathSegment(one.name) === name);
    if (inner === undefined) return found; // a sequence, which nothing hangs under
    const path = childPath(scope, inner.name);
    scope += whole;
    if (scope === point.place && key === undefined) return found;
    found.entries.add(`container-completed ${path}`);
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

/** Whether a name is that of a node, or of something side by side with others in it. */
function has(node: Node, name: string): boolean {
  if (pathSegment(nameOf(node)) === name) return true;
  if (node.kind === "sequence") return links(node).some((link) => has(link, name));
  if (node.kind === "fallback") return has(node.of, name) || has(node.other, name);
  return isQualifier(node) && has(node.of, name);
}

/** Notes what comes after the point among the places side by side, of which one, or several in a row, go by the name. */
function later(node: Node, name: string, scope: Path, found: Downstream, point: Point): void {
  if (node.kind === "sequence") {
    const all = links(node);
    const index = all.findIndex((link) => has(link, name));
    const link = all[index];
    if (link !== undefined) later(link, name, scope, found, point);
    for (const after of all.slice(index + 1)) // all of them, where it is the sequence that goes by the name
      for (const one of places(after)) found.scopes.push(childPath(scope, one.name));
  } else if (node.kind === "fallback") {
    later(has(node.of, name) ? node.of : node.other, name, scope, found, point);
    if (!has(node.of, name)) return;
    found.untaken.add(childPath(scope, nameOf(node.other)));
    for (const one of places(node.other)) found.scopes.push(childPath(scope, one.name));
  } else if (isQualifier(node)) {
    const path = childPath(scope, nameOf(node.of));
    if (node.kind === "validate") {
      const check = operationPath(path, "validate", checksIn(node.of));
      if (point.part === "check" && check === point.at) return;
      found.entries.add(`value-altered ${check}`);
    }
    later(node.of, name, scope, found, point);
  }
}
