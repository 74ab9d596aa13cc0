import { exceededBy, raiseHint, type Scope } from "../../budget/ledger.ts";
import { BudgetExceededError } from "../../core/errors.ts";
import { type BudgetNode, nameOf } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import { places } from "../../core/tree.ts";
import type { World } from "../../ports/world.ts";
import type { Frame } from "../frame.ts";
import { Stop } from "../stop.ts";
import type { Value } from "../values.ts";

/** An account of its own for what it wraps. Around the whole pipeline it is the run's account, opened already. */
export async function advanceBudget(node: BudgetNode, input: Value, frame: Frame): Promise<Value> {
  if (frame.path === "") return frame.advance(node.of, input, frame);
  const path = childPath(frame.path, nameOf(node.of));
  const { tenure } = frame;
  if (!tenure.run.scopes.has(path)) frame.stop.check();
  const covers = places(node.of).map((place) => childPath(frame.path, place.name));
  const scope = tenure.treasury.open(path, node.limits, covers, node);
  const inside = { ...frame, scopes: [...frame.scopes, scope] };
  if (scope.onLimit === "fail") return failing(node, input, inside, scope);
  const off = watchClock(tenure.world, scope, (error) => tenure.halt(error));
  try {
    return await frame.advance(node.of, input, inside);
  } finally {
    off();
  }
}

/** The place alone is stopped when its time is up, and fails. */
async function failing(node: BudgetNode, input: Value, frame: Frame, scope: Scope): Promise<Value> {
  const stop = new Stop(frame.stop);
  const off = watchClock(frame.tenure.world, scope, (error) => {
    stop.fire(error);
    stop.cut();
  });
  try {
    return await frame.advance(node.of, input, { ...frame, stop });
  } finally {
    off();
    stop.end();
  }
}

/** Calls back when a scope's time is up, by the limit it has then. Returns how to call it off. */
export function watchClock(world: World, scope: Scope, up: (error: BudgetExceededError) => void): () => void {
  let off = (): void => {};
  const watch = (): void => {
    const { timeMs } = scope.limits;
    if (timeMs === undefined) return;
    const left = scope.since + timeMs - world.now();
    off = world.timer(Math.max(0, left), () => {
      if (scope.limits.timeMs === timeMs) up(timeUp(scope, timeMs, world.now()));
      else watch();
    });
  };
  watch();
  return () => off();
}

function timeUp(scope: Scope, timeMs: number, now: number): BudgetExceededError {
  const { path, onLimit, since } = scope;
  const passed = BigInt(Math.floor(now - since));
  const exceeded = exceededBy(scope, { limit: "time", allowed: BigInt(timeMs), used: passed, needed: 0n });
  return new BudgetExceededError(
    `the time budget of ${path}, ${timeMs} ms since it first started, is used up`,
    { path, onLimit, exceeded, hint: raiseHint(exceeded) },
  );
}
