import { describe, expect, it } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { humanInTheLoop, sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import type { Advanced, AdvanceOptions } from "./options.ts";
import { allotted } from "./within.ts";

let on: ReturnType<typeof stage>;

/** A scene in which functions, each a process of its own, advance the run "r" for ten seconds. */
function stage() {
  const set = scene();
  const clock = set.world.process("bodies");
  const work = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const off = clock.timer(ms, resolve);
      signal.addEventListener("abort", () => {
        off();
        reject(signal.reason);
      });
    });
  return { ...set, work, clock };
}

/** One call of a function, and how long it took. */
async function call<Out>(
  made: Step<string, Out>,
  terms: Partial<AdvanceOptions> = {},
  options: CastOptions<unknown> = {},
): Promise<Advanced<Out> & { readonly took: number }> {
  const began = on.world.now();
  const { runner } = on.cast(made, { takeOver: false, ...options });
  const advanced = await on.play(runner.advance("r", { within: "10s", ...terms }));
  return { ...advanced, took: on.world.now() - began };
}

/** As many calls as it takes. */
async function calls<Out>(made: Step<string, Out>, terms?: Partial<AdvanceOptions>) {
  const all = [await call(made, terms)];
  while (all.at(-1)?.more && all.length < 20) all.push(await call(made, terms));
  return all;
}

const submitted = (made: Step<string, unknown>, options: CastOptions<unknown> = {}) =>
  on.play(on.cast(made, { takeOver: false, ...options }).runner.submit("x", { runId: "r" }));

const typesIn = async () => (await on.journal("r")).map(({ type }) => type);

/** A body that takes so long and notes that it is done. */
const working = (name: string, seconds: number, done: string[]) =>
  step(name, async (input: unknown, { signal }) => {
    await on.work(seconds * 1_000, signal);
    done.push(name);
    return input;
  });

describe("a run that is advanced for a limited time", () => {
  it("is gone on with by one call after the other, each within its time, until it has ended", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline(
      "p",
      working("a", 4, done)
        .to(working("b", 4, done))
        .to(working("c", 4, done)),
    );
    await submitted(made);
    const all = await calls(made);
    expect(all.map(({ status, took }) => [status, took])).toEqual([
      ["running", 8_000], // one second is left, and nothing is known of c
      ["completed", 4_000],
    ]);
    expect(done).toEqual(["a", "b", "c"]);
    expect((await on.store.list({}))[0]?.lease).toBeUndefined();
  });

  it("begins what by experience fits, and leaves what does not", async () => {
    on = stage();
    const done: string[] = [];
    const items = mapOver("items", working("item", 2.5, done), {
      over: () => ["1", "2", "3", "4", "5"],
      concurrency: 1,
    });
    const made = pipeline("p", items);
    await submitted(made);
    const all = await calls(made, { least: "8s" }); // 9 s: the third finds 4 s, which is enough; a fourth 1.5 s
    expect(all.map(({ took }) => took)).toEqual([7_500, 5_000]);
    expect(done.length).toBe(5);
  });

  it("knows from the calls before how long its operations take", async () => {
    on = stage();
    const both = working("short", 1, []).to(working("long", 6, []));
    const made = pipeline("p", mapOver("items", both, { over: () => ["1", "2"], concurrency: 1 }));
    await submitted(made);
    const terms = { within: "8s", least: "1s" } as const;
    expect(await call(made, terms)).toMatchObject({ status: "running", took: 7_000 });
    expect(await call(made, { ...terms, within: "6s" })).toMatchObject({ status: "running", took: 1_000 });
    expect(await typesIn()).not.toContain("operation-cut");
    expect(await call(made, terms)).toMatchObject({ status: "completed", took: 6_000 });
  });

  it("is left between two operations of a body, each of which is bought once", async () => {
    on = stage();
    const model = scriptedModel({
      world: on.world.process("provider"),
      replies: ({ prompt }) => ({ text: prompt.toUpperCase(), delayMs: 3_000 }),
    });
    const known = models({ prices: model.prices });
    const talk = step("talk", async (input: string, ctx) => {
      const said: string[] = [];
      for (const word of ["a", "b", "c", "d", "e"])
        said.push(await ctx.generate("ask", { model, prompt: word }));
      return input + said.join("");
    });
    const made = pipeline("p", talk);
    await submitted(made, { models: known });
    const all = [];
    do all.push(await call(made, {}, { models: known }));
    while (all.at(-1)?.more);
    expect(all.map(({ took }) => took)).toEqual([6_000, 6_000, 3_000]);
    expect(all.at(-1)).toMatchObject({ status: "completed", output: "xABCDE" });
    expect(model.calls.length).toBe(5);
    expect(all.at(-1)?.spent.picoUsd).toBe(model.billedPicoUsd);
  });

  it("begins a body that can be left between its operations, however long it takes as a whole", async () => {
    on = stage();
    let parts = 0;
    const many = step("many", async (input: string, ctx) => {
      for (let i = 0; i < 30; i++) {
        await ctx.run("part", async (signal) => {
          await on.work(250, signal);
          parts++;
        });
      }
      return input;
    });
    const made = pipeline("p", mapOver("items", many, { over: () => ["1", "2"], concurrency: 1 }));
    await submitted(made);
    const [first, second] = await calls(made);
    expect(first).toMatchObject({ status: "running", took: 8_750 }); // 7.5 s for the first item
    expect(second).toMatchObject({ status: "completed" });
    expect(parts).toBe(60);
  });

  it("counts of a body that was cut off only what would be done again", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline(
      "p",
      step("both", async (input: string, ctx) => {
        await ctx.run("part", (signal) => on.work(2_000, signal));
        done.push("part");
        await on.work(8_000, ctx.signal);
        return input;
      }),
    );
    await submitted(made);
    expect(await call(made)).toMatchObject({ status: "running", took: 9_000 });
    expect((await on.journal("r")).at(-1)).toMatchObject({
      type: "operation-cut",
      path: "/p/both",
      after: 7_000,
    });
    expect(await call(made)).toMatchObject({ status: "completed", took: 8_000 });
  });

  it("cuts off what is under way in the end; it gets the whole time once, and is then told instead of bought again", async () => {
    on = stage();
    const done: string[] = [];
    const model = scriptedModel({
      world: on.world.process("provider"),
      replies: [{ text: "late", delayMs: 30_000 }],
    });
    const known = { models: models({ prices: model.prices }), budget: "$1" } as const;
    const made = pipeline("p", working("first", 2, done).to(agent("ask", { model, system: "S" })));
    await submitted(made, known);
    const first = await call(made, {}, known);
    expect([first.status, first.took]).toEqual(["running", 9_000]);
    const cut = (await on.journal("r")).filter(({ type }) => type === "operation-cut");
    expect(cut).toMatchObject([{ path: expect.stringContaining("/p/ask:"), after: 7_000 }]);
    expect((await call(made, {}, known)).took).toBe(9_000);
    for (const again of [1, 2]) {
      await expect(call(made, {}, known), `${again}`).rejects.toMatchObject({
        ...{ code: "out-of-time", runId: "r" },
        message: expect.stringContaining("does not fit into 9.0 s: it was cut off after 9.0 s"),
      });
    }
    expect(model.calls.length).toBe(2);
    const { status, spent } = await call(made, { within: "40s" }, known);
    expect([status, model.calls.length]).toEqual(["completed", 3]);
    expect(spent.picoUsd).toBeGreaterThanOrEqual(model.billedPicoUsd); // what was cut off is in doubt, and counts in full
  });

  it("ends in time also when a body heeds nothing: that one is left behind, and nothing of it is recorded", async () => {
    on = stage();
    const made = pipeline(
      "p",
      step("deaf", async (input: string) => {
        await on.work(60_000, new AbortController().signal);
        return input;
      }),
    );
    await submitted(made);
    expect(await call(made)).toMatchObject({ status: "running", took: 9_000 });
    await on.wait(60_000);
    expect(await typesIn()).not.toContain("step-completed");
  });

  it("holds and pays on a shared budget what it does in one go: what was cut off counts, and nothing stays held", async () => {
    on = stage();
    let calls = 0;
    const model = scriptedModel({
      world: on.world.process("provider"),
      replies: ({ prompt }) => ({ text: prompt.toUpperCase(), delayMs: ++calls === 1 ? 30_000 : 4_000 }),
    });
    const scopes = [{ scope: "tenant:acme", budget: "$1" }] as const;
    const known = { models: models({ prices: model.prices }), scopes };
    const made = pipeline(
      "p",
      working("first", 2, [])
        .to("talk", async (_, ctx) => {
          const said: string[] = [];
          for (const word of ["a", "b", "c"]) said.push(await ctx.generate("ask", { model, prompt: word }));
          return said.join("");
        })
        .to(humanInTheLoop("approve", { prompt: () => "Well?" })),
    );
    const account = async () => (await on.store.accounts({ scopes: ["tenant:acme"] }))[0];
    await submitted(made, known);
    const all = [];
    do {
      all.push(await call(made, { within: "7s", least: "2s" }, known));
      expect((await account())?.holds).toEqual([]);
    } while (all.at(-1)?.more && all.length < 20);
    expect(all.length).toBeGreaterThan(2);
    const cuts = (await on.journal("r")).filter(({ type }) => type === "operation-cut");
    expect(cuts.length).toBeGreaterThan(0);
    expect(all.at(-1)).toMatchObject({ status: "waiting", signals: ["/p/approve"] });
    await on.play(on.cast(made, { takeOver: false }).runner.signal("r", "/p/approve", { approved: true }));
    const last = await call(made, {}, known);
    expect(last).toMatchObject({ status: "completed" });
    expect((await account())?.posted.picoUsd).toBe(String(last.spent.picoUsd));
    expect(last.spent.picoUsd).toBeGreaterThanOrEqual(model.billedPicoUsd);
  });

  it("goes on undoing where the call before had to leave off, each once", async () => {
    on = stage();
    const undone: string[] = [];
    const undoing = (name: string) =>
      step(name, (input: unknown) => input).compensate(`un${name}`, async (_, { signal }) => {
        await on.work(4_000, signal);
        undone.push(name);
      });
    const failing = step("fails", (_: unknown): string => {
      throw new Error("no");
    });
    const made = pipeline("p", undoing("a").to(undoing("b")).to(undoing("c")).to(failing)) as Step<
      string,
      string
    >; // its first step takes anything
    await submitted(made);
    const all = await calls(made);
    expect(all.map(({ status }) => status)).toEqual(["running", "failed"]);
    expect(undone).toEqual(["c", "b", "a"]);
    expect(all.at(-1)).toMatchObject({
      error: { code: "step-failed" },
      undone: { places: ["/p/c", "/p/b", "/p/a"], left: [] },
    });
  });

  it("waits out no pause that ends too late, and says when there is something to do", async () => {
    on = stage();
    let tries = 0;
    const flaky = step("flaky", (input: string) => {
      if (++tries < 2) throw new Error("not yet");
      return input;
    }).retry({ attempts: 2, backoff: "20s", jitter: false });
    const made = pipeline("p", flaky);
    await submitted(made);
    const began = on.world.now();
    expect(await call(made)).toMatchObject({ status: "running", until: new Date(began + 20_000), took: 0 });
    await on.wait(20_000);
    expect(await call(made)).toMatchObject({ status: "completed", more: false });

    on = stage();
    const nap = pipeline("p", sleep<string>("nap", "30s"));
    await submitted(nap);
    expect(await call(nap)).toMatchObject({ status: "waiting", until: new Date(on.world.now() + 30_000) });
  });

  it("goes on beside what has to be left", async () => {
    on = stage();
    const done: string[] = [];
    let tries = 0;
    const flaky = step("flaky", (input: string) => {
      if (++tries < 2) throw new Error("not yet");
      return input;
    }).retry({ attempts: 2, backoff: "20s", jitter: false });
    const made = pipeline(
      "p",
      parallel("both", { flaky, other: working("a", 2, done).to(working("b", 2, done)) }),
    );
    await submitted(made);
    expect(await call(made)).toMatchObject({ status: "running", took: 4_000 });
    expect(done).toEqual(["a", "b"]);
  });

  it("that has come to stand is left as it is: nothing is written, however often it is asked for", async () => {
    on = stage();
    const made = pipeline("p", humanInTheLoop("approve", { prompt: () => "Well?" }));
    await submitted(made);
    expect(await call(made)).toMatchObject({ status: "waiting", signals: ["/p/approve"], more: false });
    const before = await typesIn();
    expect(await call(made)).toMatchObject({ status: "waiting", signals: ["/p/approve"], more: false });
    expect(await typesIn()).toEqual(before);
    await on.play(on.cast(made, { takeOver: false }).runner.signal("r", "/p/approve", { approved: true }));
    expect(await call(made)).toMatchObject({ status: "completed" });

    on = stage();
    let runs = 0;
    const failing = pipeline(
      "p",
      step("fails", (_: string) => {
        runs++;
        throw new Error("no");
      }),
    );
    await submitted(failing);
    for (const again of [1, 2])
      expect(await call(failing), `${again}`).toMatchObject({
        status: "failed",
        error: { code: "step-failed" },
      });
    expect(runs).toBe(1);
  });

  it("that somebody has is refused, and one that nobody knows", async () => {
    on = stage();
    const made = pipeline("p", working("a", 30, []));
    await expect(call(made)).rejects.toMatchObject({ code: "unknown-run" });
    const { runner } = on.cast(made, { host: "elsewhere" });
    runner.start("x", { runId: "r" });
    await on.wait(1_000);
    await expect(call(made)).rejects.toMatchObject({ code: "lease-held" });
    await expect(on.play(runner.advance("r", { within: "5s" }))).rejects.toMatchObject({
      code: "lease-held",
    });
  });

  it("does not outlive its function's death: another call goes on when the lease has ended", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline("p", working("a", 2, done).to(working("b", 2, done)));
    await submitted(made);
    const { process, runner } = on.cast(made, { host: "elsewhere" });
    runner.advance("r", { within: "10s" }).catch(() => {});
    await on.wait(3_000);
    process.kill();
    await expect(call(made)).rejects.toMatchObject({ code: "lease-held" });
    await on.wait(15_000);
    expect(await call(made)).toMatchObject({ status: "completed" });
    expect(done).toEqual(["a", "b", "b"]); // what died in the middle of b had not recorded it
  });

  it.each([
    ["5s", { endsAt: 4_500, lastWordMs: 250, leastMs: 2_500 }],
    ["40s", { endsAt: 39_000, lastWordMs: 500, leastMs: 20_000 }],
  ] as const)("gives up in the last tenth of %s, and in no more than a second", (within, terms) => {
    expect(allotted({ within }, 0)).toEqual({ began: 0, ...terms });
  });

  it.each([
    [{ within: "500ms" }, "too short a time"],
    [{ within: "5s", least: "6s" }, "nothing would ever begin"],
  ] as const)("%j is refused", async (terms, why) => {
    on = stage();
    await expect(call(pipeline("p", working("a", 1, [])), terms)).rejects.toThrow(why);
  });
});

describe("runs that nobody attends to", () => {
  it("are gone on with for a limited time, each once, those that are refused named", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline(
      "p",
      step("one", async (input: string, { signal }) => {
        await on.work(4_000, signal);
        done.push(input);
        return input;
      }),
    );
    const { runner } = on.cast(made, { takeOver: false });
    for (const id of ["1", "2", "3", "4", "5"]) await on.play(runner.submit(id, { runId: id }));
    const began = on.world.now();
    const first = await on.play(runner.advanceAll({ within: "10s", most: 2 }));
    expect(on.world.now() - began).toBe(8_000);
    expect(first).toMatchObject({ refused: [], more: true });
    expect(first.runs.map(({ status }) => status)).toEqual([
      "completed",
      "completed",
      "completed",
      "completed",
    ]);
    const second = await on.play(on.cast(made, { takeOver: false }).runner.advanceAll({ within: "10s" }));
    expect(second).toMatchObject({ runs: [{ runId: "5", status: "completed" }], more: false });
    expect(done.sort()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("and come too late for what they were cut off in are left to another time: they are not told that it never fits", async () => {
    on = stage();
    const made = pipeline(
      "p",
      step("one", async (input: string, { signal }) => {
        await on.work(Number(input) * 1_000, signal);
        return input;
      }),
    );
    const { runner } = on.cast(made, { takeOver: false });
    await on.play(runner.submit("10", { runId: "first" }));
    await on.play(runner.submit("12", { runId: "second" }));
    await on.play(runner.advance("second", { within: "10s" }));
    const swept = await on.play(runner.advanceAll({ within: "20s", least: "2s", most: 1 }));
    expect(swept.runs.map(({ runId, status }) => [runId, status])).toEqual([
      ["first", "completed"],
      ["second", "running"],
    ]);
    expect([swept.refused, swept.more]).toEqual([[], true]);
  });

  it("and pause for longer than there is time leave nothing to be done now", async () => {
    on = stage();
    const flaky = step("flaky", (_: string): string => {
      throw new Error("not yet");
    }).retry({ attempts: 2, backoff: "20s", jitter: false });
    const { runner } = on.cast(pipeline("p", flaky), { takeOver: false });
    await on.play(runner.submit("x", { runId: "r" }));
    const until = new Date(on.world.now() + 20_000);
    const { runs, more } = await on.play(runner.advanceAll({ within: "10s" }));
    expect([runs, more]).toMatchObject([[{ runId: "r", more: true, until }], false]);
  });

  it("and that cannot be gone on with here are named, and hinder no other one", async () => {
    on = stage();
    const ask = humanInTheLoop("ask", { prompt: (text: string) => text });
    const made = pipeline("p", step("say", () => "new").to(ask));
    const before = pipeline("p", step("say", () => "old").to(ask));
    const { runner } = on.cast(before, { takeOver: false });
    await on.play(runner.run("x", { runId: "old" }));
    await on.play(runner.signal("old", "/p/ask", { approved: true }));
    const now = on.cast(made, { takeOver: false }).runner;
    await on.play(now.submit("x", { runId: "new" }));
    const { runs, refused, more } = await on.play(now.advanceAll({ within: "10s" }));
    expect(runs).toMatchObject([{ runId: "new", status: "waiting" }]);
    expect(refused).toMatchObject([{ runId: "old", error: { code: "version-changed" } }]);
    expect(more).toBe(false);
    expect((await on.play(now.advanceAll({ within: "10s" }))).runs).toEqual([]); // it waits for a person
  });

  it("are none: then it is over at once", async () => {
    on = stage();
    const { runner } = on.cast(pipeline("p", working("a", 1, [])));
    expect(await on.play(runner.advanceAll({ within: "10s" }))).toEqual({
      runs: [],
      refused: [],
      more: false,
    });
    await expect(runner.advanceAll({ within: "10s", most: 0 })).rejects.toThrow("whole number");
  });
});
