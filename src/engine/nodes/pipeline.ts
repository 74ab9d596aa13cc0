import { decode } from "../../core/codec.ts";
import { InvalidInputError } from "../../core/errors.ts";
import type { PipelineNode } from "../../core/node.ts";
import { childPath, operationPath } from "../../core/paths.ts";
import { check, misfit } from "../../core/schema.ts";
import { type Frame, within } from "../frame.ts";
import { fetchJson, keep, type Value } from "../values.ts";
import { altered } from "./closed.ts";

/** A pipeline: its body under a path of its own. The outermost one's input was checked before it was recorded. */
export async function advancePipeline(node: PipelineNode, input: Value, frame: Frame): Promise<Value> {
  const path = childPath(frame.path, node.name);
  const inside = within(frame, { path });
  if (node.input === undefined || frame.path === "") return frame.advance(node.body, input, inside);
  const given = await check(node.input, decode(await fetchJson(input.json, frame.tenure.store)));
  if (!given.ok) throw new InvalidInputError(misfit("input", path, given.issues), { path });
  const taken = altered(
    frame,
    operationPath(path, "input", 0),
    input,
    keep(given.value, `input of ${path}`, path),
  );
  return frame.advance(node.body, taken, inside);
}
