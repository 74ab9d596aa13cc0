import type { WaitNode } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import { anything } from "../../core/schema.ts";
import { expected } from "../expectation.ts";
import type { Frame } from "../frame.ts";
import type { Value } from "../values.ts";

/** Waits for an event: the first fitting signal that no other place has taken becomes its output. */
export function advanceWait(node: WaitNode, input: Value, frame: Frame): Promise<Value> {
  const { schema: given, timeoutMs, wayOut } = node;
  return expected(
    {
      path: childPath(frame.path, node.name),
      kind: "signal",
      place: node.kind,
      schema: given ?? anything,
      given,
      words: async () => ({ prompt: "an event from outside" }),
      terms: { rounds: [timeoutMs === undefined ? {} : { ms: timeoutMs }], wayOut },
    },
    input,
    frame,
  );
}
