import { describe, expect, it } from "vitest";
import { capsOf, type TenantLimits } from "../core/caps.ts";
import { pipeline, step } from "../core/compose.ts";
import { versionOf } from "../core/fingerprint.ts";
import { nodeOf, type Step } from "../core/step.ts";
import type { SubmitOptions } from "../engine/options.ts";
import type { Job } from "../ports/dispatcher.ts";
import { type Scene, scene } from "../testing/scene.ts";
import type { ChoiceOptions } from "./choice.ts";
import { Lookout } from "./lookout.ts";

/** Each run takes ten seconds, and notes when it begins. */
function slow(begun: string[], name = "hold") {
  return pipeline(
    "slow",
    step(name, async (input: string, ctx) => {
      begun.push(ctx.runId);
      await ctx.sleep("nap", "10s");
      return input;
    }),
  );
}

const fingerprintOf = (one: Step<string, string>): string => versionOf(nodeOf(one, "it")).fingerprint;

function serving(on: Scene, one: Step<string, string>, most: number, choice: ChoiceOptions) {
  const { runner, store, process } = on.cast(one, { takeOver: false });
  const lookout = new Lookout({
    store,
    world: process,
    pipelines: new Map([["slow", (runId, why) => runner.adopt(runId, why).result()]]),
    most,
    choice,
    tell: { refused: () => {}, foreign: () => {}, store: () => {} },
  });
  lookout.start();
  return lookout;
}

function limited(tenants: TenantLimits, queues?: Parameters<typeof capsOf>[1]): ChoiceOptions {
  const caps = capsOf(tenants, queues);
  return caps === undefined ? {} : { caps };
}

async function submit(on: Scene, one: Step<string, string>, runId: string, options: SubmitOptions = {}) {
  await on.play(on.cast(one, { takeOver: false }).runner.submit("x", { runId, ...options }));
  await on.wait(1); // so that they have waited differently long
}

describe("a worker", () => {
  it("takes runs of its queues only; those that name none are of the queue default", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    await submit(on, one, "mail", { queue: "mail" });
    await submit(on, one, "none");
    await submit(on, one, "reports", { queue: "reports" });
    serving(on, one, 10, { queues: ["mail", "default"] });
    await on.wait(5_000);
    expect(begun).toEqual(["mail", "none"]);
  });

  it("finds its own among very many of another queue", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const { runner } = on.cast(one, { takeOver: false });
    for (let i = 0; i < 1_200; i++)
      await on.play(runner.submit("x", { runId: `other-${i}`, queue: "other" }));
    await submit(on, one, "mine", { queue: "mine" });
    serving(on, one, 2, { queues: ["mine"] });
    await on.wait(60_000);
    expect(begun).toEqual(["mine"]);
  });

  it("begins those of higher priority first, tenants in turn, and no more at once than it may", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    for (const i of [0, 1, 2, 3]) await submit(on, one, `big-${i}`, { tenant: "big" });
    await submit(on, one, "small", { tenant: "small" });
    await submit(on, one, "urgent", { tenant: "big", priority: 9 });
    serving(on, one, 2, limited({ most: 2 }));
    await on.wait(5_000);
    expect(begun.toSorted()).toEqual(["small", "urgent"]);
    await on.wait(60_000);
    expect(begun.slice(2, 4).toSorted()).toEqual(["big-0", "big-1"]);
    expect(begun.slice(4).toSorted()).toEqual(["big-2", "big-3"]);
  });

  it("advances no more runs of a tenant at once than that may have", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    for (const i of [0, 1, 2]) await submit(on, one, `a-${i}`, { tenant: "a" });
    for (const i of [0, 1, 2]) await submit(on, one, `b-${i}`, { tenant: "b" });
    serving(on, one, 10, limited({ most: 2, named: { a: 1 } }));
    await on.wait(5_000);
    expect(begun.toSorted()).toEqual(["a-0", "b-0", "b-1"]);
    await on.wait(60_000);
    expect(begun.length).toBe(6);
  });

  it("leaves a run of another version to workers that have it, for a while", async () => {
    const on = scene();
    const [before, after]: [string[], string[]] = [[], []];
    const [old, young] = [slow(before, "old"), slow(after, "young")];
    const versions = (one: Step<string, string>) => ({
      own: new Map([["slow", fingerprintOf(one)]]),
      patienceMs: 15_000,
    });
    serving(on, young, 10, { versions: versions(young) });
    await on.wait(100);
    await submit(on, old, "r");
    await on.wait(3_000);
    expect(after).toEqual([]);
    const lookout = serving(on, old, 10, { versions: versions(old) });
    await on.wait(2_000);
    expect([before, after]).toEqual([["r"], []]);
    await on.play(lookout.stop());
    await submit(on, old, "orphan");
    await on.wait(20_000);
    expect(after).toEqual(["orphan"]);
  });

  it("leaves what was just submitted to the dispatcher, and takes it when nobody was handed it", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    serving(on, one, 10, { headStartMs: 15_000 });
    await submit(on, one, "r");
    await on.wait(14_000);
    expect(begun).toEqual([]);
    await on.wait(2_500);
    expect(begun).toEqual(["r"]);
  });
});

it("keeps room from a dispatcher for runs that have begun, and takes those before any that has not", async () => {
  const on = scene();
  const begun: string[] = [];
  const one = slow(begun);
  for (const id of ["begun-0", "begun-1"]) {
    await submit(on, one, id);
    const owner = on.cast(one, { takeOver: false });
    owner.runner.adopt(id, "taken-over");
    await on.wait(1_000);
    owner.process.kill();
  }
  for (const id of ["fresh-0", "fresh-1"]) await submit(on, one, id, { priority: 9 });
  begun.length = 0;
  const lookout = serving(on, one, 1, { headStartMs: 0 });
  expect(lookout.room).toBe(1);
  await on.wait(3_000);
  expect([begun, lookout.room]).toEqual([["begun-0"], -1]);
  await on.wait(60_000);
  expect([begun.slice(0, 2), begun.length, lookout.room]).toEqual([["begun-0", "begun-1"], 4, 1]);
});

describe("a job that a dispatcher hands over", () => {
  const jobOf = (one: Step<string, string>, runId: string): Job => ({
    ...{ runId, pipeline: "slow", fingerprint: fingerprintOf(one) },
  });

  it("is done once the run has come to stand, and handed over again, late or for nothing, changes nothing", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 10, { headStartMs: 15_000 });
    await submit(on, one, "r");
    const job = jobOf(one, "r");
    const [first, twice] = await on.play(Promise.all([lookout.take(job), lookout.take(job)]));
    expect([first, twice]).toEqual(["done", "done"]);
    expect((await on.journal("r")).at(-1)?.type).toBe("run-completed");
    const before = await on.journal("r");
    expect(await on.play(lookout.take(job))).toBe("done");
    expect(await on.play(lookout.take(jobOf(one, "unknown")))).toBe("done");
    expect([await on.journal("r"), begun]).toEqual([before, ["r"]]);
  });

  it("is left where the pipeline, its version or room is not", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const versions = { own: new Map([["slow", fingerprintOf(one)]]), patienceMs: 60_000 };
    const lookout = serving(on, one, 1, { headStartMs: 60_000, versions, ...limited({ most: 1 }) });
    for (const id of ["r", "next"]) await submit(on, one, id);
    const job = jobOf(one, "r");
    expect(await on.play(lookout.take({ ...job, pipeline: "other" }))).toBe("left");
    expect(await on.play(lookout.take({ ...job, fingerprint: "other" }))).toBe("left");
    const both = [lookout.take(job), lookout.take(jobOf(one, "next"))];
    expect((await on.play(Promise.all(both))).toSorted()).toEqual(["done", "left"]);
    expect(begun).toEqual(["r"]);
    await on.play(lookout.stop());
    expect(await on.play(lookout.take(jobOf(one, "next")))).toBe("left");
  });
});
