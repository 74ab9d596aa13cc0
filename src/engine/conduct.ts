import { sizeOf } from "../core/codec.ts";
import { type Fact, isBlobRef } from "../core/entries.ts";
import { placed, recordError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { addressed, type Wait, wakeAt } from "../core/waiting.ts";
import { advance } from "./advance.ts";
import type { Beginning } from "./enter.ts";
import type { Frame } from "./frame.ts";
import { Interruption } from "./interruption.ts";
import { watchClock } from "./nodes/budget.ts";
import type { Root } from "./root.ts";
import { StateScope } from "./state-scope.ts";
import type { Tenure } from "./tenure.ts";
import { spillSize, type Value } from "./values.ts";

/**
 * Walks the whole tree and writes down how it ended.
 *
 * @returns the run's output, when it completed.
 * @throws when this process lost the run.
 */
export async function conduct(tenure: Tenure, root: Root, beginning: Beginning): Promise<Json | undefined> {
  const { journal } = tenure;
  const { input, state, limits, since, spent, freshFrom } = beginning;
  const { onLimit } = root;
  const alertAt = [...new Set([...root.alertAt, ...beginning.alertAt])];
  const scope = tenure.treasury.openRun(root.path, limits, since, spent, { onLimit, alertAt });
  const off = watchClock(tenure.world, scope, (error) => {
    if (onLimit === "fail") tenure.stop.fire(error);
    else tenure.halt(error);
  });
  const frame = (): Frame => ({
    advance,
    tenure,
    path: "",
    state: new StateScope(state),
    stop: tenure.stop,
    scopes: [scope],
    freshFrom,
    checks: [],
    deadline: undefined,
    footprint: undefined,
  });
  let output: Json | undefined;
  try {
    const value = await walk(tenure, () => advance(root.node, { json: input, ref: 0 }, frame()));
    await tenure.drain();
    await tenure.treasury.close();
    output = value.json;
    journal.put({ type: "run-completed", from: value.ref, ...small(output) });
  } catch (error) {
    journal.put(await endingOf(error, tenure, root));
  } finally {
    off();
  }
  await journal.sync();
  return output;
}

/** Walks again for as long as what the run waits for has come meanwhile, or does so in a moment. */
async function walk(tenure: Tenure, once: () => Promise<Value>): Promise<Value> {
  for (;;) {
    tenure.listen();
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof Interruption) || error.why !== "suspended") throw error;
      await tenure.journal.sync();
      const soon = soonIn(error.waiting, tenure);
      if (soon !== undefined) await tenure.rest(soon, tenure.stop);
      else if (!(await tenure.hasWord(error.waiting))) throw error;
    }
  }
}

/** When the run goes on by itself, where that is worth staying for. */
function soonIn(waits: readonly Wait[], { world, awakeMs }: Tenure): number | undefined {
  const now = world.now();
  return wakeAt(waits.filter(({ kind, due = now }) => due <= (kind === "timer" ? now + awakeMs : now)));
}

/** A large output is not written twice: it is where it was made. */
const small = (output: Json): { output?: Json } =>
  isBlobRef(output) || sizeOf(output, spillSize) > spillSize ? {} : { output };

async function endingOf(error: unknown, tenure: Tenure, root: Root): Promise<Fact> {
  tenure.stop.fire(Interruption.sibling());
  await tenure.drain();
  await tenure.treasury.close();
  if (!(error instanceof Interruption)) {
    return { type: "run-failed", error: recordError(placed(error, root.path), root.path) };
  }
  switch (error.why) {
    case "suspended":
      return { type: "run-waiting", signals: addressed(error.waiting), waits: error.waiting };
    case "halted":
      return { type: "run-halted", error: recordError(error.error, root.path) };
    case "cancelled":
      return { type: "run-cancelled", error: recordError(error.error, root.path) };
    default:
      throw error.error ?? error;
  }
}
