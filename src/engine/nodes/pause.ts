import type { SleepNode } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import type { Value } from "../values.ts";
import { closed } from "./closed.ts";

/** A durable sleep: its due time is recorded first. */
export async function advanceSleep(node: SleepNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const path = childPath(frame.path, node.name);
  if (tenure.run.containers.has(path)) return input;
  const began = tenure.world.now();
  let due = tenure.run.timers.get(path);
  if (due === undefined) {
    due = began + node.ms;
    tenure.journal.put({ type: "timer-set", path, due });
    await tenure.journal.sync();
  }
  await tenure.rest(due, frame.stop);
  closed(frame, { path, kind: node.kind, in: input.ref, out: input.ref, began }, input.json);
  return input;
}
