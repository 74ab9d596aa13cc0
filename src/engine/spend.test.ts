import { describe, expect, it } from "vitest";
import { fixedPrice } from "../core/balance.ts";
import { pipeline, step } from "../core/compose.ts";
import type { PaidContext, Spending } from "../core/context.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import type { StepContext } from "../index.ts";
import { entriesOf, market, spentOf } from "../testing/market.ts";
import { scene } from "../testing/scene.ts";

const spending = (work: (ctx: StepContext) => Promise<unknown>) =>
  pipeline(
    "p",
    step("s", async (_: string, ctx) => work(ctx)),
  );

describe("ctx.spend", () => {
  it("reserves before the work, settles what it says it cost, and hands its result back", async () => {
    const on = scene();
    const pipe = spending((ctx) =>
      ctx.spend("geocode", "$0.10", async ({ costs }) => {
        costs("$0.04");
        return "Madrid";
      }),
    );
    const result = await on.cast(pipe, { budget: "$1" }).run("x", { runId: "r" });
    expect([result.status, "output" in result && result.output, spentOf(result)]).toEqual([
      "completed",
      "Madrid",
      "$0.04",
    ]);
    expect(result.spent).toMatchObject({ calls: 0, toolCalls: 0 });
    expect(await entriesOf(on, "budget-reserved")).toMatchObject([
      { path: "/p/s:geocode#0", model: "geocode", kind: "spend", amount: { picoUsd: "100000000000" } },
    ]);
  });

  it("is refused before the work when the budget cannot pay; resumed with more, it is done", async () => {
    const on = scene();
    let done = 0;
    const pipe = spending((ctx) => ctx.spend("print", "$0.60", async () => ++done));
    const halted = await on.cast(pipe, { budget: "$0.50" }).run("x", { runId: "r" });
    expect([halted.status, done]).toEqual(["halted", 0]);
    const result = await on.play(on.cast(pipe).runner.resume("r", { budget: "$0.60" }).result());
    expect([result.status, done, spentOf(result)]).toEqual(["completed", 1, "$0.6"]);
  });

  it("is paid once, however often the run is resumed", async () => {
    const on = scene();
    let done = 0;
    const pipe = spending(async (ctx) => {
      await ctx.spend("print", "$0.10", async () => ++done);
      await ctx.sleep("nap", "1m");
    });
    for (let i = 0; i < 3; i++) {
      const { process, runner } = on.cast(pipe, { budget: "$1" });
      runner.start("x", { runId: "r" });
      await on.wait(1_000);
      process.kill();
    }
    const result = await on.cast(pipe).run("x", { runId: "r" });
    expect([done, spentOf(result)]).toEqual([1, "$0.1"]);
  });

  it("costs all of it when the work throws: nobody knows what it did", async () => {
    const on = scene();
    const pipe = spending((ctx) =>
      ctx.spend("print", "$0.10", async ({ costs }: Spending) => {
        costs("$0");
        throw new Error("paper jam");
      }),
    );
    const result = await on.cast(pipe, { budget: "$1" }).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["failed", "$0.1"]);
    expect(await entriesOf(on, "budget-settled")).toMatchObject([{ doubt: true }]);
  });

  it("records what the work cost in truth, a breach included when that is more than was reserved", async () => {
    const on = scene();
    const pipe = spending((ctx) => ctx.spend("print", "$0.10", async ({ costs }) => costs("$0.25")));
    const result = await on.cast(pipe, { budget: "$1" }).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.25"]);
    expect(await entriesOf(on, "budget-breached")).toMatchObject([{ amount: { picoUsd: "250000000000" } }]);
  });

  it("without work records what was spent already; over the limit it says so, and the next call halts", async () => {
    const on = market();
    const pipe = spending(async (ctx) => {
      await ctx.spend("taxi", "$0.40");
      await ctx.spend("hotel", "$0.80");
    })
      .to("word", () => "x")
      .to(on.asking("a"));
    const halted = await on.cast(pipeline("q", pipe), on.paying("$1")).run("x", { runId: "r" });
    expect([halted.status, spentOf(halted), on.model.calls.length]).toEqual(["halted", "$1.2", 0]);
    expect(await entriesOf(on, "budget-breached")).toMatchObject([
      { path: "/q/p/s:hotel#0", allowed: { picoUsd: "600000000000" }, amount: { picoUsd: "800000000000" } },
    ]);
  });

  it("is charged to shared budgets, reports over the limit included", async () => {
    const on = scene();
    const scopes = [{ scope: "tenant:acme", cost: "$1" }] as const;
    const pipe = spending(async (ctx) => {
      await ctx.spend("print", "$0.90", async ({ costs }) => costs("$0.70"));
      await ctx.spend("taxi", "$0.60");
    });
    expect(await on.cast(pipe, { scopes }).run("x", { runId: "r" })).toMatchObject({ status: "completed" });
    expect(await on.store.accounts({})).toMatchObject([{ posted: { picoUsd: "1300000000000" }, holds: [] }]);
  });

  it("refuses an amount it cannot read", async () => {
    const pipe = spending((ctx) => ctx.spend("print", "0.10" as Usd, async () => 1));
    expect(await scene().cast(pipe).run("x", { runId: "r" })).toMatchObject({
      status: "failed",
      error: { code: "invalid-option" },
    });
  });
});

describe("calls of tools", () => {
  const calling = (times: number, fee: Usd) =>
    spending(async (ctx) => {
      const { paid } = ctx as PaidContext; // what agents are handed
      for (let i = 0; i < times; i++) {
        await paid.call(ctx, "tool:search", fixedPrice("tool-call", "search", picoUsd(fee)), async () => ({
          value: i,
          picoUsd: picoUsd(fee),
          inputTokens: 0,
          outputTokens: 0,
        }));
      }
      return times;
    });

  it("count, cost their price, and are limited", async () => {
    const on = scene();
    const { runner } = on.cast(calling(3, "$0.01"));
    const halted = await on.play(runner.run("x", { runId: "r", budget: { toolCalls: 2, cost: "$1" } }));
    expect(halted).toMatchObject({
      status: "halted",
      error: { message: expect.stringContaining("would be tool call 3 of 2") },
      spent: { toolCalls: 2, calls: 0 },
    });
    expect(spentOf(halted)).toBe("$0.02");
    const result = await on.play(runner.resume("r", { budget: { toolCalls: 3 } }).result());
    expect(result).toMatchObject({ status: "completed", spent: { toolCalls: 3 } });
  });

  it("that are free count too, and need no commit of their own where nothing limits them", async () => {
    const commits = async (times: number, budget?: { toolCalls: number }): Promise<number> => {
      const on = scene();
      const { store, runner } = on.cast(calling(times, "$0"));
      const result = await on.play(runner.run("x", { runId: "r", ...(budget ? { budget } : {}) }));
      expect(result).toMatchObject({ status: "completed", spent: { toolCalls: times } });
      return store.commits;
    };
    const bare = (await commits(6)) - (await commits(3));
    const limited = (await commits(6, { toolCalls: 9 })) - (await commits(3, { toolCalls: 9 }));
    expect([bare, limited]).toEqual([3, 6]);
  });
});
