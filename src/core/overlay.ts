/**
 * Prompts and settings of a tree, changed without touching its source: a JSON Patch (RFC 6902) over the document of all
 * that can be changed so.
 */
import type { Operation } from "rfc6902";
import { InvalidOptionError } from "./errors.ts";
import type { Improvable, ImprovableFields } from "./improvable.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import {
  type BranchNode,
  type LoopNode,
  links,
  type Node,
  nameOf,
  type Place,
  type RetryNode,
  type WorkNode,
} from "./node.ts";
import { childPath, itemPath, type Path, undoPath } from "./paths.ts";
import { changedSettings, type SettingsTerms, settingFields, settingValues } from "./settings.ts";
import { equal } from "./state.ts";
import { isAttempts } from "./step.ts";
import { eachPlace, retriedPath, retriesOf } from "./tree.ts";

/** A JSON Patch over the improvables of a tree, its operations in order. */
export type Overlay = readonly Operation[];

/** What can be changed: values by field, by the path of their place as the tree has it: `/q3/AnalyseAll[]/summarise`. */
export type Improvables = { readonly [place: Path]: JsonObject };

/** The document that an overlay patches. */
export function improvablesOf(root: Node): Improvables {
  const places = Object.entries(improvableFieldsOf(root)).map(([place, fields]) => [place, given(fields)]);
  return Object.fromEntries(places);
}

const given = (fields: ImprovableFields): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([field, { value }]) => (value === undefined ? [] : [[field, value]])),
  );

/** The same with all that is known of each value. */
export function improvableFieldsOf(root: Node): { readonly [place: Path]: ImprovableFields } {
  const found: Record<Path, ImprovableFields> = {};
  const retried = retriesOf(root);
  eachPlace(root, "", (place, path) => {
    const retry = retried.get(path);
    const fields = { ...ownFields(place), ...(retry === undefined ? {} : { attempts: attemptsOf(retry) }) };
    if (place.kind === "agent" || Object.keys(fields).length > 0) found[path] = fields; // what is code there can become data
  });
  return found;
}

function ownFields(place: Place): ImprovableFields {
  if ("improvable" in place && place.improvable !== undefined) return place.improvable();
  return "settings" in place && place.settings !== undefined ? settingFields(place.settings) : {};
}

const attemptsOf = ({ attempts, improve }: RetryNode): Improvable => ({
  type: "integer",
  value: attempts,
  mayChange: improve !== undefined,
  min: improve?.min ?? 1,
  max: improve?.max ?? 1_000,
});

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
    const known = Object.hasOwn(before, place) ? before[place] : undefined;
    if (known === undefined || !isJsonObject(values)) throw unknownPlace(place, before);
    if (!equal(known, values)) changed.set(place, values);
  }
  const [gone] = Object.keys(before).filter((place) => !Object.hasOwn(after as object, place));
  if (gone !== undefined) throw new InvalidOptionError(`the overlay removes ${gone}`, { hint: fields });
  return replaced(root, "", changed);
}

const fields =
  "An overlay changes fields of places: prompt, system, model, temperature, settings and others.";

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
      return changedNode(node, { of: each(node.of, parent), ...retriedAsOften(node, parent, changed) });
    case "timeout":
    case "cached":
    case "budget":
    case "validate":
      return changedNode(node, { of: each(node.of, parent) });
    case "agent":
      return improved(node, childPath(parent, node.name), changed);
    case "step":
      return changedNode(node, otherSettings(node, childPath(parent, node.name), changed));
    case "pipeline":
      return changedNode(node, { body: each(node.body, childPath(parent, node.name)) });
    case "loopUntil":
      return changedNode(node, {
        body: each(node.body, itemPath(childPath(parent, node.name), "")),
        ...otherSettings(node, childPath(parent, node.name), changed),
      });
    case "mapOver":
      return changedNode(node, { each: each(node.each, itemPath(childPath(parent, node.name), "")) });
    case "parallel":
      return changedNode(node, { branches: branches(node.branches, childPath(parent, node.name), each) });
    case "branchOn": {
      const path = childPath(parent, node.name);
      const { otherwise } = node;
      const other = otherwise && { otherwise: each(otherwise, itemPath(path, "otherwise")) };
      const settings = otherSettings(node, path, changed);
      return changedNode(node, { branches: branches(node.branches, path, each), ...other, ...settings });
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

type Changed = ReadonlyMap<Path, JsonObject>;

function improved(node: WorkNode, path: Path, changed: Changed): WorkNode {
  const values = changed.get(path);
  return values === undefined || node.improved === undefined ? node : node.improved(ownValues(values));
}

function otherSettings(
  node: WorkNode | BranchNode | LoopNode,
  path: Path,
  changed: Changed,
): { readonly settings?: SettingsTerms } {
  const values = changed.get(path);
  if (values === undefined) return {};
  const own = ownValues(values);
  const { settings = {} } = node;
  if (equal(settingValues(settings), own)) return {};
  return { settings: changedSettings(`${node.kind} "${node.name}"`, settings, own) };
}

/** The attempts are those of the retry around a place. */
const ownValues = ({ attempts: _, ...values }: JsonObject): JsonObject => values;

function retriedAsOften(node: RetryNode, parent: Path, changed: Changed): { readonly attempts?: number } {
  const path = retriedPath(node, parent);
  const values = path === undefined ? undefined : changed.get(path);
  if (values === undefined) return {};
  const { attempts } = values;
  if (isAttempts(attempts)) return { attempts };
  const shown = attempts === undefined ? "are left out" : `are ${JSON.stringify(attempts)}`;
  throw new InvalidOptionError(`the attempts of ${path} ${shown}; they are a whole number from 1 to 1,000`);
}

/** @throws InvalidOptionError when an overlay can change nothing there. */
export function unknownPlace(place: Path, known: Improvables): InvalidOptionError {
  const all = Object.keys(known);
  const hint =
    all.length === 0
      ? "Nothing of the pipeline can be changed so."
      : `It can change values of ${all.slice(0, mostNamed).join(", ")}${all.length > mostNamed ? ", …" : ""}.`;
  return new InvalidOptionError(`there is nothing at ${place} that an overlay can change`, { hint });
}

const mostNamed = 12;

function misfitting(operation: Operation, failure: Error | null | undefined, known: Improvables) {
  const place = typeof operation?.path === "string" ? placeIn(operation.path)[0] : undefined;
  if (place !== undefined && !Object.hasOwn(known, place)) return unknownPlace(place, known);
  const what = failure === null || failure === undefined ? "" : ` (${failure.name})`;
  return new InvalidOptionError(
    `the overlay does not fit the pipeline${what}: ${JSON.stringify(operation)}`,
    {
      hint: `Its pointers begin with the path of a place, "/" written ~1: /${Object.keys(known).map(pointerKey)[0] ?? "…"}/system`,
    },
  );
}

/** The place and the field that a pointer of an overlay names. */
export function placeIn(pointer: string): readonly [place: Path, field: string] {
  const [place = "", field = ""] = pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return [place, field];
}

const pointerKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
