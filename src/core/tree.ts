/** Ways to walk the tree, shared by all that read it: validation, fingerprint, graph, dry run. */
import { bare, isQualifier, links, type Node, nameOf, type Place, type RetryNode } from "./node.ts";
import { childPath, itemPath, type Path, pathSegment, undoPath } from "./paths.ts";

/** The tree under one place, and the path its own places hang under. */
export interface Subtree {
  readonly within: Path;
  readonly node: Node;
}

/** The trees inside a place. Map items and loop turns hang under `place[]`, branches under `place[name]`. */
export function inside(place: Place, path: Path): readonly Subtree[] {
  switch (place.kind) {
    case "pipeline":
      return [{ within: path, node: place.body }];
    case "mapOver":
      return [{ within: itemPath(path, ""), node: place.each }];
    case "loopUntil":
      return [{ within: itemPath(path, ""), node: place.body }];
    case "parallel":
      return branches(place.branches, path);
    case "branchOn": {
      const named = branches(place.branches, path);
      return place.otherwise
        ? [...named, { within: itemPath(path, "otherwise"), node: place.otherwise }]
        : named;
    }
    default:
      return [];
  }
}

function branches(named: { readonly [key: string]: Node }, path: Path): Subtree[] {
  return Object.entries(named).map(([key, node]) => ({ within: itemPath(path, key), node }));
}

/** The places a node stands for, side by side under one path: links of a sequence, a fallback and its other. */
export function places(node: Node): readonly Place[] {
  switch (node.kind) {
    case "sequence":
      return links(node).flatMap(places);
    case "fallback":
      return [...places(node.of), ...places(node.other)];
    case "retry":
    case "timeout":
    case "cached":
    case "budget":
    case "validate":
    case "compensate":
      return places(node.of);
    default:
      return [node];
  }
}

/** The compensations of the places a node stands for, side by side; each hangs under `place@undo`. */
export function undos(node: Node, parent: Path): readonly Subtree[] {
  if (node.kind === "sequence") return links(node).flatMap((link) => undos(link, parent));
  if (node.kind === "fallback") return [...undos(node.of, parent), ...undos(node.other, parent)];
  if (!isQualifier(node)) return [];
  const inner = undos(node.of, parent);
  if (node.kind !== "compensate") return inner;
  return [...inner, { within: undoPath(childPath(parent, nameOf(node.of))), node: node.undo }];
}

const compensated = new WeakMap<Node, boolean>();

/** Whether there is a compensation anywhere in a tree. */
export function isCompensated(node: Node): boolean {
  const known = compensated.get(node);
  if (known !== undefined) return known;
  const found =
    undos(node, "").length > 0 ||
    places(node).some((place) => inside(place, "").some((sub) => isCompensated(sub.node)));
  compensated.set(node, found);
  return found;
}

/** Visits every place of a tree, outer ones first; those of compensations, too. */
export function eachPlace(node: Node, parent: Path, visit: (place: Place, path: Path) => void): void {
  for (const place of places(node)) {
    const path = childPath(parent, place.name);
    visit(place, path);
    for (const sub of inside(place, path)) eachPlace(sub.node, sub.within, visit);
  }
  for (const undo of undos(node, parent)) eachPlace(undo.node, undo.within, visit);
}

/** Where the retry of a place stands, by the place's path: of several around it the innermost. One around a sequence has none. */
export function retriedPath(retry: RetryNode, parent: Path): Path | undefined {
  const inner = bare(retry);
  if (inner.kind === "sequence") return undefined;
  for (let node = retry.of; isQualifier(node); node = node.of) if (node.kind === "retry") return undefined;
  return childPath(parent, inner.name);
}

/** The retries of a tree's places. */
export function retriesOf(root: Node): ReadonlyMap<Path, RetryNode> {
  const found = new Map<Path, RetryNode>();
  const look = (node: Node, parent: Path): void => {
    if (node.kind === "sequence") for (const link of links(node)) look(link, parent);
    if (!isQualifier(node)) return;
    const path = node.kind === "retry" ? retriedPath(node, parent) : undefined;
    if (node.kind === "retry" && path !== undefined) found.set(path, node);
    look(node.of, parent);
    if (node.kind === "fallback") look(node.other, parent);
  };
  eachTree(root, "", look);
  return found;
}

/** Visits a tree, and every tree inside its places and compensations. */
function eachTree(node: Node, parent: Path, visit: (node: Node, parent: Path) => void): void {
  visit(node, parent);
  const within = places(node).flatMap((place) => inside(place, childPath(parent, place.name)));
  for (const sub of [...within, ...undos(node, parent)]) eachTree(sub.node, sub.within, visit);
}

/** The place a path stands for, keys of items and turns included; undefined when the tree has none there. */
export const placeAt = (root: Node, path: Path): Place | undefined => descend(root, path)?.place;

/** The compensation of the place at a path; undefined when the tree has none there. */
export const undoAt = (root: Node, path: Path): Node | undefined =>
  descend(root, undoPath(path))?.trees[0]?.node;

/** Where a path leads: the place it last named, and the trees under it. */
interface Landing {
  readonly place: Place | undefined;
  readonly trees: readonly Subtree[];
}

function descend(root: Node, path: Path): Landing | undefined {
  let at: Landing | undefined = { place: undefined, trees: [{ within: "", node: root }] };
  for (const [, name = "", undo, key] of path.matchAll(/\/([^/[@:]+)(@undo)?(?:@\d+)?(?:\[([^\]]*)\])?/g)) {
    at = undo === undefined ? into(at.trees, name, key) : intoUndo(at.trees, name);
    if (at === undefined) return undefined;
  }
  return at;
}

function into(trees: readonly Subtree[], name: string, key: string | undefined): Landing | undefined {
  const place = trees.flatMap(({ node }) => places(node)).find((one) => pathSegment(one.name) === name);
  if (place === undefined) return undefined;
  const below = inside(place, "");
  const under = (...ends: string[]): Subtree[] => below.filter(({ within }) => ends.includes(within));
  const named = key === undefined ? under("") : under("[]", `[${key}]`);
  return { place, trees: key !== undefined && named.length === 0 ? under("[otherwise]") : named };
}

function intoUndo(trees: readonly Subtree[], name: string): Landing | undefined {
  const found = trees
    .flatMap(({ node }) => undos(node, ""))
    .find(({ within }) => within === undoPath(`/${name}`));
  return found && { place: places(found.node)[0], trees: [{ within: "", node: found.node }] };
}
