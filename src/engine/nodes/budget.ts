import { BudgetExceededError } from "../../core/errors.ts";
import type { Limits } from "../../core/limits.ts";
import { type BudgetNode, nameOf } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import { places } from "../../core/tree.ts";
import type { Frame } from "../frame.ts";
import type { Tenure } from "../tenure.ts";
import type { Value } from "../values.ts";

/** An account of its own for what it wraps. Around the whole pipeline it is the run's account, opened already. */
export async function advanceBudget(node: BudgetNode, input: Value, frame: Frame): Promise<Value> {
  const path = childPath(frame.path, nameOf(node.of));
  if (frame.path === "") return frame.advance(node.of, input, frame);
  const covers = places(node.of).map((place) => childPath(frame.path, place.name));
  const scope = frame.tenure.treasury.open(path, node.limits, covers);
  const off = watchClock(frame.tenure, path, node.limits, scope.since);
  try {
    return await frame.advance(node.of, input, { ...frame, scopes: [...frame.scopes, scope] });
  } finally {
    off();
  }
}

/** Halts the run when a scope's time is up. */
export function watchClock(tenure: Tenure, path: string, { timeMs }: Limits, since: number): () => void {
  if (timeMs === undefined) return () => {};
  const up = (): void => {
    tenure.halt(
      new BudgetExceededError(`the time budget of ${path}, ${timeMs} ms since it first started, is used up`, {
        path,
        hint: "Raise the limit and resume the run.",
      }),
    );
  };
  return tenure.world.timer(Math.max(0, since + timeMs - tenure.world.now()), up);
}
