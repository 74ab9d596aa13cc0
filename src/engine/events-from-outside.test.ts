import { describe, expect, it } from "vitest";
import { loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { sleep, waitFor } from "../core/pauses.ts";
import type { Schema } from "../core/schema.ts";
import { scene } from "../testing/scene.ts";

const amount: Schema<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: "expected a number" }] },
  },
};
const paid = waitFor("paid", { schema: amount });
const day = 86_400_000;

describe("a signal from outside", () => {
  const order = pipeline(
    "order",
    paid.to("thanks", (sum) => `thanks for ${sum}`),
  );

  it("is waited for without a process, and hands its value on", async () => {
    const on = scene();
    const first = on.cast(order);
    expect(await first.run("x", { runId: "r" })).toMatchObject({
      status: "waiting",
      signals: ["/order/paid"],
      waits: [{ path: "/order/paid", kind: "signal" }],
    });
    first.process.kill();
    const { runner } = on.cast(order);
    await on.play(runner.signal("r", "/order/paid", 40, { by: "the bank" }));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: "thanks for 40" });
  });

  it("goes on at once in the process that sends it, when that is asked for", async () => {
    const on = scene();
    await on.cast(order).run("x", { runId: "r" });
    const { runner } = on.cast(order);
    await on.play(runner.signal("r", "/order/paid", 40, { resume: true }));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ status: "completed" });
    expect((await on.journal("r")).filter(({ type }) => type === "run-resumed")).toHaveLength(1);
  });

  it("that does not fit is refused, and the run stays waiting", async () => {
    const on = scene();
    const { runner, run } = on.cast(order);
    await run("x", { runId: "r" });
    await expect(on.play(runner.signal("r", "/order/paid", "much"))).rejects.toMatchObject({
      code: "signal-refused",
      message: expect.stringContaining("expected a number"),
    });
    expect(await on.play(runner.resume("r").result())).toMatchObject({ status: "waiting" });
  });

  it("sent before anybody waits is kept", async () => {
    const on = scene();
    const nap = step("nap", async (text: string, ctx) => {
      await ctx.sleep("a while", "30s");
      return text;
    });
    const { runner } = on.cast(pipeline("order", nap.to(paid)));
    const result = runner.run("x", { runId: "r" });
    await on.wait(1_000);
    await on.play(runner.signal("r", "/order/paid", 7));
    expect(await on.play(result)).toMatchObject({ status: "completed", output: 7 });
  });

  it("sent while the run is coming to stand is not left lying: one of the two goes on with it", async () => {
    for (let ms = 4; ms <= 60; ms += 4) {
      const on = scene();
      const slow = sleep<string>("slow", "30ms");
      const made = pipeline("order", parallel("both", { paid, slow }));
      const first = on.cast(made).runner.run("x", { runId: "r" });
      await on.wait(ms);
      const desk = on.cast(made, { takeOver: false }).runner;
      await on.play(desk.signal("r", "/order/both[paid]/paid", 5, { resume: true }));
      await on.play(first);
      await on.wait(1_000);
      expect([ms, (await on.journal("r")).at(-1)?.type]).toEqual([ms, "run-completed"]);
    }
  });
});

describe("several signals for one place", () => {
  const takings = loopUntil("each", paid, { until: (sum) => sum === 0, maxLoops: 10 });

  it("are taken one by one, in order, each once, whatever dies in between", async () => {
    for (let commit = 1; commit <= 12; commit++) {
      const on = scene();
      const made = pipeline(
        "shop",
        step("begin", () => 1)
          .to(takings)
          .to("end", () => "closed"),
      );
      const first = on.cast(made, { crash: { commit, when: commit % 2 === 0 ? "before" : "after" } });
      first.runner
        .start("x", { runId: "r" })
        .result()
        .catch(() => {});
      await on.wait(100);
      const desk = on.cast(made, { takeOver: false }).runner;
      const sums = [5, 4, 3, 2, 0];
      let status = "";
      if ((await on.journal("r")).length === 0) await on.cast(made).run("x", { runId: "r" });
      for (const sum of sums) await on.play(desk.signal("r", "/shop/each[]/paid", sum));
      for (let n = 0; n < 12 && status !== "completed"; n++) {
        const cast = on.cast(made, { crash: { commit: 2, when: "after" } });
        cast.runner
          .resume("r")
          .result()
          .catch(() => {});
        await on.wait(20_000);
        status = (await on.store.list({}))[0]?.status ?? "";
      }
      const taken = (await on.journal("r")).flatMap((entry) =>
        entry.type === "signal-received" ? [entry.output] : [],
      );
      expect([commit, taken]).toEqual([commit, sums]);
    }
  });

  it("of which one is meant for a certain turn goes there", async () => {
    const on = scene();
    const { runner, run } = on.cast(pipeline("shop", mapOver("m", paid)));
    await run([1, 2], { runId: "r" });
    await on.play(runner.signal("r", "/shop/m[1]/paid", 11));
    await on.play(runner.signal("r", "/shop/m[]/paid", 10));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: [10, 11] });
  });

  it("sent to a path that leaves its item out altogether are refused: nobody would get them", async () => {
    const on = scene();
    const { runner, run } = on.cast(pipeline("shop", mapOver("m", paid)));
    await run([1, 2], { runId: "r" });
    await expect(on.play(runner.signal("r", "/shop/m/paid", 1))).rejects.toMatchObject({
      code: "signal-refused",
    });
  });
});

describe("a signal that does not come", () => {
  it.each([
    [{ timeout: "7d" }, { status: "failed", error: { code: "timeout" } }],
    [
      { timeout: "7d", onTimeout: { value: 0 } },
      { status: "completed", output: 0 },
    ],
  ] as const)("with %j in the end", async (options, end) => {
    const on = scene();
    const made = pipeline("order", waitFor("paid", { schema: amount, ...options }));
    const { run, runner } = on.cast(made);
    expect(await run("x", { runId: "r" })).toMatchObject({ until: new Date(on.world.now() + 7 * day) });
    await on.wait(7 * day + 1_000);
    const [listed] = await on.store.list({});
    expect(listed?.status).toBe(end.status);
    if (end.status === "completed") expect(await on.play(runner.resume("r").result())).toMatchObject(end);
  });

  it("has a way out only if there is a time", () => {
    expect(() => waitFor("paid", { onTimeout: { value: 1 } })).toThrow(/not when that is/);
  });
});
