/**
 * Prompts and settings of a tree, changed without touching its source: a JSON Patch (RFC 6902) over the document of all
 * that can be changed so.
 */
import type { Operation } from "rfc6902";
import { InvalidOptionError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { links, type Node, nameOf, type WorkNode } from "./node.ts";
import { childPath, itemPath, type Path, undoPath } from "./paths.ts";
import { equal } from "./state.ts";
import { eachPlace } from "./tree.ts";

/** A JSON Patch over the improvables of a tree, its operations in order. */
export type Overlay = readonly Operation[];

/** What can be changed, by the path of the agent as the tree has it: `/q3/AnalyseAll[]/summarise`. */
export type Improvables = { readonly [place: Path]: JsonObject };

/** The document that an overlay patches. */
export function improvablesOf(root: Node): Improvables {
  const found: Record<Path, JsonObject> = {};
  eachPlace(root, "", (place, path) => {
    if (place.kind === "agent" && place.improvable !== undefined) found[path] = place.improvable;
  });
  return found;
}

/**
 * One operation: sets a value, whether or not there is one.
 *
 *     setting("/q3/AnalyseAll[]/summarise", "system", "Summarise in one sentence.")
 */
export const setting = (place: Path, field: string, value: Json): Operation => ({
  op: "add",
  path: `/${pointerKey(place)}/${pointerKey(field)}`,
  value,
});

/**
 * The tree with an overlay over it: what is not changed is the same node.
 *
 * @throws InvalidOptionError for a patch that does not fit, or values that an agent does not take.
 */
export async function overlaid(root: Node, overlay: Overlay): Promise<Node> {
  if (overlay.length === 0) return root;
  const { applyPatch } = await import("rfc6902"); // most runs have no overlay
  const before = improvablesOf(root);
  const after: unknown = structuredClone(before);
  const failures = applyPatch(after, structuredClone(overlay) as Operation[]); // it is changed in place
  const failed = failures.findIndex((failure) => failure !== null);
  if (failed >= 0) throw misfitting(overlay[failed] as Operation, failures[failed], before);
  if (!isJsonObject(after as Json)) throw misfitting(overlay[0] as Operation, null, before);
  const changed = new Map<Path, JsonObject>();
  for (const [place, values] of Object.entries(after as { readonly [place: Path]: Json })) {
    const known = before[place];
    if (known === undefined || !isJsonObject(values)) throw unknownPlace(place, before);
    if (!equal(known, values)) changed.set(place, values);
  }
  const [gone] = Object.keys(before).filter((place) => !Object.hasOwn(after as object, place));
  if (gone !== undefined) throw new InvalidOptionError(`the overlay removes ${gone}`, { hint: fields });
  return replaced(root, "", changed);
}

const fields = "An overlay changes fields of agents: prompt, system, model, temperature and others.";

function replaced(node: Node, parent: Path, changed: ReadonlyMap<Path, JsonObject>): Node {
  const each = (inner: Node, within: Path): Node => replaced(inner, within, changed);
  switch (node.kind) {
    case "sequence": {
      const before = links(node);
      const after = before.map((link) => each(link, parent));
      if (after.every((link, i) => link === before[i])) return node;
      return after.reduce((first, next) => Object.freeze({ kind: "sequence", before: first, next }));
    }
    case "fallback":
      return changedNode(node, { of: each(node.of, parent), other: each(node.other, parent) });
    case "compensate": {
      const undo = undoPath(childPath(parent, nameOf(node.of)));
      return changedNode(node, { of: each(node.of, parent), undo: each(node.undo, undo) });
    }
    case "retry":
    case "timeout":
    case "cached":
    case "budget":
    case "validate":
      return changedNode(node, { of: each(node.of, parent) });
    case "agent":
      return improved(node, childPath(parent, node.name), changed);
    case "pipeline":
      return changedNode(node, { body: each(node.body, childPath(parent, node.name)) });
    case "loopUntil":
      return changedNode(node, { body: each(node.body, itemPath(childPath(parent, node.name), "")) });
    case "mapOver":
      return changedNode(node, { each: each(node.each, itemPath(childPath(parent, node.name), "")) });
    case "parallel":
      return changedNode(node, { branches: branches(node.branches, childPath(parent, node.name), each) });
    case "branchOn": {
      const path = childPath(parent, node.name);
      const { otherwise } = node;
      const other = otherwise && { otherwise: each(otherwise, itemPath(path, "otherwise")) };
      return changedNode(node, { branches: branches(node.branches, path, each), ...other });
    }
    default:
      return node;
  }
}

type Branches = { readonly [key: string]: Node };

function branches(before: Branches, path: Path, each: (node: Node, within: Path) => Node): Branches {
  const after = Object.fromEntries(
    Object.entries(before).map(([key, node]) => [key, each(node, itemPath(path, key))]),
  );
  return Object.keys(before).every((key) => after[key] === before[key]) ? before : Object.freeze(after);
}

/** A node with other parts; itself when they are the same. */
function changedNode<N extends Node>(node: N, parts: Partial<N>): N {
  const isSame = Object.entries(parts).every(([key, part]) => node[key as keyof N] === part);
  return isSame ? node : Object.freeze(Object.assign({ ...node }, parts));
}

function improved(node: WorkNode, path: Path, changed: ReadonlyMap<Path, JsonObject>): WorkNode {
  const values = changed.get(path);
  return values === undefined || node.improved === undefined ? node : node.improved(values);
}

/** @throws InvalidOptionError when no agent of the tree stands there. */
export function unknownPlace(place: Path, known: Improvables): InvalidOptionError {
  const all = Object.keys(known);
  const hint = all.length === 0 ? "The pipeline has no agents." : `Its agents are ${all.join(", ")}.`;
  return new InvalidOptionError(`there is no agent at ${place} to change`, { hint });
}

function misfitting(operation: Operation, failure: Error | null | undefined, known: Improvables) {
  const place = pointedAt(operation.path);
  if (place !== undefined && !Object.hasOwn(known, place)) return unknownPlace(place, known);
  const what = failure === null || failure === undefined ? "" : ` (${failure.name})`;
  return new InvalidOptionError(
    `the overlay does not fit the pipeline${what}: ${JSON.stringify(operation)}`,
    {
      hint: `Its pointers begin with an agent's path, "/" written ~1: /${Object.keys(known).map(pointerKey)[0] ?? "…"}/system`,
    },
  );
}

/** The agent that a pointer points into. */
const pointedAt = (pointer: string): Path | undefined =>
  pointer.split("/")[1]?.replaceAll("~1", "/").replaceAll("~0", "~");

const pointerKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
