import { decode } from "../../core/codec.ts";
import { placed } from "../../core/error-record.ts";
import { LoopLimitError } from "../../core/errors.ts";
import type { LoopNode } from "../../core/node.ts";
import { childPath, itemPath, type Path } from "../../core/paths.ts";
import { settingsOf } from "../../core/settings.ts";
import { stateSeen } from "../footprint.ts";
import { type Frame, within } from "../frame.ts";
import { fetchJson, type Value } from "../values.ts";
import { closed } from "./closed.ts";

/** The body again and again; each verdict is recorded before the next turn's results. */
export async function advanceLoop(node: LoopNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const path = childPath(frame.path, node.name);
  const began = tenure.world.now();
  let value = input;
  for (let count = 1; count <= node.maxLoops; count++) {
    const turn = itemPath(path, String(count - 1));
    value = await frame.advance(node.body, value, within(frame, { path: turn }));
    if (await isDone(node, turn, value, count, frame)) {
      return closed(frame, { path, kind: node.kind, in: input.ref, out: value.ref, began }, value.json);
    }
  }
  if (node.onMaxLoops === "last") {
    return closed(frame, { path, kind: node.kind, in: input.ref, out: value.ref, began }, value.json);
  }
  throw new LoopLimitError(`${path} was not done after ${node.maxLoops} turns`, {
    path,
    hint: 'Raise maxLoops, or go on with the last value: { onMaxLoops: "last" }. That value is the last one in the journal.',
  });
}

async function isDone(
  node: LoopNode,
  turn: Path,
  value: Value,
  count: number,
  frame: Frame,
): Promise<boolean> {
  const { run, journal, store } = frame.tenure;
  const recorded = run.verdicts.get(turn);
  if (recorded !== undefined) {
    frame.footprint?.notePartial();
    return recorded;
  }
  frame.stop.check();
  const given = decode(await fetchJson(value.json, store));
  let done: boolean;
  try {
    const seen = { state: stateSeen(frame) as never, settings: settingsOf(node) };
    done = await node.until(given as never, { count, ...seen }); // the builder ties these types
  } catch (error) {
    throw placed(error, turn);
  }
  journal.put({ type: "loop-judged", path: turn, done });
  return done;
}
