import { type CompensateNode, nameOf } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import type { Value } from "../values.ts";

/** Once it has completed, its compensation is owed: whoever takes care of a failure around it looks there. */
export async function advanceCompensate(node: CompensateNode, input: Value, frame: Frame): Promise<Value> {
  const output = await frame.advance(node.of, input, frame);
  frame.tenure.compensations.note(childPath(frame.path, nameOf(node.of)), input, output);
  return output;
}
