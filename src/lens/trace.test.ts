import { describe, expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { branchOn, mapOver, pipeline, step } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { addSpent, decimalUsd, nothingSpent, picoUsd } from "../core/limits.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { noForks } from "../testing/simulation/forks.ts";
import { simulate } from "../testing/simulation.ts";
import { callsOf } from "./calls.ts";
import { type Trace, type TracedOperation, trace } from "./trace.ts";

const at = ({ operations }: Trace, path: string): TracedOperation | undefined =>
  operations.find((operation) => operation.path === path);

const look = tool("look", {
  description: "Looks",
  input: z.object({ at: z.string() }),
  execute: ({ at }) => `seen ${at}`,
  price: "$0.001",
});

async function traced(stream: boolean): Promise<Trace> {
  const model = scriptedModel({
    replies: [{ toolCalls: [{ name: "look", input: { at: "A" } }] }, { text: "All is well." }],
  });
  const watch = agent("watch", { model, system: "Watch.", tools: [look], stream });
  const keep = step("keep", (text: string, ctx: { set(patch: object): void }) => {
    ctx.set({ seen: text });
    return text.length;
  });
  const route = branchOn("route", (_: number) => "long" as const, {
    long: step("end", (n: number) => n),
  });
  const options: CastOptions<unknown> = { models: models({ prices: model.prices }), budget: "$1" };
  const on = scene();
  await on.cast(pipeline("p", watch.to(keep).to(route)), options).run("Go", { runId: "r" });
  return trace("r", await on.journal("r"), ({ hash }) => on.store.blob(hash));
}

describe.each([false, true])("a trace (answers in pieces: %s)", (stream) => {
  test("has what went to a model and came from it, call by call, with thoughts of none twice", async () => {
    const report = await traced(stream);
    expect(at(report, "/p/watch:call#0")?.messages).toEqual([
      { direction: "to", role: "system", text: "Watch." },
      { direction: "to", role: "user", text: "Go" },
      { direction: "from", role: "assistant", kind: "tool-call", tool: "look", text: '{"at":"A"}' },
    ]);
    expect(at(report, "/p/watch:call#1")?.messages).toEqual([
      { direction: "to", role: "tool", kind: "tool-result", tool: "look", text: "seen A" },
      { direction: "from", role: "assistant", text: "All is well." },
    ]);
  });

  test("hangs each operation under what is around it, says when it began, what it changed, chose and cost", async () => {
    const report = await traced(stream);
    expect(report.operations.map(({ depth, name }) => `${"  ".repeat(depth)}${name}`)).toEqual([
      "/p/watch",
      "  :call#0",
      "  :tool%3Alook#0",
      "  :call#1",
      "/p/keep",
      "/p/route",
      "  [long]/end",
    ]);
    expect(at(report, "/p/keep")?.state).toEqual([{ op: "add", path: "/seen", value: "All is well." }]);
    expect(at(report, "/p/route")?.output).toBe("long");
    expect(at(report, "/p/watch:tool%3Alook#0")?.calls).toMatchObject([
      { kind: "tool-call", standing: "settled", spent: { costUsd: "0.001", calls: 0, toolCalls: 1 } },
    ]);
    for (const { afterMs } of report.operations) expect(afterMs).toBeGreaterThanOrEqual(0);
  });
});

test("of a model call that was retried every try is there, with what it cost, and its messages once", async () => {
  const model = scriptedModel({ replies: [{ error: { status: 503 } }, { text: "Now." }] });
  const on = scene();
  const made = pipeline("p", agent("a", { model, system: "Say." }));
  await on.cast(made, { models: models({ prices: model.prices }), budget: "$1" }).run("Go", { runId: "r" });
  const report = await trace("r", await on.journal("r"), ({ hash }) => on.store.blob(hash));
  const call = at(report, "/p/a:call#0");
  expect(call?.attempts).toBe(2);
  expect(call?.calls?.map(({ standing }) => standing)).toEqual(["in-doubt", "settled"]);
  expect(call?.messages?.map(({ text }) => text)).toEqual(["Say.", "Go", "Now."]);
  expect(call?.calls?.[0]?.spent).toEqual(call?.calls?.[0]?.reserved);
});

test("of a model call whose process died in its middle, what was sent is there once", async () => {
  const replies = [{ text: "Lost.", delayMs: 60_000 }, { text: "Now." }];
  const model = scriptedModel({ replies });
  const on = scene();
  const made = pipeline("p", agent("a", { model, system: "Say." }));
  const options: CastOptions<unknown> = { models: models({ prices: model.prices }), budget: "$1" };
  const first = on.cast(made, options);
  first.runner.start("Go", { runId: "r" });
  await on.wait(1_000);
  first.process.kill();
  expect((await on.cast(made, options).run("Go", { runId: "r" })).status).toBe("completed");
  const report = await trace("r", await on.journal("r"), ({ hash }) => on.store.blob(hash));
  const call = at(report, "/p/a:call#0");
  expect(call?.calls?.map(({ standing }) => standing)).toEqual(["in-doubt", "settled"]);
  expect(call?.messages?.map(({ text }) => text)).toEqual(["Say.", "Go", "Now."]);
});

test("a map's items hang under it, and their operations under them", async () => {
  const on = scene();
  const body = step("copy", (n: number, ctx) => ctx.run("get", () => n));
  await on.cast(pipeline("p", mapOver("each", body))).run([1, 2], { runId: "r" });
  const report = await trace("r", await on.journal("r"), async () => undefined);
  expect(report.operations.map(({ depth, name, path }) => [depth, name, path])).toEqual([
    [0, "/p/each", "/p/each"],
    [1, "[0]/copy", "/p/each[0]/copy"],
    [2, ":get#0", "/p/each[0]/copy:get#0"],
    [1, "[1]/copy", "/p/each[1]/copy"],
    [2, ":get#0", "/p/each[1]/copy:get#0"],
  ]);
});

/** A figure of a view as pico-dollars. */
const pico = ({ costUsd }: { readonly costUsd: string }): bigint => picoUsd(`$${costUsd}`);

test("every number of a trace is the journal's own, over random runs among crashes", async () => {
  let paid = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const { journal } = await simulate({ seed, forks: noForks });
    const run = fold(journal);
    const { run: view, operations } = await trace("r", journal, async () => undefined);
    const calls = callsOf(journal, run);
    paid += calls.length;
    expect(calls.map(({ spent }) => spent).reduce(addSpent, nothingSpent)).toEqual(run.spent);
    expect(view.spent.costUsd).toBe(decimalUsd(run.spent.picoUsd));
    const shown = operations.flatMap((operation) => operation.calls ?? []);
    expect(shown.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual([...run.reservations.keys()]);
    for (const { seq, spent, reserved } of shown) {
      const { amount, settled } = run.reservations.get(seq) ?? { amount: undefined, settled: undefined };
      expect(reserved).toMatchObject({
        inputTokens: amount?.inputTokens,
        outputTokens: amount?.outputTokens,
      });
      expect(pico(spent).toString()).toBe((settled ?? amount)?.picoUsd);
    }
    const outermost = operations.filter(({ depth }) => depth === 0);
    expect(outermost.reduce((sum, { spent }) => sum + pico(spent), 0n)).toBe(run.spent.picoUsd);
    for (const { path, failures = [] } of operations)
      expect(failures.filter(({ attempt }) => attempt > 0).length).toBeGreaterThanOrEqual(
        run.attempts.has(path) ? 1 : 0,
      );
    for (const [path, { state = [] }] of run.completed)
      if (operations.some((operation) => operation.path === path))
        expect(operations.find((operation) => operation.path === path)?.state ?? []).toHaveLength(
          state.length,
        );
  }
  expect(paid).toBeGreaterThan(100);
});

test("a call that a fork shares says where what was sent and paid is recorded; one of its own says it itself", async () => {
  const model = scriptedModel({ replies: [{ text: "One." }, { text: "Two." }, { text: "Three." }] });
  const flow = pipeline(
    "p",
    agent("first", { model, system: "Begin." }).to(agent("second", { model, system: "Go on." })),
  );
  const on = scene();
  const cast = on.cast(flow, { models: models({ prices: model.prices }), budget: "$1" });
  await cast.run("Go", { runId: "r" });
  await on.play(cast.runner.fork("r", { at: "/p/second", runId: "f" }).result());
  const report = await trace("f", await on.journal("f"), ({ hash }) => on.store.blob(hash));
  const shared = "It is shared with run r: what its model was sent, and what it cost, is recorded there.";
  expect(at(report, "/p/first:call#0")?.notes).toEqual([shared]);
  expect(at(report, "/p/second:call#0")?.notes).toBeUndefined();
  expect(at(report, "/p/second:call#0")?.messages).toContainEqual({
    direction: "from",
    role: "assistant",
    text: "Three.",
  });
});
