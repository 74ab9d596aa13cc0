import { describe, expect, it } from "vitest";
import { parallel, pipeline, step } from "../core/compose.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import { humanInTheLoop, sleep, sleepUntil } from "../core/pauses.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** A store, and how often it was asked anything. */
function counted(): { readonly store: Store; readonly calls: () => number } {
  const inner = memory();
  let calls = 0;
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls++;
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { store, calls: () => calls };
}

describe("a long sleep", () => {
  const before = { times: 0 };
  const made = pipeline(
    "p",
    step("before", () => ++before.times)
      .to(sleep("nap", "365d"))
      .to("after", (n) => n * 10),
  );

  it("holds no process, and is over when it is over: in its own process", async () => {
    const on = scene();
    const began = on.world.now();
    const { run } = on.cast(made);
    expect(await run("x", { runId: "r" })).toMatchObject({
      status: "waiting",
      signals: [],
      waits: [{ path: "/p/nap", kind: "timer" }],
      until: new Date(began + 365 * day),
    });
    await on.wait(365 * day + 1_000);
    const journal = await on.journal("r");
    expect(journal.at(-1)).toMatchObject({ type: "run-completed", at: began + 365 * day });
    expect(journal.find(({ type }) => type === "run-resumed")).toMatchObject({ why: "woken" });
  });

  it("in any other that looks, also when its own is gone", async () => {
    const on = scene();
    const earlier = before.times;
    const first = on.cast(made);
    await first.run("x", { runId: "r" });
    first.process.kill();
    await on.wait(100 * day);
    const second = on.cast(made);
    expect(await on.play(second.runner.recover())).toEqual([]);
    second.process.kill();
    await on.wait(300 * day);
    const [handle] = await on.play(on.cast(made).runner.recover());
    expect(handle && (await on.play(handle.result()))).toMatchObject({ status: "completed" });
    expect(before.times).toBe(earlier + 1);
  });

  it("resumed before its end goes on waiting, and keeps its moment", async () => {
    const on = scene();
    const first = await on.cast(made).run("x", { runId: "r" });
    await on.wait(day);
    const again = await on.play(on.cast(made, { takeOver: false }).runner.resume("r").result());
    expect(again).toEqual(first);
  });

  it("inside a body does the same, whatever the body makes of being stopped", async () => {
    const on = scene();
    let runs = 0;
    const body = step("body", async (_: string, ctx) => {
      const at = await ctx.run("first", () => ++runs);
      try {
        await ctx.sleep("long", "3d");
      } catch {
        return "caught";
      }
      return `slept after ${at}`;
    });
    const { run } = on.cast(pipeline("p", body));
    expect(await run("x", { runId: "r" })).toMatchObject({
      waits: [{ path: "/p/body:long#0", kind: "timer" }],
    });
    await on.wait(3 * day + 1_000);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-completed", output: "slept after 1" });
  });

  it("that a timeout or a limit of time ends before is ended by it", async () => {
    const on = scene();
    const timed = on.cast(pipeline("p", sleep("nap", "3d").timeout("2h")));
    expect(await timed.run("x")).toMatchObject({ status: "failed", error: { code: "timeout" } });
    const limited = on.cast(pipeline("p", sleep("nap", "3d").budget({ time: "2h" })));
    expect(await limited.run("x")).toMatchObject({ status: "halted" });
  });

  it("beside other work lets that be done, and the other way round", async () => {
    const on = scene();
    const work = step("work", async (_: string, ctx) => {
      for (let n = 0; n < 60; n++) await ctx.sleep("a bit", "1m");
      return "done";
    });
    const short = on.cast(pipeline("p", parallel("both", { nap: sleep<string>("nap", "30m"), work })));
    expect(await short.run("x")).toMatchObject({ output: { nap: "x", work: "done" } });
    const long = on.cast(pipeline("p", parallel("both", { nap: sleep<string>("nap", "3h"), work })));
    expect(await long.run("x")).toMatchObject({ status: "waiting", waits: [{ kind: "timer" }] });
  });
});

describe("sleeping until a moment", () => {
  it("of the input, or a fixed one; one that has passed is not waited for", async () => {
    const on = scene();
    const soon = new Date(on.world.now() + 30_000);
    const made = pipeline(
      "p",
      sleepUntil("moment", (date: Date) => date).to("then", () => "over"),
    );
    expect(await on.cast(made).run(soon)).toMatchObject({ output: "over" });
    expect(on.world.now()).toBe(soon.getTime());
    const fixed = on.cast(pipeline("p", sleepUntil<string>("moment", soon)));
    expect(await fixed.run("x")).toMatchObject({ output: "x" });
    expect(on.world.now()).toBe(soon.getTime());
  });

  it("inside a body: it stays as it was recorded, also when the body would say another one by now", async () => {
    const on = scene();
    const first = on.world.now() + 3 * day;
    let asked = 0;
    const body = step("body", async (_: string, ctx) => {
      await ctx.sleepUntil("the day", new Date(first + asked++ * day));
      return on.world.now();
    });
    const { run } = on.cast(pipeline("p", body));
    expect(await run("x", { runId: "r" })).toMatchObject({
      waits: [{ path: "/p/body:the day#0", kind: "timer", due: first }],
      until: new Date(first),
    });
    await on.wait(3 * day + 1_000);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-completed", output: first });
    expect(asked).toBe(2);
  });

  it("inside a body: one that has passed is not waited for, and none at all is an error", async () => {
    const on = scene();
    const body = step("body", async (text: string, ctx) => {
      await ctx.sleepUntil("moment", new Date(text));
      return "over";
    });
    const { run } = on.cast(pipeline("p", body));
    const began = on.world.now();
    expect(await run("2001-01-01")).toMatchObject({ output: "over" });
    expect(on.world.now()).toBe(began);
    expect(await run("soon")).toMatchObject({ status: "failed", error: { code: "invalid-option" } });
  });

  it("that is none fails, and says so", async () => {
    const on = scene();
    const made = pipeline(
      "p",
      sleepUntil("moment", (text: string) => new Date(text)),
    );
    expect(await on.cast(made).run("soon")).toMatchObject({
      status: "failed",
      error: { code: "invalid-option", path: "/p/moment" },
    });
  });
});

describe("many that wait", () => {
  it("1,000 for people cost nothing: no timer, no look into the store, for as long as nobody answers", async () => {
    const { store, calls } = counted();
    const on = scene({ store });
    const made = pipeline("p", humanInTheLoop("ask", { prompt: (n: number) => `${n}?` }));
    const { runner } = on.cast(made);
    const runs = Array.from({ length: 1_000 }, (_, n) => runner.run(n, { runId: `r${n}` }));
    await on.play(Promise.all(runs));
    const before = calls();
    await on.wait(30 * day);
    expect(calls()).toBe(before);
    await on.play(
      Promise.all(
        runs.map((_, n) => runner.signal(`r${n}`, "/p/ask", { approved: n % 2 === 0 }, { resume: true })),
      ),
    );
    const ends = await on.play(Promise.all(runs.map((_, n) => runner.resume(`r${n}`).result())));
    expect(ends.every((end, n) => end.status === "completed" && end.output.approved === (n % 2 === 0))).toBe(
      true,
    );
  });

  it("10,000 sleepers are woken within a second of their moment by a process that started after it", async () => {
    const { store, calls } = counted();
    const on = scene({ store });
    const made = pipeline(
      "p",
      sleep<number>("nap", "1d").to("after", (n) => n + 1),
    );
    const first = on.cast(made);
    for (let n = 0; n < 10_000; n += 500) {
      const some = Array.from({ length: 500 }, (_, i) => first.runner.run(n + i, { runId: `r${n + i}` }));
      await on.play(Promise.all(some));
    }
    first.process.kill();
    await on.wait(day);
    const { runner } = on.cast(made);
    const began = on.world.now();
    await on.play(runner.recover());
    await on.wait(began + 999 - on.world.now());
    const completed = await store.list({ status: ["completed"], limit: 20_000 });
    expect(completed).toHaveLength(10_000);
    expect(calls()).toBeLessThan(10_000 * 30);
  });

  it("a run that cannot be woken is left alone, and the others are woken", async () => {
    const { store, calls } = counted();
    const on = scene({ store });
    const changing = (version: string) =>
      pipeline(
        "p",
        step("a", () => 1, { version })
          .to(sleep("nap", "1d"))
          .to("after", () => 2),
      );
    const old = on.cast(changing("1"));
    await old.run("x", { runId: "old" });
    old.process.kill();
    const fresh = on.cast(changing("2"));
    await fresh.run("x", { runId: "new" });
    await on.wait(2 * day);
    const standing = (await on.store.list({})).map(({ runId, status }) => `${runId} ${status}`);
    expect(standing.sort()).toEqual(["new completed", "old waiting"]);
    const before = calls();
    await on.wait(10 * day);
    expect(calls()).toBe(before);
    const { acquire } = store;
    const asked: string[] = [];
    store.acquire = (request) => {
      asked.push(request.runId);
      return acquire(request);
    };
    await fresh.run("x", { runId: "later" });
    await on.wait(2 * day);
    expect((await on.journal("later")).at(-1)).toMatchObject({ type: "run-completed" });
    expect(asked).not.toContain("old");
  });

  it("each at its own moment, whichever came to wait first", async () => {
    const on = scene();
    const naps = pipeline(
      "p",
      sleepUntil("nap", (hours: number) => new Date(began + hours * hour)),
    );
    const began = on.world.now();
    const { run } = on.cast(naps);
    const order = [5, 2, 9, 1, 7];
    for (const hours of order) await run(hours, { runId: `r${hours}` });
    await on.wait(10 * hour);
    for (const hours of order)
      expect((await on.journal(`r${hours}`)).at(-1)).toMatchObject({
        type: "run-completed",
        at: began + hours * hour,
      });
  });

  it.each([
    ["is looked for", "list", new StoreUnavailableError("busy")],
    ["is gone on with", "acquire", new StoreUnavailableError("busy")],
    ["is gone on with, and nobody knows the error", "acquire", new Error("read ECONNRESET")],
  ])("and when the store does not answer as it %s, as soon as it does", async (_, asked, error) => {
    let isAway = false;
    const on = scene();
    const falters = (method: string) =>
      isAway && method === asked ? ({ when: "before", error } as const) : undefined;
    const began = on.world.now();
    await on.cast(pipeline("p", sleep<string>("nap", "1h")), { falters }).run("x", { runId: "r" });
    isAway = true;
    await on.wait(2 * hour);
    isAway = false;
    await on.wait(hour);
    const last = (await on.journal("r")).at(-1);
    expect(last).toMatchObject({ type: "run-completed" });
    expect((last?.at ?? 0) - began).toBeLessThan(2 * hour + 120_000);
  });
});
