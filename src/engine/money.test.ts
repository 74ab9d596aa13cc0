import { describe, expect, it } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { sleep } from "../core/pauses.ts";
import type { Schema } from "../core/schema.ts";
import type { Step } from "../core/step.ts";
import { entriesOf, market, spentOf } from "../testing/market.ts";
import { scene } from "../testing/scene.ts";

describe("a budget", () => {
  it("refuses the call that could break it, before it is made; what is spent stays spent", async () => {
    const on = market();
    const pipe = on.asking("a", 50).to(on.asking("b", 75));
    const result = await on.cast(pipe, on.paying("$1")).run("x", { runId: "r" });
    expect(result).toMatchObject({ status: "halted", error: { code: "budget-exceeded" } });
    expect([spentOf(result), on.billed(), on.model.calls.length]).toEqual(["$0.5", "$0.5", 1]);
  });

  it("is not refilled by a crash", async () => {
    const on = market();
    const pipe = on.asking("a", 40).to(sleep("nap", "1m")).to(on.asking("b", 10)).to(on.asking("c", 10));
    const first = on.cast(pipe, on.paying("$0.50"));
    first.runner.start("x", { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    expect(on.billed()).toBe("$0.4");
    const result = await on.play(on.cast(pipe, on.paying()).runner.resume("r").result());
    expect([result.status, spentOf(result), on.billed()]).toEqual(["halted", "$0.5", "$0.5"]);
  });

  it("can be raised: the run goes on from where it halted and pays for nothing twice", async () => {
    const on = market();
    const pipe = on.asking("a", 50).to(on.asking("b", 75));
    await on.cast(pipe, on.paying("$1")).run("x", { runId: "r" });
    const result = await on.play(on.cast(pipe, on.paying()).runner.resume("r", { budget: "$2" }).result());
    expect([result.status, spentOf(result), on.billed()]).toEqual(["completed", "$1.25", "$1.25"]);
  });

  it("that is raised keeps its other limits", async () => {
    const on = market();
    const pipe = on.asking("a", 50).to(on.asking("b", 50)).to(on.asking("c", 50));
    const first = on.cast(pipe, on.paying());
    await on.play(first.runner.start("x", { runId: "r", budget: { cost: "$0.50", calls: 2 } }).result());
    const result = await on.play(first.runner.resume("r", { budget: "$9" }).result());
    expect(result).toMatchObject({
      status: "halted",
      error: { message: expect.stringContaining("call 3 of 2") },
    });
  });

  it("is a pool that branches share as they need it", async () => {
    const on = market();
    const both = parallel("both", { dear: on.asking("dear", 60), cheap: on.asking("cheap", 10) });
    const result = await on.cast(both, on.paying("$0.80")).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.7"]);
  });

  it("makes a call wait that is affordable once another is settled", async () => {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("a") ? 5_000 : 0 }));
    const both = parallel("both", { a: on.asking("a", 60), b: on.asking("b", 60) });
    const result = await on.cast(both, on.paying("$1")).run("x", { runId: "r" });
    expect([result.status, spentOf(result), on.model.calls.length]).toEqual(["completed", "$0.02", 2]);
  });

  it("of a place holds beside the run's, and survives a crash, a retry, and standing around a sequence", async () => {
    const on = market(() => "x".repeat(40));
    const never = { attempts: 4, backoff: "0ms" } as const;
    const picky = on
      .asking("a")
      .validate(() => false)
      .budget("$0.20")
      .retry(never);
    const result = await on.cast(picky, on.paying("$9")).run("x", { runId: "r" });
    expect([result.status, on.billed()]).toEqual(["halted", "$0.2"]);

    const other = market(() => ({ text: "x".repeat(40), delayMs: 1_000 }));
    const three = pipeline(
      "p",
      other.asking("a").to(other.asking("b")).to(other.asking("c")).budget("$0.20"),
    );
    const first = other.cast(three, other.paying("$9"));
    first.runner.start("x", { runId: "r" });
    await other.wait(1_500);
    first.process.kill();
    const resumed = await other.play(other.cast(three, other.paying()).runner.resume("r").result());
    expect([resumed.status, other.billed()]).toEqual(["halted", "$0.2"]);
  });

  it("of time ends the run at its moment, through every resume", async () => {
    const on = market();
    const slow = step("slow", async (text: string, ctx) => {
      await ctx.sleep("nap", "1h");
      return text;
    });
    const began = on.world.now();
    const first = on.cast(slow, on.paying());
    first.runner.start("x", { runId: "r", budget: { time: "10m" } });
    await on.wait(300_000);
    first.process.kill();
    const result = await on.play(on.cast(slow, on.paying()).runner.resume("r").result());
    expect(result).toMatchObject({ status: "halted", error: { code: "budget-exceeded" } });
    expect(on.world.now() - began).toBe(600_000);
  });

  it("refuses a model without a price before the run starts, naming it and the remedy", async () => {
    const on = market();
    const unpriced = { models: models(), budget: "$1" as const };
    await expect(on.cast(on.asking("a"), unpriced).run("x", { runId: "r" })).rejects.toMatchObject({
      code: "unpriced-model",
      message: expect.stringContaining("scripted:model"),
      hint: expect.stringContaining("prices"),
    });
    expect(await on.journal("r")).toEqual([]);
  });
});

describe("a run that halts", () => {
  it("tells the siblings, and keeps the results of calls already paid for", async () => {
    const on = market(({ prompt }) => ({
      text: "x".repeat(400),
      delayMs: prompt.startsWith("paid") ? 10_000 : 1_000,
    }));
    let told = "";
    const listening = step("listening", (_: string, ctx) => {
      ctx.signal.addEventListener("abort", () => {
        told = ctx.signal.reason.why;
      });
      return new Promise<string>(() => {});
    });
    const greedy = on.asking("first").to(on.asking("greedy", 95));
    const all = parallel("all", { greedy, paid: on.asking("paid"), listening });
    const result = await on.cast(all, on.paying("$1")).run("x", { runId: "r" });
    expect([result.status, told]).toEqual(["halted", "halted"]);
    const kept = await entriesOf(on, "operation-completed");
    expect(kept.map(({ path }) => path)).toContain("/all/all[paid]/paid:call#0");
    expect(on.billed()).toBe("$0.2");
  });

  it("cuts off what takes longer than its grace, deep in the tree, too", async () => {
    const on = market(({ prompt }) => ({
      text: "x",
      delayMs: prompt.startsWith("endless") ? 86_400_000 : 1_000,
    }));
    const endless = parallel("inner", { endless: on.asking("endless").timeout("12h") });
    const all = parallel("all", { greedy: on.asking("a").to(on.asking("greedy", 90)), endless });
    const began = on.world.now();
    const result = await on.cast(all, { ...on.paying("$0.90"), grace: "20s" }).run("x", { runId: "r" });
    expect(result.status).toBe("halted");
    expect(on.world.now() - began).toBe(21_000);
    expect(await entriesOf(on, "budget-settled")).toContainEqual(expect.objectContaining({ doubt: true }));
  });

  it("or the place of it that failed: the rest does not wait for ever for the money held there", async () => {
    const on = market(({ prompt }) => ({
      text: "four",
      delayMs: prompt.startsWith("endless") ? 86_400_000 : 0,
    }));
    const fails = step("fails", async (_: string, ctx): Promise<string> => {
      await ctx.sleep("nap", "1s");
      throw new Error("broken");
    });
    const broken = parallel("broken", { endless: on.asking("endless", 60), fails });
    const began = on.world.now();
    const pipe = pipeline("p", broken.fallback(on.asking("other", 60)));
    const result = await on.cast(pipe, { ...on.paying("$1.20"), grace: "20s" }).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.61"]);
    const tight = await on.cast(pipe, { ...on.paying("$1"), grace: "20s" }).run("x", { runId: "tight" });
    expect([tight.status, on.world.now() - began]).toEqual(["halted", 42_000]);
  });

  it("is not held up by a model that ignores its signal", async () => {
    const on = market(({ prompt }) => ({ text: "x", delayMs: prompt.startsWith("a") ? 1_000 : 0 }));
    const deaf = { ...on.model, doGenerate: () => new Promise<never>(() => {}) };
    const ignoring = agent<string>("deaf", { model: deaf, system: "", maxOutputTokens: 10 });
    const all = parallel("all", { greedy: on.asking("a").to(on.asking("greedy", 99)), ignoring });
    const result = await on.cast(all, on.paying("$0.99")).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["halted", "$0.11"]);
  });
});

describe("what counts", () => {
  it("a call in flight when the process dies: in full", async () => {
    const on = market(() => ({ text: "four", delayMs: 60_000 }));
    const first = on.cast(on.asking("a", 30), on.paying("$1"));
    first.runner.start("x", { runId: "r" });
    await on.wait(5_000);
    first.process.kill();
    const result = await on.play(on.cast(on.asking("a", 30), on.paying()).runner.resume("r").result());
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.31"]);
    expect(await entriesOf(on, "budget-settled")).toMatchObject([
      { doubt: true },
      { amount: { outputTokens: 1 } },
    ]);
  });

  it("a failed attempt that was billed", async () => {
    const on = market(({ index }) => (index === 0 ? "no" : "yes"));
    const picky = on
      .asking("a")
      .validate((text) => text === "yes")
      .retry({ attempts: 2 });
    const result = await on.cast(picky, on.paying("$1")).run("x", { runId: "r" });
    expect([result.status, spentOf(result), on.billed()]).toEqual(["completed", "$0.02", "$0.02"]);
  });

  it("the repair of an answer by a further turn", async () => {
    const on = market(({ index }) => (index === 0 ? "no JSON" : '"word"'));
    const word: Schema<unknown, string> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          typeof value === "string" ? { value } : { issues: [{ message: "expected a word" }] },
      },
    };
    const asking = agent<string, typeof word>("a", {
      model: on.model,
      system: "",
      output: word,
      maxOutputTokens: 10,
    });
    const result = await on.cast(asking, on.paying("$1")).run("x", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: "word" });
    expect([spentOf(result), on.billed(), result.spent.calls]).toEqual(["$0.04", "$0.04", 2]);
  });

  it("a call cut off by a timeout: in full; a refusal that is not billed: nothing but a call", async () => {
    const on = market(({ index }) => ({ text: "four", delayMs: index === 0 ? 60_000 : 0 }));
    const hasty = on.asking("a", 30).timeout("5s").retry({ attempts: 2 });
    const result = await on.cast(hasty, on.paying("$1")).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.31"]);

    const busy = Object.assign(new Error("too many requests"), { statusCode: 429 });
    const other = market(({ index }) => (index === 0 ? { error: busy, unbilled: true } : "four"));
    const patient = await other.cast(other.asking("a", 30), other.paying("$1")).run("x", { runId: "r" });
    expect([patient.status, spentOf(patient), patient.spent.calls]).toEqual(["completed", "$0.01", 2]);
  });

  it("a call that goes on while its step is tried again is waited for, not bought twice", async () => {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("long") ? 5_000 : 0 }));
    const long = step("long", (text: string, ctx) =>
      ctx.generate("call", { model: on.model, prompt: `long ${text}`, maxOutputTokens: 10 }),
    );
    const flaky = step("flaky", async (text: string, ctx) => {
      await ctx.sleep("nap", "1s");
      if (ctx.attempt === 1) throw new Error("no");
      return text;
    });
    const again = parallel("both", { long, flaky }).retry({ attempts: 2, backoff: "100ms", jitter: false });
    const result = await on.cast(again, on.paying("$1")).run("x", { runId: "r" });
    expect([result.status, on.model.calls.length, spentOf(result)]).toEqual(["completed", 1, "$0.01"]);
  });
});

describe("a cached step", () => {
  function shop() {
    const on = market(({ index }) => `answer ${index}`);
    const buy = async (made: ReturnType<typeof on.asking>, input: string, runId: string) => {
      const result = await on.cast(made, on.paying("$1")).run(input, { runId });
      return result.status === "completed" ? [result.output, spentOf(result)] : result.status;
    };
    return { on, buy };
  }

  it("costs nothing the second time, and says so", async () => {
    const { on, buy } = shop();
    const cached = on.asking("a").cached();
    expect(await buy(cached, "x", "first")).toEqual(["answer 0", "$0.02"]);
    expect(await buy(cached, "x", "r")).toEqual(["answer 0", "$0"]);
    expect(await entriesOf(on, "step-completed")).toMatchObject([{ cached: true, output: "answer 0" }]);
  });

  it("misses for another input, prompt, model option, and once its time is up", async () => {
    const { on, buy } = shop();
    await buy(on.asking("a").cached({ ttl: "1h" }), "x", "first");
    expect(await buy(on.asking("a").cached({ ttl: "1h" }), "y", "input")).toEqual(["answer 1", "$0.02"]);
    expect(await buy(on.asking("a", 9).cached({ ttl: "1h" }), "x", "option")).toEqual(["answer 2", "$0.02"]);
    expect(await buy(on.asking("a").cached({ ttl: "1h" }), "x", "same")).toEqual(["answer 0", "$0"]);
    await on.wait(3_600_001);
    expect(await buy(on.asking("a").cached({ ttl: "1h" }), "x", "late")).toEqual(["answer 3", "$0.02"]);
  });

  it("takes lone surrogates in its input, and keeps them apart", async () => {
    const { on, buy } = shop();
    const cached = on.asking("a").cached();
    expect(await buy(cached, "\ud800", "first")).toEqual(["answer 0", "$0.02"]);
    expect(await buy(cached, "\udc00", "other")).toEqual(["answer 1", "$0.02"]);
    expect(await buy(cached, "\ud800", "again")).toEqual(["answer 0", "$0"]);
  });

  const stating = (work: (ctx: Context<Fields>) => unknown) =>
    step("s", (_: string, ctx: Context<Fields>) => work(ctx) as string, { version: "1" }).cached();
  type Fields = { a?: number; b?: number };

  /** Runs in one store, each with a state of its own: what came out, whether it was cached, and the state after. */
  async function outcomes(made: Step<string, unknown, Fields>, states: readonly Fields[]) {
    const on = scene();
    const whole = pipeline(
      "p",
      made.to(step("look", (value: unknown, ctx: Context<Fields>) => ({ value, state: ctx.state }))),
    );
    const all = [];
    for (const [i, state] of states.entries()) {
      const result = await on.cast(whole).run("x", { runId: `run${i}`, state });
      const cached = (await on.journal(`run${i}`)).some(
        (entry) => entry.type === "step-completed" && entry.cached,
      );
      all.push([result.status === "completed" ? result.output : result.status, cached]);
    }
    return all;
  }

  it("misses when a field it read is another, and hits whatever the others are", async () => {
    const states = [{ a: 1 }, { a: 2 }, { a: 1, b: 9 }];
    expect(
      await outcomes(
        stating((ctx) => ctx.state.a),
        states,
      ),
    ).toEqual([
      [{ value: 1, state: { a: 1 } }, false],
      [{ value: 2, state: { a: 2 } }, false],
      [{ value: 1, state: { a: 1, b: 9 } }, true],
    ]);
  });

  it("misses when a field it looked for in vain is there now", async () => {
    const looking = stating((ctx) => (Object.hasOwn(ctx.state, "a") ? "there" : "absent"));
    expect(
      (await outcomes(looking, [{}, { b: 1 }, { a: 1 }])).map(([out]) => (out as { value: unknown }).value),
    ).toEqual(["absent", "absent", "there"]);
  });

  it("misses when a choice, a verdict or the items of a map read a field that is another", async () => {
    const one = step("one", () => "one");
    const two = step("two", () => "two");
    const choosing = branchOn("b", (_: string, { state }) => ((state as Fields).a === 1 ? "one" : "two"), {
      one,
      two,
    });
    const turning = loopUntil(
      "l",
      step("turn", (text: string) => `${text}.`),
      {
        until: (_, { count, state }) => count === (state as Fields).a,
        maxLoops: 5,
      },
    );
    const mapping = mapOver<string, number, number, Fields>(
      "m",
      step("each", (n: number) => n),
      { over: (_, { a = 0 }) => [a] },
    );
    const values = async (made: Step<string, unknown, Fields>) =>
      (await outcomes(made, [{ a: 1 }, { a: 2 }])).map(([seen]) => (seen as { value: unknown }).value);
    expect(await values(choosing.cached())).toEqual(["one", "two"]);
    expect(await values(turning.cached())).toEqual(["x.", "x.."]);
    expect(await values(mapping.cached())).toEqual([[1], [2]]);
  });

  it("misses when another check stands around it: what was kept has not passed it", async () => {
    const { on, buy } = shop();
    const cached = on.asking("a").cached();
    expect(await buy(cached, "x", "first")).toEqual(["answer 0", "$0.02"]);
    expect(
      await buy(
        cached.validate((text) => text !== "answer 0"),
        "x",
        "r",
      ),
    ).toEqual(["answer 1", "$0.02"]);
  });

  it("brings its changes along, whatever the field was before", async () => {
    const states = [{ a: 5 }, { a: 7 }, {}];
    expect(
      (
        await outcomes(
          stating((ctx) => ctx.set({ a: 5 })),
          states,
        )
      ).map(([, cached]) => cached),
    ).toEqual([false, true, true]);
    expect(
      (
        await outcomes(
          stating((ctx) => ctx.set({ a: 5 })),
          states,
        )
      ).map(([seen]) => (seen as { state: Fields }).state),
    ).toEqual([{ a: 5 }, { a: 5 }, { a: 5 }]);
  });

  it("is not kept when part of it was done before a crash: what that part had read is forgotten", async () => {
    const on = scene();
    const reading = step("reading", (_: string, ctx: Context<Fields>) => ctx.state.a ?? 0);
    const whole = pipeline(
      "p",
      reading
        .to(sleep("nap", "1m"))
        .to("end", (n) => n)
        .cached(),
    );
    const first = on.cast(whole);
    first.runner.start("x", { runId: "r", state: { a: 1 } });
    await on.wait(1_000);
    first.process.kill();
    expect(await on.cast(whole).run("x", { runId: "r" })).toMatchObject({ output: 1 });
    expect(await on.cast(whole).run("x", { runId: "other", state: { a: 2 } })).toMatchObject({ output: 2 });
  });

  it("is recorded once, however often its run is resumed", async () => {
    const { on } = shop();
    const whole = pipeline(
      "p",
      on
        .asking("a")
        .cached()
        .to("nap", async (text, ctx) => {
          await ctx.sleep("nap", "1m");
          return text;
        }),
    );
    for (let i = 0; i < 3; i++) {
      const { process, runner } = on.cast(whole, on.paying("$1"));
      runner.start("x", { runId: "r" });
      await on.wait(1_000);
      process.kill();
    }
    expect((await entriesOf(on, "step-completed")).map(({ path }) => path)).toEqual(["/p/a"]);
  });
});

describe("loops and maps under a budget", () => {
  it("a loop halts in its turn and goes on there", async () => {
    const on = market(() => "x".repeat(40));
    const loop = loopUntil("loop", on.asking("turn"), { until: (_, { count }) => count === 5, maxLoops: 5 });
    const halted = await on.cast(loop, on.paying("$0.35")).run("x", { runId: "r" });
    expect([halted.status, on.billed()]).toEqual(["halted", "$0.3"]);
    const result = await on.play(on.cast(loop, on.paying()).runner.resume("r", { budget: "$0.50" }).result());
    expect([result.status, on.billed()]).toEqual(["completed", "$0.5"]);
  });

  it("a map does all its budget pays for, and not a call more", async () => {
    const on = market(({ index }) => ({ text: "x".repeat(40), delayMs: (index % 7) * 100 }));
    const all = mapOver("all", on.asking("each"), { concurrency: 10 });
    const halted = await on
      .cast(all, on.paying("$1.55"))
      .run(Array.from({ length: 30 }, String), { runId: "r" });
    expect([halted.status, on.billed(), on.model.calls.length]).toEqual(["halted", "$1.5", 15]);
  });
});
