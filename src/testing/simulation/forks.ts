/** A simulated run that has come to its end is forked at a random place, with nothing changed: it must end the same way. */
import { isWithin, undoAround } from "../../core/paths.ts";
import { Runner } from "../../engine/runner.ts";
import { type End, messageOf, runId } from "./course.ts";
import { textOf } from "./digest.ts";
import { build } from "./pipeline.ts";
import { Provider } from "./provider.ts";
import type { Replayed } from "./replays.ts";

const forkId = "forked";

/** Says what a fork does again that it shares, and where it ends otherwise. One that waits for people is left there. */
export async function checkFork({ plan, world, store, witness, chance }: Replayed, end: End): Promise<void> {
  const recorded = witness.entries.filter(
    ({ type }) => type === "step-completed" || type === "container-completed",
  );
  const point = recorded.length === 0 ? undefined : chance.pick(recorded);
  if (point === undefined || !("path" in point)) return;
  const at = point.path;
  if (end.status === "cancelled" || undoAround(at) !== undefined) return; // nobody cancels the fork
  const say = (what: string): void => witness.say(`a fork at ${at} ${what}`);
  const process = world.process("fork");
  const shared = new Set<string>();
  const work = (path: string): void => {
    if (shared.has(path)) say(`does ${path} again`);
  };
  const provider = new Provider(unmetered);
  const model = provider.modelFor(process);
  const pipeline = build(plan.body, {
    process,
    scale: 1_000,
    model,
    onWork: work,
    onTool: work,
    onUndo: () => {},
  });
  const models = provider.modelsFor(process);
  const runner = new Runner(pipeline, { store, world: process, models, takeOver: false });
  for (const entry of witness.entries) {
    const isBeside = entry.type === "step-completed" && entry.seq < point.seq && !isWithin(entry.path, at);
    if (isBeside && entry.in !== undefined) shared.add(entry.path);
  }
  try {
    const result = await world.run(runner.fork(runId, { at, runId: forkId }).result(), {
      ms: 30 * 86_400_000,
    });
    if (result.status === "waiting") return;
    const code = result.status === "failed" ? result.error.code : undefined;
    if (result.status !== end.status || code !== end.code) say(`ends ${result.status} (${code})`);
    else if (result.status === "completed" && textOf(result.output) !== textOf(end.output))
      say(`has the output ${textOf(result.output)}, not ${textOf(end.output)}`);
    shared.clear(); // bodies run again in a replay
    const report = await world.run(runner.replay(forkId));
    for (const { path, what, now } of report.differences)
      say(`replays otherwise: ${what} at ${path}: ${now}`);
  } catch (error) {
    if (!messageOf(error).includes("has undone")) say(`is refused: ${messageOf(error)}`);
  }
}

const unmetered = {
  onCall: () => {},
  onPiece: () => {},
  onBill: () => {},
  onRush: () => {},
  callsPerMinute: undefined,
};
