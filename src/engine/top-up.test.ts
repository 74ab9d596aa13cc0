import { describe, expect, it } from "vitest";
import { parallel, pipeline } from "../core/compose.ts";
import { sleep } from "../core/pauses.ts";
import { entriesOf, market, spentOf } from "../testing/market.ts";

describe("topping a run up", () => {
  it("lets a call go on that waits, at once, while the run advances here", async () => {
    const on = market(({ prompt }) => ({
      text: "x".repeat(400),
      delayMs: prompt.startsWith("a") ? 60_000 : 0,
    }));
    const both = pipeline("p", parallel("both", { a: on.asking("a", 60), b: on.asking("b", 30) }));
    const { runner } = on.cast(both, on.paying("$0.60"));
    const result = runner.run("x", { runId: "r" });
    await on.wait(5_000);
    expect(on.model.calls.length).toBe(1);
    await on.play(runner.topUp("r", "$0.30"));
    await on.wait(1);
    expect(on.model.calls.length).toBe(2);
    expect(spentOf(await on.play(result))).toBe("$0.9");
    expect(await entriesOf(on, "budget-raised")).toMatchObject([{ limits: { picoUsd: "900000000000" } }]);
  });

  it("reaches the owner in another process within a second", async () => {
    const on = market();
    const pipe = pipeline("p", sleep<string>("nap", "10s").to(on.asking("a", 60)));
    const result = on.cast(pipe, on.paying("$0.50")).runner.run("x", { runId: "r" });
    await on.wait(3_000);
    await on.play(on.cast(pipe).runner.topUp("r", "$0.10"));
    expect(await entriesOf(on, "budget-raised")).toEqual([]);
    await on.wait(1_100);
    expect(await entriesOf(on, "budget-raised")).toHaveLength(1);
    expect(await on.play(result)).toMatchObject({ status: "completed" });
  });

  it("of a halted run is recorded, and whoever resumes it goes on with the new limits", async () => {
    const on = market();
    const pipe = pipeline("p", on.asking("a", 50).to(on.asking("b", 75)));
    await on.cast(pipe, on.paying("$1")).run("x", { runId: "r" });
    const other = on.cast(pipe, on.paying());
    await on.play(other.runner.topUp("r", "$0.15"));
    await on.play(other.runner.topUp("r", { cost: "$0.10" }));
    expect(await on.play(other.runner.resume("r").result())).toMatchObject({ status: "completed" });
    const limits = (await entriesOf(on, "budget-raised")).map((entry) => entry.limits.picoUsd);
    expect(limits).toEqual(["1150000000000", "1250000000000"]);
  });

  it("counts once, also when its owner died before it was recorded", async () => {
    const on = market();
    const pipe = pipeline("p", sleep<string>("nap", "1m").to(on.asking("a", 60)));
    const first = on.cast(pipe, { ...on.paying("$0.50"), host: "elsewhere" });
    first.runner.start("x", { runId: "r" });
    await on.wait(500);
    first.process.pause();
    await on.play(on.cast(pipe).runner.topUp("r", "$0.10"));
    first.process.kill();
    await on.wait(30_000);
    const second = on.cast(pipe, on.paying());
    second.runner.resume("r");
    await on.wait(5_000);
    second.process.kill();
    const result = await on.play(on.cast(pipe, on.paying()).runner.resume("r").result());
    expect(result).toMatchObject({ status: "completed" });
    const raises = await entriesOf(on, "budget-raised");
    expect(raises.map(({ limits }) => limits.picoUsd)).toEqual(["600000000000"]);
  });

  it("raises a limit of time while the clock runs", async () => {
    const on = market();
    const began = on.world.now();
    const { runner } = on.cast(pipeline("p", sleep("nap", "3m")));
    const result = runner.run("x", { runId: "r", budget: { time: "1m", calls: 1 } });
    await on.wait(30_000);
    await on.play(runner.topUp("r", { time: "1m" }));
    expect(await on.play(result)).toMatchObject({ status: "halted" });
    expect(on.world.now() - began).toBe(120_000);
  });

  it("is refused for a limit the run has not, an unknown run, and one that has ended", async () => {
    const on = market();
    const { runner } = on.cast(pipeline("p", on.asking("a", 10)), on.paying("$1"));
    const halted = on.cast(pipeline("p", on.asking("a", 10)), on.paying("$0.05"));
    await on.play(halted.runner.run("x", { runId: "h" }));
    await expect(on.play(runner.topUp("h", { tokens: 5 }))).rejects.toThrow(/no such limit: it limits cost/);
    await expect(on.play(runner.topUp("nobody", "$1"))).rejects.toMatchObject({ code: "unknown-run" });
    await on.play(runner.run("x", { runId: "r" }));
    await expect(on.play(runner.topUp("r", "$1"))).rejects.toMatchObject({ code: "run-ended" });
  });
});
