import { describe, expect, it } from "vitest";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { Schema } from "../core/schema.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";

const word: Schema<unknown, string> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "string" ? { value } : { issues: [{ message: "expected a word" }] },
  },
};
const ask = humanInTheLoop("ask", { prompt: (text: string) => `Is "${text}" right?`, answer: word });

/** Runs until it waits; answers in a second process; resumes in a third. */
async function answered<In, Out>(
  made: Step<In, Out>,
  input: In,
  answers: Record<string, string>,
  earlier: { count: number },
) {
  const on = scene();
  const waiting = await on.cast(made).run(input, { runId: "r" });
  expect(waiting).toMatchObject({ status: "waiting", signals: Object.keys(answers).sort() });
  const before = earlier.count;
  for (const [path, answer] of Object.entries(answers))
    await on.play(on.cast(made).runner.signal("r", path, answer));
  const result = await on.play(on.cast(made).runner.resume("r").result());
  expect(earlier.count).toBe(before);
  expect(result.status).toBe("completed");
  return result.status === "completed" ? result.output : undefined;
}

describe("a person's answer is waited for, without a process, and work before it is done once", () => {
  const earlier = { count: 0 };
  const before = step("before", (text: string) => {
    earlier.count++;
    return text;
  });

  it("at the top", async () => {
    expect(await answered(pipeline("p", before.to(ask)), "x", { "/p/ask": "yes" }, earlier)).toBe("yes");
  });

  it("in a branch", async () => {
    const made = pipeline("p", before.to(branchOn("b", (_: string) => "k" as const, { k: ask })));
    expect(await answered(made, "x", { "/p/b[k]/ask": "yes" }, earlier)).toBe("yes");
  });

  it("in a loop", async () => {
    const made = pipeline("p", before.to(loopUntil("l", ask, { until: () => true, maxLoops: 2 })));
    expect(await answered(made, "x", { "/p/l[0]/ask": "yes" }, earlier)).toBe("yes");
  });

  it("in a map, several at once, each by its path", async () => {
    const made = pipeline("p", mapOver("m", before.to(ask)));
    const answers = { "/p/m[0]/ask": "one", "/p/m[1]/ask": "two" };
    expect(await answered(made, ["a", "b"], answers, earlier)).toEqual(["one", "two"]);
  });

  it("in a parallel, while the other branch is done", async () => {
    const made = pipeline("p", parallel("both", { asked: ask, other: before }));
    expect(await answered(made, "x", { "/p/both[asked]/ask": "yes" }, earlier)).toEqual({
      asked: "yes",
      other: "x",
    });
  });

  it("in a sub-pipeline", async () => {
    const made = pipeline("p", before.to(pipeline("sub", ask)));
    expect(await answered(made, "x", { "/p/sub/ask": "yes" }, earlier)).toBe("yes");
  });
});

describe("an answer", () => {
  const made = pipeline("p", ask);

  it("that does not fit is refused with the reason, and the run stays waiting", async () => {
    const on = scene();
    const { runner, run } = on.cast(made);
    await run("x", { runId: "r" });
    await expect(on.play(runner.signal("r", "/p/ask", 7))).rejects.toMatchObject({
      code: "signal-refused",
      message: expect.stringContaining("expected a word"),
    });
    expect(await on.play(runner.resume("r").result())).toMatchObject({ status: "waiting" });
  });

  it("of somebody whose name is empty is refused, and the question stays open", async () => {
    const on = scene();
    const { runner, run } = on.cast(made);
    await run("x", { runId: "r" });
    await expect(on.play(runner.signal("r", "/p/ask", "yes", { by: " " }))).rejects.toMatchObject({
      code: "invalid-option",
    });
    await on.play(runner.signal("r", "/p/ask", "yes", { by: "ana" }));
  });

  it("sent to where nothing waits, or twice, is refused", async () => {
    const on = scene();
    const { runner, run } = on.cast(made);
    await run("x", { runId: "r" });
    await expect(on.play(runner.signal("r", "/p/nowhere", "yes"))).rejects.toMatchObject({
      code: "signal-refused",
    });
    await on.play(runner.signal("r", "/p/ask", "yes"));
    await expect(on.play(runner.signal("r", "/p/ask", "no"))).rejects.toMatchObject({
      code: "signal-refused",
    });
    expect((await on.store.signals("r")).map(({ data }) => data)).toEqual(["yes"]);
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: "yes" });
    await expect(on.play(runner.signal("r", "/p/ask", "no"))).rejects.toMatchObject({ code: "run-ended" });
  });

  it("sent early is kept", async () => {
    const on = scene();
    const slowly = pipeline(
      "p",
      step("slow", async (text: string, ctx) => {
        await ctx.sleep("nap", "60s");
        return text;
      }).to(ask),
    );
    const { runner } = on.cast(slowly);
    const result = runner.start("x", { runId: "r" }).result();
    await on.wait(1_000);
    await on.play(on.cast(slowly).runner.signal("r", "/p/ask", "early"));
    expect(await on.play(result)).toMatchObject({ status: "completed", output: "early" });
  });
});
