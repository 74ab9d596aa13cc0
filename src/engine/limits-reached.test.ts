import { describe, expect, it } from "vitest";
import { branchOn, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { entriesOf, market, spentOf } from "../testing/market.ts";

describe("a budget with onLimit: fail", () => {
  const fail = { onLimit: "fail" } as const;

  it("makes its place fail, and a fallback takes over; the run goes on", async () => {
    const on = market();
    const dear = on.asking("dear", 60).budget("$0.50", fail);
    const pipe = pipeline(
      "p",
      dear.fallback(on.asking("cheap", 5)).to("end", (text) => `${text.length}`),
    );
    const result = await on.cast(pipe, on.paying("$9")).run("x", { runId: "r" });
    expect([result.status, spentOf(result)]).toEqual(["completed", "$0.05"]);
    expect(await entriesOf(on, "fallback-taken")).toMatchObject([
      { path: "/p/dear", to: "/p/cheap", error: { code: "budget-exceeded", retryable: false } },
    ]);
  });

  it("is a failure like any other where failures are collected, and no retry helps", async () => {
    const on = market();
    const each = on.asking("each", 30).budget("$0.30", fail).retry({ attempts: 5, backoff: "0ms" });
    const twice = each.to(on.asking("again", 10).budget("$0.05", fail));
    const all = mapOver("all", twice, { onFailure: "collect" });
    const result = await on.cast(all, on.paying("$9")).run(["a", "b"], { runId: "r" });
    expect(result).toMatchObject({
      status: "completed",
      output: [
        { ok: false, error: { code: "budget-exceeded" } },
        { ok: false, error: { code: "budget-exceeded" } },
      ],
    });
    expect(on.model.calls.length).toBe(2);
  });

  it("fails the run when nobody takes the failure; a resume tries again", async () => {
    const on = market();
    const pipe = (limit: `$${number}`) => pipeline("p", on.asking("a", 60).budget(limit, fail));
    const failed = await on.cast(pipe("$0.50"), on.paying()).run("x", { runId: "r" });
    expect(failed).toMatchObject({ status: "failed", error: { code: "budget-exceeded", path: "/p/a" } });
    const result = await on.cast(pipe("$0.70"), on.paying()).run("x", { runId: "r" });
    expect(result.status).toBe("completed");
  });

  it("of time stops its place alone, calls included", async () => {
    const on = market(() => ({ text: "late", delayMs: 60_000 }));
    const slow = on.asking("slow").budget({ time: "10s" }, fail);
    const began = on.world.now();
    const both = parallel("both", {
      slow: slow.fallback(step("stop", () => "stopped")),
      nap: sleep("nap", "20s"),
    });
    const result = await on.cast(both, on.paying("$9")).run("x", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: { slow: "stopped", nap: "x" } });
    expect(on.world.now() - began).toBe(20_000);
    expect(spentOf(result)).toBe("$0.1"); // in doubt
  });

  it("around the whole pipeline fails the run instead of halting it", async () => {
    const on = market();
    const whole = pipeline("p", on.asking("a", 60)).budget("$0.50", fail);
    expect(await on.cast(whole, on.paying()).run("x", { runId: "r" })).toMatchObject({ status: "failed" });
    const slow = pipeline("q", sleep("nap", "1h")).budget({ time: "1m" }, fail);
    expect(await on.cast(slow).run("x", { runId: "s" })).toMatchObject({
      status: "failed",
      error: { code: "budget-exceeded" },
    });
  });

  it("still halts the run when it is the run's own budget that is short", async () => {
    const on = market();
    const pipe = pipeline("p", on.asking("a", 60).budget("$9", fail).fallback(on.asking("b", 1)));
    expect(await on.cast(pipe, on.paying("$0.50")).run("x", { runId: "r" })).toMatchObject({
      status: "halted",
    });
  });
});

describe("a budget of a place", () => {
  it("holds for a branch, a map's item, a pipeline inside another, and a choice", async () => {
    const on = market();
    const two = (name: string) => on.asking(`${name}1`, 10).to(on.asking(`${name}2`, 10));
    const inner = pipeline("inner", two("p")).budget("$0.15");
    const whole = {
      branch: parallel("both", { left: two("l").budget("$0.15"), right: step("r", () => "free") }),
      item: step("list", () => ["a", "b"]).to(mapOver("all", two("i").budget("$0.15"), { concurrency: 1 })),
      pipeline: inner,
      choice: branchOn("which", (_: string) => "here", { here: two("c").budget("$0.15") }),
    };
    for (const [kind, place] of Object.entries(whole)) {
      const pipe = pipeline(kind, place as Step<string, unknown>);
      const halted = await on.cast(pipe, on.paying("$9")).run("x", { runId: kind });
      expect([kind, halted.status, spentOf(halted)]).toEqual([kind, "halted", "$0.1"]);
    }
  });
});

describe("an alert", () => {
  it("comes once for each threshold of a place and of the run, with the entry that crosses it", async () => {
    const on = market();
    const place = on
      .asking("a", 30)
      .to(on.asking("b", 30))
      .budget("$1", { alertAt: [0.5, 0.2] });
    const pipe = pipeline("p", place.to(on.asking("c", 30)));
    await on.cast(pipe, { ...on.paying("$1"), alertAt: [0.9] }).run("x", { runId: "r" });
    const alerts = await entriesOf(on, "budget-threshold");
    expect(alerts.map(({ path, percent, of }) => [path, percent, of])).toEqual([
      ["/p/a..b", 20, "cost"],
      ["/p/a..b", 50, "cost"],
      ["/p", 90, "cost"],
    ]);
    for (const { seq } of alerts) {
      const before = (await on.journal("r"))
        .slice(0, seq)
        .findLast(({ type }) => type !== "budget-threshold");
      expect(before?.type).toBe("budget-settled");
    }
  });

  it("comes for tokens and calls as well, and not again after a resume or a raise", async () => {
    const on = market();
    const pipe = pipeline("p", on.asking("a", 10).to(sleep("nap", "1m")).to(on.asking("b", 10)));
    const options = { ...on.paying(), alertAt: [0.5] };
    const first = on.cast(pipe, options);
    first.runner.start("x", { runId: "r", budget: { calls: 2, cost: "$9" } });
    await on.wait(1_000);
    first.process.kill();
    const result = await on.play(
      on
        .cast(pipe, options)
        .runner.resume("r", { budget: { calls: 3, cost: "$9" } })
        .result(),
    );
    expect(result.status).toBe("completed");
    expect(await entriesOf(on, "budget-threshold")).toMatchObject([{ path: "/p", percent: 50, of: "calls" }]);
  });

  it("is refused when its part is none", () => {
    const on = market();
    for (const part of [0, -0.1, 1.1, 80, Number.NaN]) {
      expect(() => on.asking("a").budget("$1", { alertAt: [part] })).toThrow(/alertAt holds/);
      expect(() => on.cast(on.asking("a"), { alertAt: [part] })).toThrow(/alertAt holds/);
    }
  });
});
