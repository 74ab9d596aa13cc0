import { describe, expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { humanInTheLoop, sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import type { Store, Watcher } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type CastOptions, type Scene, scene } from "../testing/scene.ts";
import { Lookout } from "./lookout.ts";

/** A store that tells its watchers, until it is told to lose what it tells; and how often it was asked for lists. */
function telling() {
  const inner = memory();
  const watchers = new Set<Watcher>();
  const line = { loses: false, lists: 0, asked: 0 };
  const tell = (runId: string): void => {
    if (!line.loses) for (const watcher of [...watchers]) watcher.news(runId);
  };
  const store: Store = {
    ...inner,
    async list(filter) {
      line.lists += 1;
      return inner.list(filter);
    },
    async signals(runId) {
      line.asked += 1;
      return inner.signals(runId);
    },
    async release(lease) {
      await inner.release(lease);
      tell(lease.runId);
    },
    async send(runId, signal) {
      const sent = await inner.send(runId, signal);
      tell(runId);
      return sent;
    },
    watch(watcher) {
      watchers.add(watcher);
      watcher.live(true);
      return () => void watchers.delete(watcher);
    },
  };
  const breaks = (): void => {
    line.loses = true;
    for (const watcher of [...watchers]) watcher.live(false);
  };
  return { store, line, breaks };
}

/** A process that serves one pipeline. */
function serving(on: Scene, one: Step<string, unknown>, options: CastOptions<unknown> = {}) {
  const { runner, store, process } = on.cast(one, { takeOver: false, ...options });
  const { name } = one.node as unknown as { readonly name: string }; // pipelines have one
  const lookout = new Lookout({
    store,
    world: process,
    pipelines: new Map([[name, (runId, why) => runner.adopt(runId, why).result()]]),
    tell: { refused: () => {}, foreign: () => {}, store: () => {} },
  });
  lookout.start();
  return { lookout, runner };
}

const greet = pipeline(
  "greet",
  step("hello", (name: string) => `Hello, ${name}`).to("end", (text) => text),
);
const asking = pipeline("asking", humanInTheLoop("ask", { prompt: (n: string) => `${n}?` }));
const napping = pipeline("napping", sleep<string>("nap", "10m"));
const busy = pipeline(
  "busy",
  step("work", (text: string, ctx) => ctx.sleep("nap", "50s").then(() => text)),
);

const lastOf = async (on: Scene, runId: string): Promise<string | undefined> =>
  (await on.journal(runId)).at(-1)?.type;

describe("a process whose store tells what comes about", () => {
  it("begins a submitted run at once, and goes on at once with what is answered", async () => {
    const on = scene({ store: telling().store });
    serving(on, greet);
    serving(on, asking);
    await on.wait(5_500);
    await on.play(on.cast(greet, { takeOver: false }).runner.submit("Ada", { runId: "r" }));
    await on.wait(50);
    expect(await lastOf(on, "r")).toBe("run-completed");
    const other = on.cast(asking, { takeOver: false });
    await other.run("x", { runId: "q" });
    await on.wait(5_500);
    await on.play(other.runner.signal("q", "/asking/ask", { approved: true }));
    await on.wait(50);
    expect(await lastOf(on, "q")).toBe("run-completed");
  });

  it("looks now and then only, and finds so what was told and lost", async () => {
    const { store, line } = telling();
    const on = scene({ store });
    serving(on, greet);
    await on.wait(30_000);
    line.lists = 0;
    await on.wait(60_000);
    expect(line.lists).toBeLessThanOrEqual(2 * 6 + 2); // two lists for a look; a minute's look for foreign runs
    line.loses = true;
    await on.play(on.cast(greet, { takeOver: false }).runner.submit("Ada", { runId: "r" }));
    await on.wait(10_100);
    expect(await lastOf(on, "r")).toBe("run-completed");
  });

  it("looks every second again once it is not told any more", async () => {
    const { store, breaks } = telling();
    const on = scene({ store });
    serving(on, greet);
    await on.wait(12_000);
    breaks();
    await on.play(on.cast(greet, { takeOver: false }).runner.submit("Ada", { runId: "r" }));
    await on.wait(1_200);
    expect(await lastOf(on, "r")).toBe("run-completed");
  });

  it("wakes a run at its moment, whatever the pause between two looks", async () => {
    const on = scene({ store: telling().store });
    serving(on, napping);
    await on.wait(3_000);
    const run = on.cast(napping, { takeOver: false }).run("x", { runId: "n" });
    expect(await run).toMatchObject({ status: "waiting" });
    await on.wait(10 * 60_000 - 100);
    expect(await lastOf(on, "n")).toBe("run-waiting");
    await on.wait(200);
    expect(await lastOf(on, "n")).toBe("run-completed");
  });

  it.each([
    ["here", 1_200],
    ["elsewhere", 15_200],
  ])("takes over from one that was killed %s within %i ms, of which nobody tells", async (host, ms) => {
    const on = scene({ store: telling().store });
    serving(on, busy);
    const owner = on.cast(busy, { takeOver: false, host });
    owner.runner.start("x", { runId: "r" });
    await on.wait(31_000); // it has renewed its lease, and was looked at
    owner.process.kill();
    await on.wait(ms);
    expect((await on.journal("r")).find(({ type }) => type === "run-resumed")).toMatchObject({
      why: "taken-over",
    });
  });

  it("makes room for what came while it was full", async () => {
    const on = scene({ store: telling().store });
    const { runner, store, process } = on.cast(busy, { takeOver: false });
    const lookout = new Lookout({
      store,
      world: process,
      most: 4,
      pipelines: new Map([["busy", (runId, why) => runner.adopt(runId, why).result()]]),
      tell: { refused: () => {}, foreign: () => {}, store: () => {} },
    });
    lookout.start();
    const submitting = on.cast(busy, { takeOver: false }).runner;
    for (let i = 0; i < 5; i++) await on.play(submitting.submit("x", { runId: `r${i}` }));
    await on.wait(2 * 50_000 + 2_500);
    expect(await lastOf(on, "r4")).toBe("run-completed");
  });
});

describe("a run under way, in a process whose store tells what comes about", () => {
  it("hears at once that it is cancelled elsewhere, and is looked at now and then only", async () => {
    const { store, line } = telling();
    const on = scene({ store });
    on.cast(busy, { takeOver: false }).runner.start("x", { runId: "r" });
    await on.wait(12_000);
    line.asked = 0;
    await on.wait(20_000);
    expect(line.asked).toBeLessThanOrEqual(3);
    await on.play(
      on
        .cast(busy, { takeOver: false })
        .runner.cancel("r")
        .then(() => {}),
    );
    await on.wait(50);
    expect(await lastOf(on, "r")).toBe("run-cancelled");
  });

  it("hears of what was told and lost within ten seconds", async () => {
    const { store, line } = telling();
    const on = scene({ store });
    on.cast(busy, { takeOver: false }).runner.start("x", { runId: "r" });
    await on.wait(12_000);
    line.loses = true;
    await on.play(on.cast(busy, { takeOver: false }).runner.cancel("r"));
    await on.wait(11_100);
    expect(await lastOf(on, "r")).toBe("run-cancelled");
  });
});
