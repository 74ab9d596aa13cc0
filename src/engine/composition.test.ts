import { describe, expect, it } from "vitest";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { concat, sum } from "../core/reducers.ts";
import type { Schema } from "../core/schema.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";

/** Runs a step on an input in a world of its own. */
async function run<In, Out, State>(made: Step<In, Out, State>, input: In, state?: object) {
  const { cast, journal, world } = scene();
  const began = world.now();
  const result = await cast(made).run(input, { runId: "r", ...(state ? { state } : {}) });
  return { result, journal: await journal("r"), took: world.now() - began };
}
const output = <T>(result: { readonly status: string; readonly output?: T }): T | undefined => {
  expect(result.status).toBe("completed");
  return result.output;
};
const failure = (result: {
  readonly status: string;
  readonly error?: { code: string; message: string; path: string | undefined };
}) => {
  expect(result.status).toBe("failed");
  return result.error;
};

const add = (name: string, more: string) => step(name, (text: string) => text + more);
const sleeps = (name: string, ms: `${number}ms`) =>
  step(name, async (text: string, ctx) => {
    await ctx.sleep("nap", ms);
    return `${name} ${text}`;
  });

describe("a sequence", () => {
  it("hands each output to the next, and the journal shows all of them", async () => {
    const { result, journal } = await run(add("a", "A").to(add("b", "B")).to(add("c", "C")), "-");
    expect(output(result)).toBe("-ABC");
    const steps = journal.flatMap((entry) =>
      entry.type === "step-completed" ? [[entry.path, entry.output]] : [],
    );
    expect(steps).toEqual([
      ["/a..c/a", "-A"],
      ["/a..c/b", "-AB"],
      ["/a..c/c", "-ABC"],
    ]);
  });
});

describe("retry", () => {
  const flaky = (fails: number) =>
    step("flaky", (input: string, ctx) => {
      if (ctx.attempt <= fails) throw new Error(`attempt ${ctx.attempt}`);
      return `${input} at attempt ${ctx.attempt}`;
    });

  it("tries again, and both attempts are in the journal", async () => {
    const { result, journal } = await run(flaky(1).retry({ attempts: 2 }), "done");
    expect(output(result)).toBe("done at attempt 2");
    expect(journal.filter(({ type }) => type === "step-failed" || type === "step-completed")).toMatchObject([
      { type: "step-failed", attempt: 1 },
      { type: "step-completed", attempt: 2 },
    ]);
  });

  it("waits longer each time, up to its bound", async () => {
    const policy = { attempts: 5, backoff: "1s", factor: 3, maxBackoff: "5s", jitter: false } as const;
    const { took } = await run(flaky(4).retry(policy), "");
    expect(took).toBe(1_000 + 3_000 + 5_000 + 5_000);
  });

  it("gives up with the last error, its place in it", async () => {
    const { result } = await run(flaky(9).retry({ attempts: 2 }), "");
    expect(failure(result)).toMatchObject({
      code: "step-failed",
      path: "/flaky/flaky",
      message: expect.stringContaining("attempt 2"),
    });
  });

  it("does not try what its author says is not worth it", async () => {
    const { result, journal } = await run(
      flaky(9).retry({ attempts: 5, when: (error) => !String(error).includes("attempt 2") }),
      "",
    );
    expect(failure(result)?.message).toContain("attempt 2");
    expect(journal.filter(({ type }) => type === "step-failed")).toHaveLength(2);
  });

  it("keeps a failed attempt's changes out of the state", async () => {
    const changing = step("changing", (_: string, ctx: { attempt: number; set(patch: object): void }) => {
      ctx.set({ [`of attempt ${ctx.attempt}`]: true });
      if (ctx.attempt === 1) throw new Error("no");
      return "";
    }).retry({ attempts: 2 });
    const { result } = await run(
      changing.to("look", (_, ctx) => ctx.state),
      "",
    );
    expect(output(result)).toEqual({ "of attempt 2": true });
  });

  it("does not repeat an operation of the body that has succeeded", async () => {
    let fetched = 0;
    const body = step("body", async (_: string, ctx) => {
      const got = await ctx.run("fetch", () => ++fetched);
      if (ctx.attempt === 1) throw new Error("after the fetch");
      return got;
    });
    expect(output((await run(body.retry({ attempts: 2 }), "")).result)).toBe(1);
  });
});

describe("a fallback", () => {
  const broken = (name: string) =>
    step(name, (_: string, ctx): string => {
      ctx.set({ [name]: "was here" } as never);
      throw new Error(`${name} is down`);
    });

  it("is used when retries are exhausted; the first error stays in the journal", async () => {
    const { result, journal } = await run(
      broken("first").retry({ attempts: 2 }).fallback(add("second", "!")),
      "ok",
    );
    expect(output(result)).toBe("ok!");
    expect(journal.find(({ type }) => type === "fallback-taken")).toMatchObject({
      path: "/first/first",
      error: { message: expect.stringContaining("first is down") },
    });
  });

  it("may have one of its own, and sees no changes of what failed", async () => {
    const chain = broken("a")
      .fallback(broken("b"))
      .fallback(step("c", (_: string, ctx) => Object.keys(ctx.state as object)));
    expect(output((await run(chain, "")).result)).toEqual([]);
  });

  it("that leads back to where it came from is refused, not run", () => {
    const [a, b] = [broken("a"), broken("b")];
    expect(() => scene().cast(a.fallback(b).fallback(a))).toThrow("a -> b -> a");
  });
});

describe("a timeout", () => {
  it("fires the body's signal and fails the step", async () => {
    let told: unknown;
    const slow = step("slow", (_: string, ctx) => {
      ctx.signal.addEventListener("abort", () => {
        told = ctx.signal.reason.code;
      });
      return new Promise<string>(() => {});
    });
    const { result, took } = await run(slow.timeout("2s"), "");
    expect(failure(result)).toMatchObject({ code: "timeout", path: "/slow/slow" });
    expect([told, took]).toEqual(["timeout", 2_000]);
  });

  it("is retried as its author says, and bounds all attempts when it stands outside", async () => {
    const slowAtFirst = step("s", async (_: string, ctx) => {
      if (ctx.attempt < 3) await new Promise(() => {});
      return ctx.attempt;
    });
    const each = slowAtFirst.timeout("1s").retry({ attempts: 3, backoff: "0ms" });
    expect(output((await run(each, "")).result)).toBe(3);
    const all = slowAtFirst.retry({ attempts: 3, backoff: "0ms" }).timeout("1s");
    expect(failure((await run(all, "")).result)?.code).toBe("timeout");
  });

  it("leaves a body that ignores its signal unable to write anything", async () => {
    const { cast, world, wait, journal } = scene();
    const late: string[] = [];
    const { process, ...made } = cast(
      step("deaf", async (_: string, ctx) => {
        await new Promise<void>((resolve) => void process.timer(5_000, resolve));
        const attempts: [string, () => unknown][] = [
          ["set", () => ctx.set({ late: true } as never)],
          ["run", () => ctx.run("late", () => 1)],
          ["sleep", () => ctx.sleep("late", "1s")],
          ["sleepUntil", () => ctx.sleepUntil("later", new Date(0))],
        ];
        for (const [what, attempt] of attempts) {
          try {
            await attempt();
            late.push(`${what} went through`);
          } catch {
            late.push(`${what} refused`);
          }
        }
        return "late";
      })
        .timeout("1s")
        .fallback(step("other", (_: string, ctx) => Object.keys(ctx.state as object)))
        .to("pause", async (keys, ctx) => {
          await ctx.sleep("long", "10s");
          return keys;
        }),
    );
    expect(output(await made.run("", { runId: "r" }))).toEqual([]);
    await wait(10_000);
    expect(late).toEqual(["set refused", "run refused", "sleep refused", "sleepUntil refused"]);
    expect((await journal("r")).some((entry) => "path" in entry && entry.path.includes("late"))).toBe(false);
    expect(world.now()).toBeGreaterThan(0);
  });
});

describe("parallel", () => {
  const sets = (name: string, value: unknown) =>
    step(name, (_: string, ctx) => {
      ctx.set({ field: value } as never);
      return name;
    });
  const look = (_: unknown, ctx: { state: unknown }) => ctx.state;

  it("runs its branches beside one another and names their outputs", async () => {
    const both = parallel("both", { one: sleeps("one", "300ms"), two: sleeps("two", "500ms") });
    const { result, took } = await run(both, "x");
    expect(output(result)).toEqual({ one: "one x", two: "two x" });
    expect(took).toBeLessThan(600);
  });

  it("refuses two branches that set one field to different values, naming both", async () => {
    const both = parallel("both", { left: sets("l", 1), right: sets("r", 2) });
    expect(failure((await run(both, "")).result)).toMatchObject({
      code: "state-conflict",
      message: expect.stringMatching(/"left" and "right" of \/both\/both .*"field"/),
    });
  });

  it("lets a reducer merge them, in the order they are declared, whoever is first", async () => {
    const appends = (name: string, ms: `${number}ms`) =>
      step(name, async (_: string, ctx: Context<{ field: string[]; count: number }>) => {
        await ctx.sleep("nap", ms);
        ctx.update("field", (list) => [...list, name]);
        ctx.update("count", (count) => count + 1);
        return name;
      });
    const both = parallel("both", { slow: appends("slow", "500ms"), fast: appends("fast", "1ms") });
    const whole = pipeline("p", both.to("look", look as never), {
      state: () => ({ field: ["start"], count: 10 }),
      reducers: { field: concat, count: sum },
    });
    expect(output((await run(whole, "")).result)).toEqual({ field: ["start", "slow", "fast"], count: 12 });
  });

  it("isolates the branches from one another", async () => {
    const peek = step("peek", async (_: string, ctx) => {
      await ctx.sleep("until the other has written", "1s");
      return ctx.state;
    });
    const { result } = await run(parallel("both", { writer: sets("w", 1), peek }), "");
    expect(output(result)).toMatchObject({ peek: {} });
  });

  it("stops the others when one fails, and fails with its error", async () => {
    let told = false;
    const endless = step("endless", (_: string, ctx) => {
      ctx.signal.addEventListener("abort", () => {
        told = true;
      });
      return new Promise<string>(() => {});
    });
    const fails = step("fails", (): string => {
      throw new Error("broken");
    });
    const { result } = await run(parallel("both", { endless, fails }), "");
    expect(failure(result)).toMatchObject({ path: "/both/both[fails]/fails" });
    expect(told).toBe(true);
  });

  it("collects failures as values; a failed branch's state is not merged", async () => {
    const fails = step("fails", (_: string, ctx): string => {
      ctx.set({ field: "no" } as never);
      throw new Error("broken");
    });
    const failsLate = sets("early", "no").to(fails);
    const both = parallel("both", { good: step("good", () => 1), bad: failsLate }, { onFailure: "collect" });
    const { result } = await run(
      both.to("look", (settled, ctx) => ({ settled, state: ctx.state })),
      "",
    );
    expect(output(result)).toMatchObject({
      settled: { good: { ok: true, value: 1 }, bad: { ok: false, error: { code: "step-failed" } } },
      state: {},
    });
    expect((output(result) as { state: object }).state).toEqual({});
  });
});

describe("mapOver", () => {
  it("keeps at most so many items in flight, and the items' order", async () => {
    let [inFlight, most] = [0, 0];
    const each = step("each", async (n: number, ctx) => {
      most = Math.max(most, ++inFlight);
      await ctx.sleep("nap", `${(7 - n) * 100}ms`);
      inFlight--;
      return n * 10;
    });
    const { result } = await run(mapOver("all", each, { concurrency: 3 }), [1, 2, 3, 4, 5, 6]);
    expect(output(result)).toEqual([10, 20, 30, 40, 50, 60]);
    expect(most).toBe(3);
  });

  it("takes its items from input and state", async () => {
    const each = step("each", (n: number) => n + 1);
    const all = mapOver<number, number, number, { more: number }>("all", each, {
      over: (input, state) => [input, state.more],
    });
    expect(output((await run(all, 1, { more: 5 })).result)).toEqual([2, 6]);
  });

  it("refuses two items with one key, and an input that is no list", async () => {
    const each = step("each", (n: number) => n);
    const twins = await run(mapOver("all", each, { key: () => "same" }), [1, 2]);
    expect(failure(twins.result)).toMatchObject({
      code: "duplicate-key",
      message: expect.stringContaining('"same"'),
    });
    const noList = await run(mapOver("all", each), "text" as never);
    expect(failure(noList.result)).toMatchObject({ code: "invalid-input", path: "/all/all" });
  });

  it("of nothing is an empty list", async () => {
    expect(
      output(
        (
          await run(
            mapOver(
              "all",
              step("each", (n: number) => n),
            ),
            [],
          )
        ).result,
      ),
    ).toEqual([]);
  });
});

describe("branchOn", () => {
  const on = (key: string) =>
    branchOn("which", (_: string) => key as "yes", { yes: add("y", "+"), no: add("n", "-") });

  it("takes the branch its key names", async () => {
    expect(output((await run(on("no"), "x")).result)).toBe("x-");
  });

  it("fails on an unknown key, naming it and the ones there are", async () => {
    expect(failure((await run(on("perhaps"), "x")).result)).toMatchObject({
      code: "unknown-branch",
      message: expect.stringMatching(/"perhaps".*"yes", "no"/),
    });
  });

  it("takes the default instead, when there is one", async () => {
    const branch = branchOn(
      "which",
      (_: string) => "perhaps",
      { yes: add("y", "+") },
      { otherwise: add("o", "?") },
    );
    expect(output((await run(branch, "x")).result)).toBe("x?");
  });
});

describe("loopUntil", () => {
  const grow = step("grow", (n: number) => n + 1);

  it("hands each turn's value to the next, until its condition holds", async () => {
    const loop = loopUntil("loop", grow, { until: (n) => n >= 4, maxLoops: 10 });
    expect(output((await run(loop, 1)).result)).toBe(4);
  });

  it("that is never satisfied fails, its last value in the journal", async () => {
    const { result, journal } = await run(loopUntil("loop", grow, { until: () => false, maxLoops: 3 }), 0);
    expect(failure(result)).toMatchObject({
      code: "loop-limit",
      message: expect.stringContaining("3 turns"),
    });
    expect(journal.findLast(({ type }) => type === "step-completed")).toMatchObject({ output: 3 });
  });

  it("or goes on with the last value, when its author says so", async () => {
    const loop = loopUntil("loop", grow, { until: () => false, maxLoops: 3, onMaxLoops: "last" });
    expect(output((await run(loop, 0)).result)).toBe(3);
  });
});

describe("validate", () => {
  it("makes an invalid output a failed attempt, which a retry repeats", async () => {
    const made = step("made", (_: string, ctx) => ctx.attempt).validate((n) => n >= 3 || `${n} is too small`);
    expect(output((await run(made.retry({ attempts: 3 }), "")).result)).toBe(3);
    expect(failure((await run(made, "")).result)).toMatchObject({
      code: "invalid-output",
      message: expect.stringContaining("1 is too small"),
    });
  });

  it("hands on what the schema made of the output, of a step and of a container", async () => {
    const doubled: Schema<number, number> = {
      "~standard": { version: 1, vendor: "test", validate: (n) => ({ value: (n as number) * 2 }) },
    };
    const one = step("one", (n: number) => n + 1);
    const list: Schema<number[], number[]> = {
      "~standard": { version: 1, vendor: "test", validate: (n) => ({ value: [...(n as number[]), 0] }) },
    };
    expect(output((await run(one.validate(doubled), 1)).result)).toBe(4);
    expect(output((await run(mapOver("all", one).validate(list), [1])).result)).toEqual([2, 0]);
  });
});

describe("a value that cannot be stored", () => {
  it("fails the step that returned it, naming the field", async () => {
    const { result } = await run(
      step("s", () => ({ a: { b: () => {} } })),
      "",
    );
    expect(failure(result)).toMatchObject({
      code: "unstorable-value",
      path: "/s/s",
      message: expect.stringContaining("a.b"),
    });
  });
});
