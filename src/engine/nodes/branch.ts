import { decode } from "../../core/codec.ts";
import { placed } from "../../core/error-record.ts";
import { UnknownBranchError } from "../../core/errors.ts";
import type { BranchNode, Node } from "../../core/node.ts";
import { childPath, itemPath, type Path } from "../../core/paths.ts";
import { settingsOf } from "../../core/settings.ts";
import { stateSeen } from "../footprint.ts";
import { type Frame, within } from "../frame.ts";
import { fetchJson, type Value } from "../values.ts";

/** One branch, by a choice that is recorded before the branch's own results. */
export async function advanceBranch(node: BranchNode, input: Value, frame: Frame): Promise<Value> {
  const path = childPath(frame.path, node.name);
  const { run, journal } = frame.tenure;
  const recorded = run.choices.get(path);
  if (recorded !== undefined) frame.footprint?.notePartial();
  const key = recorded ?? (await choose(node, path, input, frame));
  const branch = branchFor(node, key, path);
  if (recorded === undefined) journal.put({ type: "branch-chosen", path, key });
  return frame.advance(branch, input, within(frame, { path: itemPath(path, key) }));
}

async function choose(node: BranchNode, path: Path, input: Value, frame: Frame): Promise<string> {
  frame.stop.check();
  const given = decode(await fetchJson(input.json, frame.tenure.store));
  try {
    // The builder ties input and state to the function's types.
    return String(
      await node.choose(given as never, { state: stateSeen(frame) as never, settings: settingsOf(node) }),
    );
  } catch (error) {
    throw placed(error, path);
  }
}

function branchFor(node: BranchNode, key: string, path: Path): Node {
  const branch = Object.hasOwn(node.branches, key) ? node.branches[key] : node.otherwise;
  if (branch !== undefined) return branch;
  const known = Object.keys(node.branches).map((name) => `"${name}"`);
  throw new UnknownBranchError(`${path} chose "${key}", and its branches are ${known.join(", ")}`, {
    path,
    hint: "Return one of these, or give it a default: branchOn(name, choose, branches, { otherwise: step }).",
  });
}
