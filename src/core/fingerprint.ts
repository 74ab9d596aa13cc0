/**
 * Which version of a pipeline a run belongs to. The manifest lists every place of the tree with the hash of what it
 * is (code, prompt, model, schemas: not retries, timeouts, budgets or concurrency, which may change under a run) and
 * the link before it. The fingerprint is the hash of the manifest.
 */
import { hash } from "node:crypto";
import { canonical } from "./canonical.ts";
import type { Json, JsonObject } from "./json.ts";
import { isQualifier, links, type Node, nameOf, type Place } from "./node.ts";
import { childPath, isUndo, type Path, undoPath } from "./paths.ts";
import type { Schema } from "./schema.ts";
import { type SettingsTerms, settingValues } from "./settings.ts";
import { inside } from "./tree.ts";

/** One place: where, what (a hash), and the link before it in its sequence. */
export type ManifestLine = readonly [place: Path, hash: string, after: string];
export type Manifest = readonly ManifestLine[];

export interface Version {
  readonly fingerprint: string;
  readonly manifest: Manifest;
  /** The manifest as kept in the store, and the hash it is kept by. */
  readonly blob: { readonly hash: string; readonly text: string };
}

const versions = new WeakMap<Node, Version>();

/** The version of the tree under a node. Made once per node. */
export function versionOf(node: Node): Version {
  const known = versions.get(node);
  if (known) return known;
  const manifest: ManifestLine[] = [];
  list(node, "", "", manifest);
  const text = JSON.stringify(manifest);
  const digest = sha256(text);
  const version = { fingerprint: digest.slice(0, 16), manifest, blob: { hash: digest, text } };
  versions.set(node, version);
  return version;
}

function list(node: Node, parent: Path, after: string, lines: ManifestLine[]): void {
  if (node.kind === "sequence") {
    let previous = after;
    for (const link of links(node)) {
      list(link, parent, previous, lines);
      previous = nameOf(link);
    }
  } else if (node.kind === "fallback") {
    list(node.of, parent, after, lines);
    list(node.other, parent, `${nameOf(node.of)}?`, lines);
  } else if (isQualifier(node)) {
    list(node.of, parent, after, lines);
    if (node.kind !== "compensate") return;
    const path = undoPath(childPath(parent, nameOf(node.of)));
    lines.push([path, undoHash, ""]);
    list(node.undo, path, "", lines);
  } else {
    const path = childPath(parent, node.name);
    lines.push([path, ownHash(node), after]);
    for (const sub of inside(node, path)) list(sub.node, sub.within, "", lines);
  }
}

/** That there is a compensation; what it is, its own places say. */
const undoHash = "compensate";

const hashes = new WeakMap<Node, string>();

function ownHash(node: Place): string {
  const known = hashes.get(node);
  if (known) return known;
  const facts = ownFacts(node);
  const isFlat = node.kind === "step" && node.input === undefined && node.output === undefined;
  // Flat facts are written in one order already; sorting them is most of what a chain of 10,000 steps would pay.
  const digest = sha256(isFlat ? JSON.stringify(facts) : canonical(facts)).slice(0, 16);
  hashes.set(node, digest);
  return digest;
}

/** What a place is: all of it that makes it the version it is. */
export function ownFacts(node: Place): JsonObject {
  const facts = { kind: node.kind, name: node.name };
  switch (node.kind) {
    case "step":
    case "agent":
      return {
        ...facts,
        ...node.facts,
        ...settingFacts(node),
        input: schemaFact(node.input),
        output: schemaFact(node.output),
      };
    case "pipeline":
      return {
        ...facts,
        input: schemaFact(node.input),
        ...(node.version === undefined ? {} : { version: node.version }),
      };
    case "parallel":
      return { ...facts, branches: Object.keys(node.branches), onFailure: node.onFailure };
    case "mapOver":
      return { ...facts, onFailure: node.onFailure, over: codeFact(node.over), key: codeFact(node.key) };
    case "branchOn":
      return { ...facts, choose: codeFact(node.choose), ...settingFacts(node) };
    case "loopUntil":
      return {
        ...facts,
        until: codeFact(node.until),
        maxLoops: node.maxLoops,
        onMaxLoops: node.onMaxLoops,
        ...settingFacts(node),
      };
    case "sleep":
      return { ...facts, ms: typeof node.ms === "number" ? node.ms : codeFact(node.ms.until) };
    case "humanInTheLoop":
      return { ...facts, answer: schemaFact(node.answer) };
    case "waitFor":
      return { ...facts, schema: schemaFact(node.schema) };
  }
}

/** The values alone: their bounds decide nothing. */
const settingFacts = ({ settings }: { readonly settings?: SettingsTerms }): JsonObject =>
  settings === undefined ? {} : { settings: settingValues(settings) };

/**
 * The recorded paths that a changed tree no longer explains: their place is gone, is something else now, or follows
 * another link. What is not recorded yet may change freely.
 */
export function changedPaths(before: Manifest, now: Manifest, recorded: Iterable<Path>): Path[] {
  const [old, fresh] = [byPlace(before), byPlace(now)];
  const changed = new Set<Path>();
  const scopes = scopesOf(old);
  for (const path of recorded) {
    for (const place of placesOf(path, scopes)) if (old.get(place) !== fresh.get(place)) changed.add(place);
  }
  return [...changed];
}

const byPlace = (manifest: Manifest): Map<Path, string> =>
  new Map(manifest.map(([place, digest, after]) => [place, `${digest} ${after}`]));

/** Paths under which places hang, as the manifest writes them: `/q3`, `/q3/each[]`, `/q3/both[left]`. */
function scopesOf(manifest: Map<Path, string>): Set<Path> {
  const scopes = new Set<Path>([""]);
  for (const place of manifest.keys()) scopes.add(place).add(place.slice(0, place.lastIndexOf("/")));
  return scopes;
}

/** Finds the place a recorded path stands for, in the manifest's writing; undefined where the manifest has none. */
export function placeFinder(manifest: Manifest): (path: Path) => Path | undefined {
  const known = byPlace(manifest);
  const scopes = scopesOf(known);
  return (path) => placesOf(path, scopes).findLast((place) => known.has(place));
}

/** Whether a tree of this manifest has anything that can be undone. */
export const hasUndo = (manifest: Manifest): boolean => manifest.some(([place]) => isUndo(place));

/** The places a recorded path passes through, in the manifest's writing: keys of items become `[]`. */
function placesOf(path: Path, scopes: ReadonlySet<Path>): Path[] {
  const found: Path[] = [];
  let scope = "";
  for (const [, name, key] of path
    .replace(/:.*$/, "")
    .matchAll(/\/([^/[@]+(?:@undo)?)(?:@\d+)?(?:\[([^\]]*)\])?/g)) {
    const place = `${scope}/${name}`;
    found.push(place);
    const within = [`[${key}]`, "[]", "[otherwise]"].map((end) => place + end);
    scope = key === undefined ? place : (within.find((one) => scopes.has(one)) ?? `${place}[]`);
  }
  return found;
}

/** A function as a fact: the hash of its source without white space, so that formatting changes nothing. */
export function codeFact(work: unknown): Json {
  return typeof work === "function" ? sha256(String(work).replace(/\s+/g, "")).slice(0, 16) : null;
}

/** A schema as a fact: its JSON Schema where the library offers one, else the library's name. */
export function schemaFact(schema: Schema | undefined): Json {
  if (schema === undefined) return null;
  return (jsonSchemaOf(schema) as Json | undefined) ?? schema["~standard"].vendor;
}

/** The schema's JSON Schema (2020-12), by the Standard JSON Schema trait; undefined when it has none. */
export function jsonSchemaOf(schema: Schema, side: "input" | "output" = "output"): object | undefined {
  const standard: object = schema["~standard"];
  if (!("jsonSchema" in standard)) return undefined;
  // The trait is optional and newer than Standard Schema itself; its shape is checked by calling it.
  const trait = standard.jsonSchema as Record<string, (options: { target: string }) => object>;
  try {
    return trait[side]?.({ target: "draft-2020-12" });
  } catch {
    return undefined; // a schema JSON Schema cannot express, as one with a Date
  }
}

/** Whether a schema makes nothing else of what fits it, as far as its JSON Schemas tell. */
export function isTest(schema: Schema): boolean {
  const [taken, given] = [jsonSchemaOf(schema, "input"), jsonSchemaOf(schema, "output")];
  return taken !== undefined && given !== undefined && sameText(taken, given);
}

const sameText = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

export const sha256 = (text: string): string => hash("sha256", text);
