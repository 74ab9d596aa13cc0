import { recordError } from "../../core/error-record.ts";
import { type FallbackNode, nameOf } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import type { Failure } from "../compensations.ts";
import type { Frame } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import type { Value } from "../values.ts";

/**
 * The other step when the first has failed for good; that it was taken is recorded, with the first one's error. What the
 * first had completed is undone before.
 */
export async function advanceFallback(node: FallbackNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure, state, stop } = frame;
  const path = childPath(frame.path, nameOf(node.of));
  const to = childPath(frame.path, nameOf(node.other)); // the first of a chain has several ways out, this one only one
  const instead = async (failure: Failure): Promise<Value> => {
    await tenure.compensations.undoPart(node.of, failure, frame);
    return frame.advance(node.other, input, frame);
  };
  const taken = tenure.run.fallbacks.get(to);
  if (taken !== undefined) {
    frame.footprint?.notePartial();
    return instead({ error: taken.error, since: taken.seq });
  }
  const before = state.current;
  try {
    return await frame.advance(node.of, input, frame);
  } catch (error) {
    if (error instanceof Interruption) throw error;
    stop.check();
    state.current = before;
    const record = recordError(error, path);
    const since = tenure.journal.put({ type: "fallback-taken", path, to, error: record });
    await tenure.journal.sync();
    return instead({ error: record, since });
  }
}
