/**
 * Survives `kill -9`, before your eyes.
 *
 *     npx flujo run examples/survives-kill.ts --run-id phoenix
 *
 * The run kills its own process in the middle of the fourth of six steps: no farewell, nothing saved at the last
 * moment. Enter the same command again: another process goes on with the fourth step, and the report says which process
 * did what.
 */
import { setTimeout as pause } from "node:timers/promises";
import { pipeline, type StepContext, step } from "flujo";

interface Diary {
  /** Which process finished which step. */
  readonly done: readonly { readonly step: string; readonly process: number }[];
}

const slow = (name: string) =>
  step(name, async (_: unknown, ctx: StepContext<Diary>) => {
    await pause(300); // the expensive work
    if (name === "plant") dieOnce(ctx);
    ctx.update("done", (done) => [...done, { step: name, process: process.pid }]);
  });

/** Kills this process if it is the one that began the run; the one that goes on lives. */
function dieOnce({ runId, state }: StepContext<Diary>): void {
  if (state.done[0]?.process !== process.pid) return;
  console.error(`\nProcess ${process.pid} kills itself with SIGKILL, in the middle of "plant".`);
  console.error(`Go on from there:  npx flujo resume ${runId}\n`);
  process.kill(process.pid, "SIGKILL");
}

const report = step("report", (_: unknown, ctx: StepContext<Diary>): string => {
  const lines = ctx.state.done.map((done, i) => `${i + 1}. ${done.step.padEnd(6)} process ${done.process}`);
  const processes = new Set(ctx.state.done.map((done) => done.process)).size;
  return [...lines, `${lines.length} steps, each done once, by ${processes} processes.`].join("\n");
});

export default pipeline(
  "survives-kill",
  slow("dig")
    .to(slow("sow"))
    .to(slow("water"))
    .to(slow("plant"))
    .to(slow("weed"))
    .to(slow("reap"))
    .to(report),
  { state: () => ({ done: [] }) },
);
