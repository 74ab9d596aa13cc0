/** Workers in a virtual world that take runs of one pipeline, for tests of what they take when. */
import { capsOf, type TenantLimits } from "../../src/core/caps.ts";
import { pipeline, step } from "../../src/core/compose.ts";
import { versionOf } from "../../src/core/fingerprint.ts";
import { nodeOf, type Step } from "../../src/core/step.ts";
import type { ChoiceOptions } from "../../src/dispatch/choice.ts";
import { Lookout, type LookoutOptions } from "../../src/dispatch/lookout.ts";
import type { SubmitOptions } from "../../src/engine/options.ts";
import type { Job } from "../../src/ports/dispatcher.ts";
import type { Scene } from "../../src/testing/scene.ts";

/** Each run takes ten seconds, and notes when it begins. */
export function slow(begun: string[], name = "hold"): Step<string, string> {
  return pipeline(
    "slow",
    step(name, async (input: string, ctx) => {
      begun.push(ctx.runId);
      await ctx.sleep("nap", "10s");
      return input;
    }),
  );
}

export const fingerprintOf = (one: Step<string, string>): string => versionOf(nodeOf(one, "it")).fingerprint;

/** What a dispatcher hands over of a run of this pipeline. */
export const jobOf = (one: Step<string, string>, runId: string, more: Partial<Job> = {}): Job => ({
  ...{ runId, pipeline: "slow", fingerprint: fingerprintOf(one) },
  ...more,
});

/** A worker of its own process that takes so many at once. */
export function serving(
  on: Scene,
  one: Step<string, string>,
  most: number,
  choice: ChoiceOptions,
  options: Partial<LookoutOptions> = {},
): Lookout {
  const { runner, store, process } = on.cast(one, { takeOver: false });
  const lookout = new Lookout({
    store,
    world: process,
    pipelines: new Map([["slow", (runId, why) => runner.adopt(runId, why).result()]]),
    most,
    choice,
    tell: { refused: () => {}, foreign: () => {}, store: () => {} },
    ...options,
  });
  lookout.start();
  return lookout;
}

export function limited(tenants: TenantLimits, queues?: Parameters<typeof capsOf>[1]): ChoiceOptions {
  const caps = capsOf(tenants, queues);
  return caps === undefined ? {} : { caps };
}

export async function submit(
  on: Scene,
  one: Step<string, string>,
  runId: string,
  options: SubmitOptions = {},
): Promise<void> {
  await on.play(on.cast(one, { takeOver: false }).runner.submit("x", { runId, ...options }));
  await on.wait(1); // so that they have waited differently long
}
