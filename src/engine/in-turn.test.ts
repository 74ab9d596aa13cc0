import { describe, expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import type { PaceLimits } from "../agents/pace.ts";
import { mapOver, parallel, step } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import type { Usd } from "../core/limits.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";
import { type ScriptedOptions, scriptedModel } from "../testing/scripted-model.ts";

/** A model that may be called so fast, and notes when it is. An answer of 10 tokens costs $0.10. */
function road(limits: PaceLimits[string], replies: ScriptedOptions["replies"] = () => "x".repeat(40)) {
  const on = scene();
  const began = on.world.now();
  const times: number[] = [];
  const model = scriptedModel({
    replies,
    price: { input: "$0", output: "$10000" },
    world: on.world.process("model"),
    onCall: () => times.push(on.world.now() - began),
  });
  const ask = agent<string>("ask", { model, system: "", maxOutputTokens: 10, minOutputTokens: 10 });
  /** A process, which has its own `models()`. */
  const cast = <In, Out>(made: Step<In, Out>, budget?: Usd) =>
    on.cast(made, {
      models: models({
        prices: { ...model.prices, "scripted:free": { input: "$0", output: "$0" } },
        limits: { "scripted:model": limits },
        now: () => on.world.now(),
      }),
      ...(budget === undefined ? {} : { budget }),
    });
  const run = async () => fold(await on.journal("r"));
  return { ...on, model, ask, times, cast, run };
}
const slow = { requestsPerMinute: 2 };
const five = ["a", "b", "c", "d", "e"];

const tooFast = (seconds: string) => ({
  error: Object.assign(new Error("too fast"), {
    statusCode: 429,
    responseHeaders: { "retry-after": seconds },
  }),
  unbilled: true,
});

describe("a call that must wait for its turn", () => {
  test("is made when its turn has come, and waiting is no failed attempt", async () => {
    const on = road(slow);
    const result = await on.cast(mapOver("all", on.ask)).run(five, { runId: "r" });
    expect([result.status, on.times]).toEqual(["completed", [0, 0, 60_000, 60_000, 120_000]]);
    const types = (await on.journal("r")).map(({ type }) => type);
    expect(types.filter((type) => type === "budget-reserved")).toHaveLength(5);
    expect(types.filter((type) => /failed|released|retry/.test(type))).toEqual([]);
  });

  test("shares it with the other runs of the same models()", async () => {
    const on = road(slow);
    const { runner } = on.cast(mapOver("all", on.ask));
    const runs = [runner.run(["a", "b"], { runId: "r" }), runner.run(["c", "d"], { runId: "s" })];
    await on.play(Promise.all(runs));
    expect(on.times).toEqual([0, 0, 60_000, 60_000]);
  });

  test("holds no money meanwhile: another model's calls are paid for at once", async () => {
    const on = road({ requestsPerMinute: 1 });
    const other = scriptedModel({ replies: ["free"], id: "free", price: { input: "$0", output: "$0" } });
    const quick = step("nap", (text: string) => text).to(agent("quick", { model: other, system: "" }));
    const made = parallel("both", { slow: mapOver("all", on.ask, { over: () => five }), quick });
    const cast = on.cast(made, "$0.50");
    cast.runner.start("x", { runId: "r" });
    await on.wait(30_000);
    const { reservations } = await on.run();
    expect([...reservations.values()].map(({ settled }) => settled !== undefined)).toEqual([true, true]);
    expect(other.calls).toHaveLength(1);
  });

  test("is reached by a cancellation, a timeout and a halt, and costs nothing then", async () => {
    const cancelled = road({ requestsPerMinute: 1 });
    const handle = cancelled.cast(mapOver("all", cancelled.ask)).runner.start(five, { runId: "r" });
    await cancelled.wait(1_000);
    await cancelled.play(handle.cancel());
    expect((await cancelled.play(handle.result())).status).toBe("cancelled");
    expect((await cancelled.run()).reservations.size).toBe(1);
    expect(cancelled.times).toEqual([0]);

    const late = road({ requestsPerMinute: 1 });
    const timed = mapOver("all", late.ask.timeout("5s"), { onFailure: "collect" });
    const settled = await late.cast(timed).run(["a", "b"], { runId: "r" });
    expect(settled).toMatchObject({ status: "completed", output: [{ ok: true }, { ok: false }] });
    expect((await late.run()).reservations.size).toBe(1);

    const poor = road({ requestsPerMinute: 1 });
    const dear = agent<string>("dear", {
      model: poor.model,
      system: "",
      maxOutputTokens: 90,
      minOutputTokens: 90,
    });
    const both = parallel("both", {
      one: poor.ask,
      two: dear,
      three: mapOver("all", poor.ask, { over: () => five }),
    });
    const halted = await poor.cast(both, "$0.50").run("x", { runId: "r" });
    expect([halted.status, poor.times]).toEqual(["halted", [0]]);
    expect((await poor.run()).spent.picoUsd).toBe(100_000_000_000n);
  });

  test("never breaks the budget, and a turn nobody could pay for is given to the next", async () => {
    const on = road({ requestsPerMinute: 3 });
    const cast = on.cast(mapOver("all", on.ask));
    const result = await on.play(cast.runner.run(five, { runId: "r", budget: "$0.40" }));
    expect([result.status, on.model.calls.length]).toEqual(["halted", 4]);
    expect(result.spent.picoUsd).toBe(on.model.billedPicoUsd);
    const other = await cast.run(["a"], { runId: "s" });
    expect(other.status).toBe("completed");
    expect(on.times).toEqual([0, 0, 0, 60_000, 60_000]);
  });

  test("is made by whoever resumes the run when its process dies", async () => {
    const on = road(slow);
    const first = on.cast(mapOver("all", on.ask));
    first.runner.start(five, { runId: "r" });
    await on.wait(10_000);
    first.process.kill();
    const heir = on.cast(mapOver("all", on.ask));
    const result = await on.play(heir.runner.resume("r").result());
    expect([result.status, on.model.calls.length]).toEqual(["completed", 5]);
  });
});

test("the wait a 429 asks for is every call's of that model", async () => {
  let refusals = 0;
  const on = road({}, ({ index }) => {
    if (index > 0) return "fine";
    refusals += 1;
    return tooFast("40");
  });
  const later = step("wait", async (text: string, ctx) => {
    if (text !== "a") await ctx.sleep("nap", "5s");
    return text;
  });
  const result = await on.cast(mapOver("all", later.to(on.ask))).run(five, { runId: "r" });
  expect([result.status, refusals]).toEqual(["completed", 1]);
  expect(on.times).toEqual([0, 40_000, 40_000, 40_000, 40_000, 40_000]);
});

test("a crowd refused together does not come back together, and being refused is no failed try", async () => {
  const served = new Map<number, number>();
  const on = road({}, () => {
    const minute = Math.floor(on.world.now() / 60_000);
    const count = (served.get(minute) ?? 0) + 1;
    served.set(minute, count);
    return count > 10 ? tooFast(String(60 - ((on.world.now() / 1_000) % 60))) : "fine";
  });
  const many = Array.from({ length: 60 }, (_, i) => String(i));
  const result = await on.cast(mapOver("all", on.ask, { concurrency: 60 })).run(many, { runId: "r" });
  expect(result.status).toBe("completed");
  const [first, ...later] = served.values();
  expect(first).toBe(60);
  expect(Math.max(...later)).toBeLessThan(25); // of ten that may pass, ten did, and the round on the way
});
