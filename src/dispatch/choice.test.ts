import { describe, expect, it } from "vitest";
import { fingerprintOf, limited, serving, slow, submit } from "../../tests/dispatch/stage.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";

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
    for (let i = 0; i < 1_010; i++) await on.play(runner.submit("x", { runId: `a-${i}`, queue: "other" }));
    await on.wait(1);
    await submit(on, one, "mine", { queue: "mine" });
    for (let i = 0; i < 1_000; i++) await on.play(runner.submit("x", { runId: `z-${i}`, queue: "other" }));
    serving(on, one, 2, { queues: ["mine"] });
    await on.wait(60_000);
    expect(begun).toEqual(["mine"]);
  });

  it("begins those first that have waited longest, whatever they are called", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    for (const id of ["zebra", "ant", "bee"]) await submit(on, one, id);
    serving(on, one, 1, { queues: ["default"] });
    await on.wait(60_000);
    expect(begun).toEqual(["zebra", "ant", "bee"]);
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

  it("leaves one with a delay to the dispatcher from its moment on, unless it was sent something before", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    serving(on, one, 10, { headStartMs: 15_000 });
    for (const id of ["r", "sent"]) await submit(on, one, id, { delay: "30s" });
    await on.store.send("sent", { id: "s", path: "/slow", data: 1, at: on.world.now() });
    await on.wait(1_500);
    expect(begun).toEqual(["sent"]);
    await on.wait(40_000);
    expect(begun).toEqual(["sent"]);
    await on.wait(6_000);
    expect(begun).toEqual(["sent", "r"]);
  });
});

it("counts a run that has begun as its tenant's when it takes one that has not beside it", async () => {
  const on = scene();
  const begun: string[] = [];
  const one = slow(begun);
  await submit(on, one, "big-0", { tenant: "big" });
  const owner = on.cast(one, { takeOver: false });
  owner.runner.adopt("big-0", "taken-over");
  await on.wait(1_000);
  owner.process.kill();
  await submit(on, one, "big-1", { tenant: "big" });
  await submit(on, one, "small", { tenant: "small" });
  begun.length = 0;
  serving(on, one, 2, { headStartMs: 0, queues: ["default"] });
  await on.wait(5_000);
  expect(begun.toSorted()).toEqual(["big-0", "small"]);
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
