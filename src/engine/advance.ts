import { links, type Node, nameOf } from "../core/node.ts";
import { childPath } from "../core/paths.ts";
import type { Frame } from "./frame.ts";
import { advanceBranch } from "./nodes/branch.ts";
import { advanceBudget } from "./nodes/budget.ts";
import { advanceCached } from "./nodes/cached.ts";
import { advanceCompensate } from "./nodes/compensate.ts";
import { advanceFallback } from "./nodes/fallback.ts";
import { advanceHuman } from "./nodes/human.ts";
import { advanceLoop } from "./nodes/loop.ts";
import { advanceMap } from "./nodes/map.ts";
import { advanceParallel } from "./nodes/parallel.ts";
import { advanceSleep } from "./nodes/pause.ts";
import { advancePipeline } from "./nodes/pipeline.ts";
import { advanceRetry } from "./nodes/retry.ts";
import { advanceTimeout } from "./nodes/timeout.ts";
import { advanceValidate } from "./nodes/validate.ts";
import { advanceWait } from "./nodes/wait.ts";
import { advanceWork } from "./nodes/work.ts";
import type { Value } from "./values.ts";

/** Walks the tree: what is recorded is returned, the rest is done. */
export function advance(node: Node, before: Value, frame: Frame): Promise<Value> {
  const input = frame.tenure.run.inputs.size === 0 ? before : inputAt(node, before, frame);
  switch (node.kind) {
    case "step":
    case "agent":
      return advanceWork(node, input, frame);
    case "sequence":
      return advanceSequence(node, input, frame);
    case "pipeline":
      return advancePipeline(node, input, frame);
    case "mapOver":
      return advanceMap(node, input, frame);
    case "parallel":
      return advanceParallel(node, input, frame);
    case "branchOn":
      return advanceBranch(node, input, frame);
    case "loopUntil":
      return advanceLoop(node, input, frame);
    case "sleep":
      return advanceSleep(node, input, frame);
    case "humanInTheLoop":
      return advanceHuman(node, input, frame);
    case "waitFor":
      return advanceWait(node, input, frame);
    case "retry":
      return advanceRetry(node, input, frame);
    case "timeout":
      return advanceTimeout(node, input, frame);
    case "fallback":
      return advanceFallback(node, input, frame);
    case "cached":
      return advanceCached(node, input, frame);
    case "budget":
      return advanceBudget(node, input, frame);
    case "validate":
      return advanceValidate(node, input, frame);
    case "compensate":
      return advanceCompensate(node, input, frame);
  }
}

/** The input of a place: what comes before it has made it, unless it was given another when the run was forked. */
function inputAt(node: Node, before: Value, { tenure, path }: Frame): Value {
  const given = tenure.run.inputs.get(childPath(path, nameOf(node)));
  return given === undefined ? before : { json: given.json, ref: given.seq };
}

async function advanceSequence(node: Node, input: Value, frame: Frame): Promise<Value> {
  let value = input;
  for (const link of links(node)) value = await advance(link, value, frame);
  return value;
}
