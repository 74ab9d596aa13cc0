import { describe, expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import { humanInTheLoop, sleep, waitFor } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import type { RunListing, Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type CastOptions, type Scene, scene } from "../testing/scene.ts";
import { Lookout } from "./lookout.ts";

const minute = 60_000;

/** A process that serves pipelines, and what its lookout has told. */
function serving(
  on: Scene,
  steps: readonly Step<string, unknown>[],
  options: CastOptions<unknown> & { readonly most?: number } = {},
) {
  const { most, ...engine } = options;
  const casts = steps.map((one) => on.cast(one, { takeOver: false, ...engine }));
  const [first] = casts;
  if (first === undefined) throw new Error("it serves nothing");
  const told: string[] = [];
  const tell =
    (what: string) =>
    ({ runId }: RunListing): void =>
      void told.push(`${what} ${runId}`);
  const adopters = steps.map(
    ({ node }, i) =>
      [
        (node as { name: string }).name, // pipelines have one
        (runId: string, why: "taken-over" | "woken") =>
          (casts[i] as (typeof casts)[number]).runner.adopt(runId, why).result(), // as many as steps
      ] as const,
  );
  const lookout = new Lookout({
    store: first.store,
    world: first.process,
    pipelines: new Map(adopters),
    ...(most === undefined ? {} : { most }),
    tell: {
      refused: tell("refused"),
      foreign: tell("foreign"),
      store: (trouble) => void told.push(trouble === undefined ? "store answers" : "store fails"),
    },
  });
  lookout.start();
  return { lookout, told, casts };
}

const standings = async (store: Store): Promise<string[]> =>
  (await store.list({ limit: 10_000 })).map(({ runId, status }) => `${runId} ${status}`).sort();

const greet = pipeline(
  "greet",
  step("hello", (name: string) => `Hello, ${name}`).to("end", (text) => text),
);
const asking = pipeline("asking", humanInTheLoop("ask", { prompt: (n: string) => `${n}?` }));
const napping = pipeline(
  "napping",
  sleep<string>("nap", "10m").to("after", (text) => text),
);

describe("a process that has nothing of its own to do", () => {
  it.each([
    ["here", 1_100],
    ["elsewhere", 16_100],
  ])(
    "goes on with the run of a process killed %s within %i ms: at once on the same machine, else when its lease ends",
    async (host, ms) => {
      const on = scene();
      serving(on, [greet]);
      await on.wait(500);
      const owner = on.cast(greet, { takeOver: false, host, crash: { commit: 2, when: "before" } });
      owner.runner.start("Ada", { runId: "r" });
      await on.wait(ms === 1_100 ? 0 : 14_000);
      expect((await on.journal("r")).at(-1)?.type).not.toBe("run-completed");
      await on.wait(ms === 1_100 ? ms : ms - 14_000);
      const journal = await on.journal("r");
      expect(journal.at(-1)?.type).toBe("run-completed");
      expect(journal.find(({ type }) => type === "run-resumed")).toMatchObject({ why: "taken-over" });
    },
  );

  it("wakes those whose time has come, of all its pipelines", async () => {
    const on = scene();
    const owner = on.cast(napping, { takeOver: false });
    await owner.run("x", { runId: "n" });
    owner.process.kill();
    serving(on, [greet, napping]);
    await on.wait(10 * minute - 10_000);
    expect(await standings(on.store)).toEqual(["n waiting"]);
    await on.wait(12_000);
    expect(await standings(on.store)).toEqual(["n completed"]);
    expect((await on.journal("n")).find(({ type }) => type === "run-resumed")).toMatchObject({
      why: "woken",
    });
  });

  it("goes on with a run that was answered from another process", async () => {
    const on = scene();
    const owner = on.cast(asking, { takeOver: false });
    await owner.run("x", { runId: "r" });
    owner.process.kill();
    serving(on, [asking]);
    await on.wait(20 * minute);
    const answering = on.cast(asking, { takeOver: false });
    await on.play(answering.runner.signal("r", "/asking/ask", { approved: true }));
    await on.wait(1_100);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-completed" });
  });

  it("cancels a run whose cancellation was sent, and not carried out", async () => {
    const on = scene();
    await on.cast(asking, { takeOver: false }).run("x", { runId: "r" });
    await on.store.send("r", { id: "cancel", path: "/", data: "enough", at: on.world.now() });
    serving(on, [asking]);
    await on.wait(1_100);
    expect(await standings(on.store)).toEqual(["r cancelled"]);
  });

  it("does so once for what changes nothing, and leaves no trace of looking", async () => {
    const on = scene();
    const made = pipeline("p", waitFor("first").to(waitFor("second")));
    await on.cast(made, { takeOver: false }).run("x", { runId: "r" });
    const { casts } = serving(on, [made]);
    const [{ runner }] = casts as [(typeof casts)[number]]; // one step, one cast
    await on.play(runner.signal("r", "/p/second", "early"));
    await on.wait(10_000);
    const entries = (await on.journal("r")).length;
    await on.wait(20 * minute);
    expect((await on.journal("r")).length).toBe(entries);
    await on.play(runner.signal("r", "/p/first", "late"));
    await on.wait(2_000);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-completed", output: "early" });
  });
});

describe("what a process cannot go on with", () => {
  const changing = (version: string) =>
    pipeline(
      "p",
      step("a", (text: string) => text, { version })
        .to(sleep("nap", "10m"))
        .to("b", () => 2),
    );

  it("is told once, left alone, and tried again when it has changed", async () => {
    const on = scene();
    await on.cast(changing("1"), { takeOver: false }).run("x", { runId: "old" });
    const { told, lookout } = serving(on, [changing("2")]);
    expect(lookout.refused).toBe(0);
    await on.wait(12 * minute);
    expect([told, lookout.refused]).toEqual([["refused old"], 1]);
    await on.store.send("old", { id: "s", path: "/p", data: 1, at: 0 });
    await on.wait(5_000);
    expect(told).toEqual(["refused old", "refused old"]);
    const able = on.cast(changing("1"), { takeOver: false });
    await on.play(able.runner.adopt("old", "woken").result());
    await on.wait(2_000);
    expect(lookout.refused).toBe(0); // somebody else could go on with it
  });

  it.each([
    ["its store has no leave for it", new StoreUnavailableError("the user may not do that")],
    ["of an error that nobody knows", new Error("ERR unexpected")],
  ])("because %s, is told, and tried again a minute later", async (_, error) => {
    const on = scene();
    on.cast(greet, { takeOver: false, crash: { commit: 2, when: "before" } }).runner.start("Ada", {
      runId: "r",
    });
    await on.wait(1_000);
    const until = on.world.now() + 90_000;
    const { told } = serving(on, [greet], {
      falters: (method) =>
        method === "acquire" && on.world.now() < until ? { when: "before", error } : undefined,
    });
    await on.wait(80_000);
    expect(told).toEqual(["refused r", "refused r"]);
    await on.wait(60_000);
    expect(await standings(on.store)).toEqual(["r completed"]);
    expect(told.length).toBe(2);
  });

  it("hides nothing else, however much of it there is", async () => {
    const on = scene();
    const old = on.cast(changing("1"), { takeOver: false });
    await on.play(
      Promise.all(Array.from({ length: 40 }, (_, n) => old.runner.run("x", { runId: `old-${n}` }))),
    );
    const fresh = on.cast(changing("2"), { takeOver: false });
    await on.wait(1_000);
    await fresh.run("x", { runId: "fresh" });
    serving(on, [changing("2")], { most: 5 });
    await on.wait(12 * minute);
    expect(await standings(on.store)).toContain("fresh completed");
  });

  it("is named by its pipeline, once, when it is another's", async () => {
    const on = scene();
    const other = on.cast(napping, { takeOver: false });
    await other.run("x", { runId: "n1" });
    await other.run("x", { runId: "n2" });
    const { told } = serving(on, [greet]);
    await on.wait(12 * minute);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^foreign n[12]$/);
    expect(await standings(on.store)).toEqual(["n1 waiting", "n2 waiting"]);
  });

  it("is nothing that is tried while the store does not answer, and everything once it does", async () => {
    const inner = memory();
    let fails = false;
    const store: Store = {
      ...inner,
      list: (filter) => (fails ? Promise.reject(new Error("gone")) : inner.list(filter)),
    };
    const on = scene({ store });
    await on.cast(napping, { takeOver: false }).run("x", { runId: "n" });
    const { told } = serving(on, [napping]);
    await on.wait(5_000);
    fails = true;
    await on.wait(12 * minute);
    expect(told).toEqual(["store fails"]);
    fails = false;
    await on.wait(5_000);
    expect(told).toEqual(["store fails", "store answers"]);
    expect(await standings(store)).toEqual(["n completed"]);
  });
});

describe("several processes on one store", () => {
  it("wake 500 sleepers once each, some being killed while they do", async () => {
    const on = scene({ seed: 5 });
    const counts = new Map<string, number>();
    const made = pipeline(
      "napping",
      sleep<string>("nap", "10m").to("after", (_, { runId }) => {
        counts.set(runId, (counts.get(runId) ?? 0) + 1);
        return runId;
      }),
    );
    const first = on.cast(made, { takeOver: false });
    const runs = Array.from({ length: 500 }, (_, n) => first.runner.run("x", { runId: `n${n}` }));
    await on.play(Promise.all(runs));
    first.process.kill();
    for (const commit of [3, 20, 60]) serving(on, [made], { crash: { commit, when: "after" }, most: 50 });
    serving(on, [made], { most: 50 });
    await on.wait(12 * minute);
    expect((await on.store.list({ status: ["completed"], limit: 1_000 })).length).toBe(500);
    const again = [...counts.values()].filter((count) => count > 1).length;
    expect(again).toBe(0); // what a killed process had recorded is not done again
  });

  it("advance no more runs at once than they are told to", async () => {
    const on = scene();
    let [now, peak] = [0, 0];
    const made = pipeline(
      "busy",
      sleep<string>("nap", "10m").to("work", async (_, ctx) => {
        peak = Math.max(peak, ++now);
        await ctx.sleep("a while", "10s");
        now--;
      }),
    );
    const first = on.cast(made, { takeOver: false });
    await on.play(
      Promise.all(Array.from({ length: 30 }, (_, n) => first.runner.run("x", { runId: `b${n}` }))),
    );
    first.process.kill();
    serving(on, [made], { most: 7 });
    await on.wait(20 * minute);
    expect(peak).toBe(7);
    expect((await on.store.list({ status: ["completed"] })).length).toBe(30);
  });
});

it("stops looking when it is told to", async () => {
  const on = scene();
  await on.cast(napping, { takeOver: false }).run("x", { runId: "n" });
  const { lookout } = serving(on, [napping]);
  await on.wait(1_000);
  await lookout.stop();
  await on.wait(12 * minute);
  expect(await standings(on.store)).toEqual(["n waiting"]);
});
