/**
 * The run's shared memory, as the stored form of its values: changes are found by comparing, kept as RFC 6902
 * patches (so the journal grows by what changed, not by what there is), and merged where branches join.
 */

import { assign } from "./codec.ts";
import { StateConflictError } from "./errors.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import type { Path } from "./paths.ts";

/** One change, a JSON Patch operation. `path` is a JSON Pointer (RFC 6901). */
export type Change =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };
export type Patch = readonly Change[];

/**
 * How concurrent changes of one field become one value: `current` is what is there, `incoming` what the next branch
 * (in declared order) made of `base`, which is what both started from.
 */
export type Reducer<T = unknown> = (current: T, incoming: T, base: T) => T;
export type Reducers = {
  readonly [field: string]: (current: never, incoming: never, base: never) => unknown;
};

/** How lists are compared: element by element, or each as a whole. */
type Lists = "parts" | "whole";

/** The changes that lead from one value to another. Linear in the size of what differs. */
export function diff(from: Json, to: Json, lists: Lists = "parts"): Patch {
  const changes: Change[] = [];
  compare(from, to, "", changes, lists);
  return changes;
}

function compare(from: Json, to: Json, at: string, changes: Change[], lists: Lists): void {
  if (from === to) return;
  if (lists === "parts" && Array.isArray(from) && Array.isArray(to)) compareArrays(from, to, at, changes);
  else if (isContainer(from) && isContainer(to)) compareObjects(from, to, at, changes, lists);
  else if (!equal(from, to)) changes.push({ op: "replace", path: at, value: to });
}

function compareObjects(from: JsonObject, to: JsonObject, at: string, changes: Change[], lists: Lists): void {
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) changes.push({ op: "remove", path: `${at}/${pointerKey(key)}` });
  }
  for (const key of Object.keys(to)) {
    const path = `${at}/${pointerKey(key)}`;
    const value = to[key] as Json;
    if (Object.hasOwn(from, key)) compare(from[key] as Json, value, path, changes, lists);
    else changes.push({ op: "add", path, value });
  }
}

function compareArrays(from: readonly Json[], to: readonly Json[], at: string, changes: Change[]): void {
  const shared = Math.min(from.length, to.length);
  for (let i = 0; i < shared; i++) compare(from[i] as Json, to[i] as Json, `${at}/${i}`, changes, "parts");
  for (let i = from.length - 1; i >= shared; i--) changes.push({ op: "remove", path: `${at}/${i}` });
  for (let i = shared; i < to.length; i++)
    changes.push({ op: "add", path: `${at}/${i}`, value: to[i] as Json });
}

/** A tagged value (Date, Map, ...) is compared whole. */
const isContainer = (value: Json): value is JsonObject => isJsonObject(value) && !("$type" in value);

/** Whether two stored values are the same, key order aside. */
export function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => equal(item, b[i] as Json));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key] as Json, b[key] as Json))
  );
}

/**
 * The value after a patch; what the patch does not touch is shared with the value before it.
 *
 * @param own containers made by earlier calls for the same result: they are changed in place, so that a long series
 *   of patches costs what it changes.
 * @throws StateConflictError when the patch does not fit the value.
 */
export function applyPatch(value: Json, patch: Patch, own: WeakSet<object> = new WeakSet()): Json {
  return patch.reduce((current, change) => put(current, pointerKeys(change.path), 0, change, own), value);
}

function put(
  value: Json,
  keys: readonly string[],
  depth: number,
  change: Change,
  own: WeakSet<object>,
): Json {
  if (depth === keys.length) {
    if (change.op === "remove") throw new StateConflictError("the whole state cannot be removed");
    return change.value;
  }
  const key = keys[depth] as string;
  const last = depth === keys.length - 1;
  if (Array.isArray(value)) {
    const copy = owned(value, own, () => [...value]) as Json[];
    const index = Number(key);
    if (last && change.op === "remove") copy.splice(index, 1);
    else if (last && change.op === "add") copy.splice(index, 0, change.value);
    else copy[index] = put(copy[index] as Json, keys, depth + 1, change, own);
    return copy;
  }
  if (!isJsonObject(value))
    throw new StateConflictError(`a patch changes ${change.path}, which is not there`);
  const copy = owned(value, own, () => ({ ...value })) as Record<string, Json>;
  if (last && change.op === "remove") delete copy[key];
  else assign(copy, key, put(copy[key] as Json, keys, depth + 1, change, own));
  return copy;
}

function owned(value: object, own: WeakSet<object>, copy: () => object): object {
  if (own.has(value)) return value;
  const mine = copy();
  own.add(mine);
  return mine;
}

/** What one branch made of the state it started from. */
export interface Branch {
  readonly name: string;
  readonly state: Json;
}

/**
 * Joins branches in their declared order: each one's changes since `base` are applied on top of the ones before. A list
 * is one value: the places of its elements mean nothing once another branch has moved them.
 *
 * @throws StateConflictError naming field and branches, when two set one field to different values and it has no reducer.
 */
export function merge(base: Json, branches: readonly Branch[], reducers: JsonReducers, path: Path): Json {
  let merged = base;
  const own = new WeakSet<object>();
  const touched = new Map<string, { branch: string; change: Change }>();
  for (const branch of branches) {
    if (branch.state === base) continue;
    const reduced = new Set<string>();
    for (const change of diff(base, branch.state, "whole")) {
      const field = pointerKeys(change.path)[0] ?? "";
      const reducer = reducers[field];
      if (reducer === undefined) {
        noteChange(touched, branch.name, change, path);
        merged = applyPatch(merged, agreed(merged, change), own);
      } else if (!reduced.has(field)) {
        reduced.add(field);
        const next = reducer(fieldOf(merged, field), fieldOf(branch.state, field), fieldOf(base, field));
        merged = applyPatch(merged, [{ op: "add", path: `/${pointerKey(field)}`, value: next }], own);
      }
    }
  }
  return merged;
}

/** A reducer over stored forms; `undefined` for a field that is not there. */
export type JsonReducers = {
  readonly [field: string]: (current?: Json, incoming?: Json, base?: Json) => Json;
};

const fieldOf = (state: Json, field: string): Json | undefined =>
  isJsonObject(state) && Object.hasOwn(state, field) ? (state[field] as Json) : undefined;

/** Two branches that agree may both have made a change: the second adds nothing, or replaces by the same. */
function agreed(merged: Json, change: Change): Patch {
  if (!has(merged, pointerKeys(change.path))) return change.op === "remove" ? [] : [change];
  return change.op === "add" ? [{ ...change, op: "replace" }] : [change];
}

function has(value: Json, keys: readonly string[]): boolean {
  let inner: Json | undefined = value;
  for (const key of keys) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return false;
    inner = (inner as JsonObject)[key];
  }
  return true;
}

function noteChange(
  touched: Map<string, { branch: string; change: Change }>,
  branch: string,
  change: Change,
  path: Path,
): void {
  const keys = pointerKeys(change.path);
  const places = keys.map(
    (_, i) =>
      `/${keys
        .slice(0, i + 1)
        .map(pointerKey)
        .join("/")}`,
  );
  const above = places.slice(0, -1).map((place) => touched.get(place));
  const same = touched.get(change.path);
  const clash = above.find(isOther) ?? (same && !agrees(same.change, change) ? same : undefined);
  if (clash !== undefined && clash.branch !== branch) throw conflict(keys, clash.branch, branch, path);
  touched.set(change.path, { branch, change });
  for (const place of places.slice(0, -1))
    if (!touched.has(place)) touched.set(place, { branch, change: inner });
}

/** Marks a place above a change: a branch that changes the whole of it clashes with one that changed a part. */
const inner: Change = { op: "replace", path: "", value: { $type: "part" } };
const isOther = (mark: { change: Change } | undefined): boolean =>
  mark !== undefined && mark.change !== inner;
const agrees = (a: Change, b: Change): boolean =>
  a !== inner && (a.op === "remove" || b.op === "remove" ? a.op === b.op : equal(a.value, b.value));

function conflict(keys: readonly string[], first: string, second: string, path: Path): StateConflictError {
  return new StateConflictError(
    `branches "${first}" and "${second}" of ${path} both changed the state field "${keys.join(".")}", to different values`,
    {
      path,
      hint: `Let one of them change it, or give the field a reducer: pipeline(…, { reducers: { ${keys[0]}: … } }).`,
    },
  );
}

const pointerKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
const pointerKeys = (pointer: string): string[] =>
  pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
