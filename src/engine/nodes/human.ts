import { approvalSchema } from "../../core/approval.ts";
import { decode } from "../../core/codec.ts";
import { placed } from "../../core/error-record.ts";
import type { HumanNode } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import { expected } from "../expectation.ts";
import type { Frame } from "../frame.ts";
import { fetchJson, type Value } from "../values.ts";

/** Waits for a person: the first fitting answer sent to this path becomes its output. */
export function advanceHuman(node: HumanNode, input: Value, frame: Frame): Promise<Value> {
  const { answer: given } = node;
  const path = childPath(frame.path, node.name);
  const words = async () => {
    const value = decode(await fetchJson(input.json, frame.tenure.store));
    try {
      // The builder ties prompt and context to the input.
      return { prompt: String(node.prompt(value as never)), context: node.context?.(value as never) };
    } catch (error) {
      throw placed(error, path);
    }
  };
  const schema = given ?? approvalSchema;
  return expected({ path, kind: "human", place: node.kind, schema, given, words, terms: node }, input, frame);
}
