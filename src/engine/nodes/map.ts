import { decode } from "../../core/codec.ts";
import type { Ref } from "../../core/entries.ts";
import { placed } from "../../core/error-record.ts";
import { DuplicateKeyError, InvalidInputError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { MapNode } from "../../core/node.ts";
import { childPath, itemPath, type Path } from "../../core/paths.ts";
import type { Branch } from "../../core/state.ts";
import { isCompensated } from "../../core/tree.ts";
import { stateSeen } from "../footprint.ts";
import type { Frame } from "../frame.ts";
import { fetchJson, keep, type Value } from "../values.ts";
import { closed } from "./closed.ts";
import { Join } from "./join.ts";

/** The items, their keys, and where they came from. */
interface Items {
  readonly list: readonly Json[];
  readonly key: (index: number) => string;
  readonly ref: (index: number) => Ref;
}

/** One tree for each item, `concurrency` at a time; outputs in the items' order. */
export async function advanceMap(node: MapNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const path = childPath(frame.path, node.name);
  const began = tenure.world.now();
  const items = await itemsOf(node, path, input, frame);
  const join = new Join(frame, node.onFailure);
  const outputs: Json[] = new Array(items.list.length);
  const out: Ref[] = new Array(items.list.length);
  const states: (Json | undefined)[] = [];
  const goesOn = isCompensated(node.each); // all that is recorded is to be seen, also by a map that has failed
  let next = 0;
  const follow = async (): Promise<void> => {
    while (next < items.list.length && (goesOn || !join.isOver)) {
      const index = next++;
      const key = items.key(index);
      const value = { json: items.list[index] as Json, ref: items.ref(index) };
      const outcome = await join.follow({ key, path: itemPath(path, key), node: node.each, input: value });
      if (outcome === undefined) continue;
      outputs[index] = outcome.json;
      out[index] = outcome.ref;
      if (outcome.state !== undefined) states[index] = outcome.state;
    }
  };
  await Promise.all(Array.from({ length: Math.min(node.concurrency, items.list.length) }, follow));
  join.finish(items.list.length);
  const changed: Branch[] = [];
  states.forEach((state, index) => {
    if (state !== undefined) changed.push({ name: items.key(index), state });
  });
  frame.state.join(changed, tenure.reducers, path);
  for (const [i, json] of outputs.entries()) outputs[i] = await fetchedJson(json, frame);
  return closed(
    frame,
    { path, kind: node.kind, in: input.ref, out, began, collect: node.onFailure === "collect" },
    outputs,
  );
}

const fetchedJson = (json: Json, frame: Frame): Json | Promise<Json> =>
  typeof json === "object" ? fetchJson(json, frame.tenure.store) : json;

/** The items of this map: as first seen, when they were recorded. */
async function itemsOf(node: MapNode, path: Path, input: Value, frame: Frame): Promise<Items> {
  const { tenure } = frame;
  const recorded = tenure.run.maps.get(path);
  if (recorded !== undefined) {
    frame.footprint?.notePartial();
    const made = recorded.items === undefined ? undefined : await fetchJson(recorded.items, tenure.store);
    const list = (made ?? (await fetchJson(input.json, tenure.store))) as readonly Json[]; // an array when it was recorded
    const ref = (index: number): Ref =>
      made === undefined ? partOf(input.ref, index) : [recorded.seq, index];
    return { list, key: (index) => recorded.keys?.[index] ?? String(index), ref };
  }
  if (node.over !== undefined || node.key !== undefined) frame.stop.check(); // it would be recorded
  const given = decode(await fetchJson(input.json, tenure.store));
  const values = await evaluate(node, path, given, frame);
  const kept = node.over === undefined ? undefined : keep(values, `items of ${path}`, path);
  const list =
    kept === undefined
      ? ((await fetchJson(input.json, tenure.store)) as readonly Json[])
      : (kept.json as readonly Json[]);
  const keys = node.key === undefined ? undefined : keysOf(node.key, values, path);
  if (keys === undefined && kept === undefined) {
    return { list, key: String, ref: (index) => partOf(input.ref, index) };
  }
  const seq = tenure.journal.put(
    {
      type: "map-started",
      path,
      count: values.length,
      ...(keys ? { keys } : {}),
      ...(kept ? { items: kept.entry } : {}),
    },
    kept?.blob,
  );
  const ref = (index: number): Ref => (kept === undefined ? partOf(input.ref, index) : [seq, index]);
  return { list, key: (index) => keys?.[index] ?? String(index), ref };
}

/** An element of a value. */
const partOf = (ref: Ref, index: number): Ref => (typeof ref === "number" ? [ref, index] : [...ref, index]);

async function evaluate(
  node: MapNode,
  path: Path,
  input: unknown,
  frame: Frame,
): Promise<readonly unknown[]> {
  if (node.over === undefined) {
    if (Array.isArray(input)) return input;
    throw new InvalidInputError(`${path} maps over a list, and its input is ${describe(input)}`, {
      path,
      hint: "Hand it an array, or say where the items are: mapOver(name, step, { over: (input, state) => … }).",
    });
  }
  try {
    return [...node.over(input as never, stateSeen(frame) as never)]; // the builder ties these types
  } catch (error) {
    throw placed(error, path);
  }
}

function keysOf(key: (item: never) => string, values: readonly unknown[], path: Path): string[] {
  const seen = new Set<string>();
  return values.map((value) => {
    const name = String(key(value as never)); // as above
    if (seen.has(name)) {
      throw new DuplicateKeyError(`two items of ${path} have the key "${name}"`, {
        path,
        hint: "Keys name items in the journal; make them unique.",
      });
    }
    seen.add(name);
    return name;
  });
}

const describe = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
