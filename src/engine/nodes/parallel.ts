import { assign } from "../../core/codec.ts";
import type { Ref } from "../../core/entries.ts";
import type { Json } from "../../core/json.ts";
import type { ParallelNode } from "../../core/node.ts";
import { childPath, itemPath } from "../../core/paths.ts";
import type { Branch } from "../../core/state.ts";
import type { Frame } from "../frame.ts";
import { fetchJson, type Value } from "../values.ts";
import { closed } from "./closed.ts";
import { Join, type Outcome } from "./join.ts";

/** All branches at once, each on its own copy of the state; changes merge in declared order. */
export async function advanceParallel(node: ParallelNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const path = childPath(frame.path, node.name);
  const began = tenure.world.now();
  const join = new Join(frame, node.onFailure);
  const names = Object.keys(node.branches);
  const outcomes = await Promise.all(
    names.map((key) =>
      join.follow({ key, path: itemPath(path, key), node: node.branches[key] as ParallelNode, input }),
    ),
  );
  join.finish(names.length);
  const output: Record<string, Json> = {};
  const out: Record<string, Ref> = {};
  const changed: Branch[] = [];
  for (const [i, key] of names.entries()) {
    const { json, ref, state } = outcomes[i] as Outcome; // all are there, or finish() has thrown
    assign(output, key, await fetchJson(json, tenure.store));
    assign(out, key, ref);
    if (state !== undefined) changed.push({ name: key, state });
  }
  frame.state.join(changed, tenure.reducers, path);
  return closed(
    frame,
    { path, kind: node.kind, in: input.ref, out, began, collect: node.onFailure === "collect" },
    output,
  );
}
