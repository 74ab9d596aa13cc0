import { canonical } from "../../core/canonical.ts";
import { decode } from "../../core/codec.ts";
import { placed } from "../../core/error-record.ts";
import { sha256, versionOf } from "../../core/fingerprint.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { bare, type CachedNode, nameOf } from "../../core/node.ts";
import { childPath, type Path } from "../../core/paths.ts";
import { diff } from "../../core/state.ts";
import { Footprint } from "../footprint.ts";
import type { Frame } from "../frame.ts";
import { fetchJson, keepJson, type Value } from "../values.ts";

/** A kept result, the state fields it was made from (their hashes), and those it set (their values). */
interface Variant {
  readonly reads: { readonly [field: string]: string };
  readonly output: Json;
  readonly writes: JsonObject;
}

/** Variants kept for one key: the newest ones. */
const mostVariants = 16;

/**
 * A result kept from an earlier run: same step (by fingerprint), same input, and the same values in the state fields
 * that were read. A hit is recorded as the step's completion, marked `cached`, at no cost.
 */
export async function advanceCached(node: CachedNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure, state } = frame;
  const path = childPath(frame.path, nameOf(node.of));
  const hit = tenure.run.completed.get(path);
  if (hit?.cached) {
    frame.footprint?.notePartial();
    state.apply(hit.state);
    return { json: hit.output, ref: hit.seq };
  }
  if (!tenure.run.misses.has(path)) frame.stop.check();
  const key = await keyOf(node, path, input, frame);
  const variants = await variantsOf(key, frame);
  if (!tenure.run.misses.has(path)) {
    const fitting = variants.find((variant) => fits(variant, state.current));
    if (fitting !== undefined) return take(fitting, path, input, node, frame);
    tenure.journal.put({ type: "cache-missed", path });
  }
  const before = state.current;
  const footprint = new Footprint(frame.footprint);
  const value = await frame.advance(node.of, input, { ...frame, footprint });
  if (footprint.isPartial) return value; // part of it was done before a crash, and what it had read is forgotten
  const { read, written } = footprint;
  for (const field of written) if (tenure.reducers[field] !== undefined) read.add(field); // reducers look at it, too
  const made: Variant = {
    reads: Object.fromEntries([...read].map((field) => [field, digest(before, field)])),
    output: await fetchJson(value.json, tenure.store),
    writes: fieldsOf(state.current, written),
  };
  const expires = node.ttlMs === undefined ? {} : { expiresAt: tenure.world.now() + node.ttlMs };
  const kept = [made, ...variants].slice(0, mostVariants) as unknown as Json; // variants are JSON by construction
  await tenure.store.cachePut(key, { value: kept, ...expires });
  return value;
}

async function variantsOf(key: string, frame: Frame): Promise<readonly Variant[]> {
  const { store, world } = frame.tenure;
  const found = await store.cacheGet(key, world.now());
  return (found?.value ?? []) as unknown as readonly Variant[]; // written above
}

async function take(
  variant: Variant,
  path: Path,
  input: Value,
  node: CachedNode,
  frame: Frame,
): Promise<Value> {
  const { journal } = frame.tenure;
  const kept = keepJson(variant.output);
  const { current } = frame.state;
  const changes = isJsonObject(current) ? diff(current, { ...current, ...variant.writes }) : [];
  const state = changes.length === 0 ? {} : { state: changes };
  const { kind } = bare(node.of);
  const fact = {
    type: "step-completed",
    path,
    kind,
    in: input.ref,
    output: kept.entry,
    ...state,
  } as const;
  const seq = journal.put({ ...fact, cached: true }, kept.blob);
  await journal.sync();
  frame.state.apply(changes);
  for (const field of Object.keys(variant.reads)) frame.footprint?.noteRead(field);
  for (const field of Object.keys(variant.writes)) frame.footprint?.noteWritten(field);
  return { json: kept.json, ref: seq };
}

async function keyOf(node: CachedNode, path: Path, input: Value, frame: Frame): Promise<string> {
  const json = await fetchJson(input.json, frame.tenure.store);
  let what: Json = json;
  if (node.key !== undefined) {
    try {
      what = node.key(decode(json) as never); // the builder ties the key to the input
    } catch (error) {
      throw placed(error, path);
    }
  }
  const checks = frame.checks.map(({ fact }) => fact); // they have had their say before a result is kept
  return sha256(canonical([versionOf(node.of).fingerprint, what, ...checks]));
}

const fits = (variant: Variant, state: Json): boolean =>
  Object.entries(variant.reads).every(([field, hash]) => digest(state, field) === hash);

function fieldsOf(state: Json, fields: ReadonlySet<string>): JsonObject {
  if (!isJsonObject(state)) return {};
  return Object.fromEntries(
    [...fields].flatMap((field) => (Object.hasOwn(state, field) ? [[field, state[field] as Json]] : [])),
  );
}

/** `*` stands for the set of fields there are. */
function digest(state: Json, field: string): string {
  if (!isJsonObject(state)) return "";
  if (field === "*") return sha256(Object.keys(state).sort().join("\n")).slice(0, 16);
  return Object.hasOwn(state, field) ? sha256(canonical(state[field] as Json)).slice(0, 16) : "absent";
}
