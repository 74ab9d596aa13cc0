/** A simulated run that has come to its end is walked again: as it is, and with one entry of its journal taken out. */
import type { Entry, EntryType } from "../../core/entries.ts";
import { isWithin, type Path } from "../../core/paths.ts";
import type { ReplayReport } from "../../engine/replay/report.ts";
import { Runner } from "../../engine/runner.ts";
import type { Store } from "../../ports/store.ts";
import type { Chance } from "../chance.ts";
import type { VirtualWorld } from "../virtual-world.ts";
import { messageOf, runId } from "./course.ts";
import { build } from "./pipeline.ts";
import type { RunPlan } from "./plan.ts";
import type { Provider } from "./provider.ts";
import type { Witness } from "./witness.ts";

export interface Replayed {
  readonly plan: RunPlan;
  readonly world: VirtualWorld;
  readonly store: Store;
  readonly witness: Witness;
  readonly provider: Provider;
  readonly chance: Chance;
}

/** Entries without which the walk of a completed run cannot come to what is recorded behind them. */
const needed: ReadonlySet<EntryType> = new Set([
  "step-completed",
  "signal-received",
  "branch-chosen",
  "loop-judged",
  "map-started",
  "container-completed",
]);

/** Several places in a row go by the names of the first and the last: what is told of them is told of the first. */
export const firstOf = (path: Path): Path => path.replace(/\.\.[^/]*$/, "");

/** Says what a replay does that it should not: work, write, or find differences where there are none. */
export async function checkReplays(run: Replayed): Promise<void> {
  const { witness, store, chance } = run;
  const say = (what: string): void => witness.say(`a replay: ${what}`);
  const written = witness.entries.length;
  const whole = await replay(run, store);
  if (typeof whole === "string") say(whole);
  else
    for (const { path, what, recorded, now } of whole.differences)
      say(`${what} at ${path}: ${recorded}; ${now}`);
  const inner = witness.entries.slice(1, -1).filter(({ type }) => type !== "run-resumed");
  if (inner.length > 0) {
    const gone = chance.pick(inner);
    const report = await replay(run, without(store, gone));
    const found = typeof report === "string" ? [] : report.differences;
    if (found.length === 0) say(`misses nothing without entry ${gone.seq}, ${gone.type}: ${String(report)}`);
    const isNeeded = needed.has(gone.type) && found.length > 1 && witness.record().status === "completed";
    if (isNeeded && "path" in gone && !found.some(({ path }) => isWithin(path, firstOf(gone.path))))
      say(`without ${gone.type} of ${gone.path} tells of ${found[0]?.path}`);
  }
  if (witness.entries.length > written) say("has written something");
}

/** What came of a replay; a text when it threw. */
export async function replay(run: Replayed, store: Store, id = runId): Promise<ReplayReport | string> {
  try {
    return await run.world.run(bystander(run, store).runner.replay(id, { bodies: "all" }));
  } catch (error) {
    return messageOf(error);
  }
}

/** Somebody who has the pipeline and is to do none of its work: a body may be walked, what it asks for may not be done. */
export function bystander({ plan, world, witness, provider }: Replayed, store: Store) {
  const process = world.process("bystander");
  const worked = (what: string) => (path: string, name?: string) => {
    if (name !== undefined) witness.say(`a bystander does ${what} ${path} ${name}`);
  };
  const pipeline = build(plan.body, {
    process,
    scale: 1,
    model: provider.modelFor(process),
    onWork: worked("the operation"),
    onTool: worked("the tool"),
    onUndo: () => {},
  });
  const models = provider.modelsFor(process);
  const runner = new Runner(pipeline, { store, world: process, models, takeOver: false });
  return { runner, tree: pipeline.node };
}

const without = (store: Store, gone: Entry): Store => ({
  ...store,
  read: async (id, from, limit) =>
    (await store.read(id, from, limit + 1))?.filter(({ seq }) => seq !== gone.seq).slice(0, limit),
});
