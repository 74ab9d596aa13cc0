import { describe, expect, it } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";

const day = 86_400_000;
const prompt = (text: string) => `Is "${text}" right?`;
const ask = (onTimeout: object = {}) =>
  pipeline("p", humanInTheLoop("ask", { prompt, timeout: "2d", ...onTimeout }));
const no = { onTimeout: { answer: { approved: false } } };

describe("a question nobody answers in time", () => {
  it("fails, and says since when it was asked", async () => {
    const on = scene();
    const { run } = on.cast(ask(), { takeOver: false });
    const waiting = await run("x", { runId: "r" });
    const due = on.world.now() + 2 * day;
    expect(waiting).toMatchObject({ status: "waiting", signals: ["/p/ask"], until: new Date(due) });
    expect(await on.store.list({ dueBefore: due })).toMatchObject([{ runId: "r", wakeAt: due }]);
    await on.wait(2 * day);
    const late = on.cast(ask(), { takeOver: false });
    expect(await on.play(late.runner.resume("r").result())).toMatchObject({
      status: "failed",
      error: { code: "timeout", path: "/p/ask" },
    });
    expect(await on.store.list({ dueBefore: Number.MAX_SAFE_INTEGER })).toEqual([]);
  });

  it("is asked anew when the failed run is resumed", async () => {
    const on = scene();
    const { runner, run } = on.cast(ask());
    await run("x", { runId: "r" });
    await on.wait(3 * day);
    expect(await on.play(runner.resume("r").result())).toMatchObject({
      status: "waiting",
      until: new Date(on.world.now() + 2 * day),
    });
    await on.play(runner.signal("r", "/p/ask", { approved: true }));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: { approved: true } });
  });

  it("takes the declared answer, in its own process, in another, and years later", async () => {
    for (const after of [2 * day, 2 * day + 1, 900 * day]) {
      const on = scene();
      const first = on.cast(ask(no));
      await first.run("x", { runId: "r" });
      if (after > 2 * day) first.process.kill();
      await on.wait(after);
      const other = on.cast(ask(no), { takeOver: false });
      expect(await on.play(other.runner.resume("r").result())).toMatchObject({
        status: "completed",
        output: { approved: false },
      });
      expect((await on.journal("r")).filter(({ type }) => type === "signal-received")).toMatchObject([
        { late: true },
      ]);
    }
  });

  it("is still asked when the run is resumed before its time is up, and of those who were asked", async () => {
    const escalate = { onTimeout: { escalate: [{ assignees: ["cfo"], timeout: "1d" }] } } as const;
    for (const made of [ask(no), ask(escalate)]) {
      const on = scene();
      const first = await on.cast(made, { takeOver: false }).run("x", { runId: "r" });
      await on.wait(2 * day - 1);
      const early = on.cast(made, { takeOver: false });
      expect(await on.play(early.runner.resume("r").result())).toEqual(first);
      const told = (await on.journal("r")).filter(({ type }) => /^signal-/.test(type));
      expect(told.map(({ type }) => type)).toEqual(["signal-awaited"]);
    }
  });

  it("with a declared answer that does not fit fails, and says so", async () => {
    const on = scene();
    const wrong = ask({ onTimeout: { answer: { approved: "perhaps" } } });
    const { runner, run } = on.cast(wrong, { takeOver: false });
    await run("x", { runId: "r" });
    await on.wait(2 * day);
    expect(await on.play(runner.resume("r").result())).toMatchObject({
      status: "failed",
      error: { code: "invalid-output", message: expect.stringContaining("expected true or false") },
    });
  });

  it("is a failure as any other: a fallback, a retry and a collecting map take it", async () => {
    const on = scene();
    const human = humanInTheLoop("ask", { prompt, timeout: "1h" });
    const made = pipeline(
      "p",
      mapOver(
        "m",
        human.retry({ attempts: 2, backoff: "0ms" }).fallback(step("other", () => ({ approved: false }))),
      ),
    );
    const { run, runner } = on.cast(made);
    await run(["a", "b"], { runId: "r" });
    await on.wait(90 * 60_000);
    await on.play(runner.signal("r", "/p/m[1]/ask", { approved: true }, { resume: true }));
    await on.wait(60 * 60_000);
    expect(await on.play(runner.resume("r").result())).toMatchObject({
      output: [{ approved: false }, { approved: true }],
    });
    const asked = (await on.journal("r")).filter(({ type }) => type === "signal-awaited");
    expect(asked).toHaveLength(4);
  });
});

describe("an answer and the end of its time", () => {
  it("one sent in time counts, however late the run is resumed", async () => {
    const on = scene();
    const first = on.cast(ask(no));
    await first.run("x", { runId: "r" });
    first.process.kill();
    await on.wait(2 * day - 1_000);
    const desk = on.cast(ask(no), { takeOver: false });
    await on.play(desk.runner.signal("r", "/p/ask", { approved: true }, { by: "ana" }));
    await on.wait(30 * day);
    expect(await on.play(desk.runner.resume("r").result())).toMatchObject({ output: { approved: true } });
    expect((await on.journal("r")).find(({ type }) => type === "signal-received")).toMatchObject({
      by: "ana",
    });
  });

  it("one sent later is refused, though nobody has resumed the run, and is not the answer if it got past that", async () => {
    const on = scene();
    const first = on.cast(ask(no));
    await first.run("x", { runId: "r" });
    first.process.kill();
    await on.wait(2 * day);
    const { runner } = on.cast(ask(no), { takeOver: false });
    await expect(on.play(runner.signal("r", "/p/ask", { approved: true }))).rejects.toMatchObject({
      code: "signal-refused",
      message: expect.stringContaining("was over at"),
    });
    const late = { id: "late", path: "/p/ask", data: { approved: true }, at: on.world.now() };
    await on.store.send("r", late);
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: { approved: false } });
    await expect(on.play(runner.signal("r", "/p/ask", { approved: true }))).rejects.toMatchObject({
      code: "run-ended",
    });
  });

  it("a second one is refused, and told who was first and when", async () => {
    const on = scene();
    const { runner, run } = on.cast(pipeline("p", ask().to(humanInTheLoop("more", { prompt: () => "?" }))));
    await run("x", { runId: "r" });
    const at = new Date(on.world.now()).toISOString();
    await on.play(runner.signal("r", "/p/p/ask", { approved: true }, { by: "ana" }));
    const second = () => on.play(runner.signal("r", "/p/p/ask", { approved: false }, { by: "bo" }));
    const told = { code: "signal-refused", message: expect.stringContaining(`ana gave it at ${at}`) };
    await expect(second()).rejects.toMatchObject(told);
    await on.play(runner.resume("r").result());
    await expect(second()).rejects.toMatchObject(told);
  });

  it("of two that are sent at the same moment one is taken, and the other is told", async () => {
    const on = scene();
    const { run } = on.cast(ask(), { takeOver: false });
    await run("x", { runId: "r" });
    const sent = ["ana", "bo"].map((by) =>
      on.cast(ask()).runner.signal("r", "/p/ask", { approved: by === "bo", note: by }, { by }),
    );
    const outcomes = await on.play(Promise.allSettled(sent));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const winner = outcomes[0]?.status === "fulfilled" ? "ana" : "bo";
    const { runner } = on.cast(ask());
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: { note: winner } });
  });
});

describe("a question that escalates", () => {
  const chain = {
    assignees: ["ana"],
    onTimeout: { escalate: [{ assignees: ["bo"], timeout: "1d" }, { assignees: ["team:ops"] }] },
  } as const;

  it("asks the next ones, each from the moment it is their turn, and waits for the last without end", async () => {
    const on = scene();
    const { run } = on.cast(ask(chain));
    const began = on.world.now();
    await run("x", { runId: "r" });
    await on.wait(100 * day);
    const entries = await on.journal("r");
    expect(entries.find(({ type }) => type === "signal-awaited")).toMatchObject({
      assignees: ["ana"],
      due: began + 2 * day,
    });
    expect(entries.filter(({ type }) => type === "signal-escalated")).toMatchObject([
      { round: 1, assignees: ["bo"], at: began + 2 * day, due: began + 3 * day },
      { round: 2, assignees: ["team:ops"], at: began + 3 * day },
    ]);
    const { runner } = on.cast(ask(chain));
    await on.play(runner.signal("r", "/p/ask", { approved: true }, { by: "ana" }));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: { approved: true } });
  });

  it("takes the way out when the last have not answered", async () => {
    const on = scene();
    const { escalate } = chain.onTimeout;
    const made = ask({
      onTimeout: { escalate: escalate.slice(0, 1), finally: { answer: { approved: false } } },
    });
    const { run, runner } = on.cast(made);
    await run("x", { runId: "r" });
    await on.wait(10 * day);
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: { approved: false } });
  });

  it("resumed late asks the next ones then, and gives them their whole time", async () => {
    const on = scene();
    const first = on.cast(ask(chain));
    await first.run("x", { runId: "r" });
    first.process.kill();
    await on.wait(50 * day);
    const resumed = await on.play(on.cast(ask(chain), { takeOver: false }).runner.resume("r").result());
    expect(resumed).toMatchObject({ status: "waiting", until: new Date(on.world.now() + day) });
  });

  it.each([
    ["no time", { onTimeout: { answer: { approved: true } } }],
    [
      "none of those in the middle",
      { timeout: "1d", onTimeout: { escalate: [{ assignees: ["a"] }, { assignees: ["b"] }] } },
    ],
    [
      "none of the last, and a way out",
      {
        timeout: "1d",
        onTimeout: { escalate: [{ assignees: ["a"] }], finally: { answer: { approved: true } } },
      },
    ],
  ] as const)("is refused with %s", (_, options) => {
    expect(() => humanInTheLoop("ask", { prompt, ...options })).toThrow(/not when that is/);
  });
});
