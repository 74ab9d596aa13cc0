import { TimeoutError } from "../../core/errors.ts";
import { nameOf, type TimeoutNode } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import { Stop } from "../stop.ts";
import type { Value } from "../values.ts";

/** Bounds the time of what it wraps. When it is up, bodies and calls are told at once. */
export async function advanceTimeout(node: TimeoutNode, input: Value, frame: Frame): Promise<Value> {
  const path = childPath(frame.path, nameOf(node.of));
  const stop = new Stop(frame.stop);
  const end = frame.tenure.world.now() + node.ms;
  const deadline = Math.min(end, frame.deadline ?? end);
  const off = frame.tenure.world.timer(node.ms, () => {
    stop.fire(new TimeoutError(`${path} was not done after ${node.ms} ms`, { path, retryable: true }));
    stop.cut();
  });
  try {
    return await frame.advance(node.of, input, { ...frame, stop, deadline });
  } finally {
    off();
    stop.end();
  }
}
