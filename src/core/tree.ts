/** Ways to walk the tree, shared by all that read it: validation, fingerprint, graph, dry run. */
import { links, type Node, type Place } from "./node.ts";
import { childPath, itemPath, type Path, pathSegment } from "./paths.ts";

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
      return places(node.of);
    default:
      return [node];
  }
}

/** Visits every place of a tree, outer ones first. */
export function eachPlace(node: Node, parent: Path, visit: (place: Place, path: Path) => void): void {
  for (const place of places(node)) {
    const path = childPath(parent, place.name);
    visit(place, path);
    for (const sub of inside(place, path)) eachPlace(sub.node, sub.within, visit);
  }
}

/** The place a path stands for, keys of items and turns included; undefined when the tree has none there. */
export function placeAt(root: Node, path: Path): Place | undefined {
  let trees: readonly Subtree[] = [{ within: "", node: root }];
  let found: Place | undefined;
  for (const [, name, key] of path.matchAll(/\/([^/[@:]+)(?:@\d+)?(?:\[([^\]]*)\])?/g)) {
    found = trees.flatMap(({ node }) => places(node)).find((place) => pathSegment(place.name) === name);
    if (found === undefined) return undefined;
    const below = inside(found, "");
    const under = (...ends: string[]): Subtree[] => below.filter(({ within }) => ends.includes(within));
    trees = key === undefined ? under("") : under("[]", `[${key}]`);
    if (key !== undefined && trees.length === 0) trees = under("[otherwise]");
  }
  return found;
}
