/**
 * A version of a pipeline as people read it: every place with its prompt, model, schemas and settings, and which package and
 * commit it is of. Kept with each run, beside the manifest, which has only hashes.
 */
import { ownFacts, sha256 } from "./fingerprint.ts";
import type { Json, JsonObject } from "./json.ts";
import { isQualifier, links, type Node, nameOf, type Place, type Qualifier } from "./node.ts";
import { outlineText } from "./outline-text.ts";
import { childPath, type Path, undoPath } from "./paths.ts";
import { inside } from "./tree.ts";

export interface Outline {
  readonly pipeline: string;
  /** In the order of the tree. */
  readonly places: readonly PlaceOutline[];
  readonly release?: Release;
}

export interface PlaceOutline {
  readonly path: Path;
  readonly kind: string;
  /** What makes it the version it is: code by its hash, prompts and models as they are. */
  readonly facts: JsonObject;
  /** What may change under a run: retries, timeouts, budgets, concurrency. The outermost first. */
  readonly settings?: readonly JsonObject[];
}

/** Where code is from. */
export interface Release {
  /** `name@1.2.3` of the package it belongs to. */
  readonly package?: string;
  /** The commit that is checked out, in full. It does not tell whether files have been changed since. */
  readonly commit?: string;
}

/** An outline as kept in the store, and the hash it is kept by. */
export interface OutlineBlob {
  readonly hash: string;
  readonly text: string;
}

const outlines = new WeakMap<Node, readonly PlaceOutline[]>();
const blobs = new WeakMap<Node, Map<string, OutlineBlob>>();

/** The outline of a tree of one release. Made once for both. */
export function outlineOf(node: Node, pipeline: string, release?: Release): OutlineBlob {
  const known = blobs.get(node) ?? new Map<string, OutlineBlob>();
  blobs.set(node, known);
  const key = JSON.stringify([pipeline, release]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const outline: Outline = {
    pipeline,
    places: placesOf(node),
    ...(release === undefined ? {} : { release }),
  };
  const text = outlineText(outline);
  const blob = { hash: sha256(text), text };
  known.set(key, blob);
  return blob;
}

function placesOf(node: Node): readonly PlaceOutline[] {
  const known = outlines.get(node);
  if (known !== undefined) return known;
  const places: PlaceOutline[] = [];
  list(node, "", [], places);
  outlines.set(node, places);
  return places;
}

/** @param around the settings of qualifiers around the node. */
function list(node: Node, within: Path, around: readonly JsonObject[], places: PlaceOutline[]): void {
  if (node.kind === "sequence") {
    const settings = [...around, ...(around.length === 0 ? [] : [{ kind: "sequence" }])];
    for (const link of links(node)) list(link, within, settings, places);
    return;
  }
  if (isQualifier(node)) {
    const settings = node.kind === "compensate" ? around : [...around, settingsOf(node)];
    list(node.of, within, settings, places);
    if (node.kind === "fallback") list(node.other, within, around, places);
    if (node.kind === "compensate") list(node.undo, undoPath(childPath(within, nameOf(node.of))), [], places);
    return;
  }
  const path = childPath(within, node.name);
  const own = node.kind === "mapOver" ? [...around, { concurrency: node.concurrency }] : around;
  const { kind, name: _, ...facts } = ownFacts(node as Place);
  places.push({ path, kind: String(kind), facts, ...(own.length === 0 ? {} : { settings: own }) });
  for (const sub of inside(node, path)) list(sub.node, sub.within, [], places);
}

/** A qualifier as data: what of it is no function, schema or tree. */
function settingsOf(qualifier: Qualifier): JsonObject {
  const plain = Object.entries(qualifier).filter(([, value]) => isPlain(value));
  return Object.fromEntries(plain) as { readonly [field: string]: Json }; // isPlain says so
}

function isPlain(value: unknown): boolean {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return !("kind" in value) && !("~standard" in value) && Object.values(value).every(isPlain);
}
