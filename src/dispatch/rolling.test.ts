import { expect, it } from "vitest";
import { fingerprintOf, serving, submit } from "../../tests/dispatch/stage.ts";
import { pipeline, step } from "../core/compose.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";

/** Two steps of a version, which note that they were done with it. */
function release(version: string, done: Map<string, string[]>): Step<string, string> {
  const noting = (name: string) =>
    step(
      name,
      async (input: string, ctx) => {
        await ctx.sleep("nap", "4s");
        done.set(ctx.runId, [...(done.get(ctx.runId) ?? []), version]);
        return input;
      },
      { version },
    );
  return pipeline("slow", noting("first").to(noting("second")));
}

it("a release is rolled out under load: no run is done by two versions, and what only the old one could go on with is counted until it is back", async () => {
  let left = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const on = scene({ seed });
    const done = new Map<string, string[]>();
    const [old, young] = [release("1", done), release("2", done)];
    const worker = (one: Step<string, string>) => {
      const { runner, process, store } = on.cast(one, { takeOver: false });
      const versions = { own: new Map([["slow", fingerprintOf(one)]]), patienceMs: 15_000 };
      const lookout = serving(
        on,
        one,
        4,
        { versions, queues: ["default"] },
        {
          store,
          world: process,
          pipelines: new Map([["slow", (runId, why) => runner.adopt(runId, why).result()]]),
        },
      );
      return { runner, process, lookout };
    };
    const olds = [worker(old), worker(old), worker(old)];
    let made = 0;
    const load = async (...releases: readonly Step<string, string>[]): Promise<void> => {
      for (const one of releases) {
        await submit(on, one, `r-${made++}`);
        await on.wait(300);
      }
    };
    for (let i = 0; i < 8; i++) await load(old);
    const youngs = [worker(young), worker(young)];
    for (const { lookout, runner, process } of olds) {
      await load(old, young, old, young);
      if (process === olds[1]?.process) {
        await on.play(lookout.stop());
        await on.play(runner.drain("1s")); // in the middle of a step, maybe
      }
      process.kill();
    }
    await on.wait(120_000);
    const stuck = (await on.store.list({ status: ["running"], limit: 100 })).map(({ runId }) => runId);
    for (const { lookout } of youngs) expect([seed, lookout.refused]).toEqual([seed, stuck.length]);
    left += stuck.length;
    for (const runId of stuck) expect(done.get(runId)).not.toContain("2");
    worker(old);
    await on.wait(120_000);
    expect((await on.store.list({ status: ["completed"], limit: 100 })).length).toBe(made);
    for (const versions of done.values()) expect(new Set(versions).size).toBe(1);
    for (const { lookout } of youngs) expect(lookout.refused).toBe(0);
  }
  expect(left).toBeGreaterThan(0);
});
