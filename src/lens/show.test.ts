import { describe, expect, test } from "vitest";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Entry, Fact } from "../core/entries.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { AnyStep } from "../core/step.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";
import { readJournal } from "./journal.ts";
import { type OperationView, type RunReport, show } from "./show.ts";

/** A journal by hand: seqs and times are counted up, ten milliseconds apart. */
const journal = (...facts: readonly Fact[]): Entry[] =>
  facts.map((fact, seq) => ({ seq, at: seq * 10, ...fact }));

const created: Fact = {
  type: "run-created",
  pipeline: "p",
  fingerprint: "f",
  manifest: "m",
  input: ["a", "b"],
  state: {},
  origin: { file: "/p.ts", export: "default" },
};
const reserved = (path: string, picoUsd: string): Fact => ({
  type: "budget-reserved",
  path,
  model: "some:model",
  amount: { picoUsd, inputTokens: 5, outputTokens: 5 },
});
const settled = (path: string, of: number, picoUsd: string): Fact => ({
  type: "budget-settled",
  path,
  of,
  amount: { picoUsd, inputTokens: 2, outputTokens: 1 },
});
const failure = { code: "step-failed", message: "no", retryable: true };

const shown = (...facts: readonly Fact[]): Promise<RunReport> =>
  show("r", journal(created, ...facts), async () => undefined);
const at = (report: RunReport, path: string): OperationView | undefined =>
  report.operations.find((operation) => operation.path === path);

describe("of a journal by hand", () => {
  test("a call that was cut shows what it had said, its last try alone; one with a result shows that, whole", async () => {
    const call = "/p/a:call#0";
    const said = (of: number, chunks: string[], kind?: "reasoning"): Fact => ({
      type: "text-streamed",
      path: call,
      of,
      block: kind === undefined ? 1 : 0,
      ...(kind === undefined ? {} : { kind }),
      chunks,
    });
    const facts = [
      reserved(call, "5"),
      said(1, ["a", "a"]),
      settled(call, 1, "5"),
      reserved(call, "5"),
      said(4, ["hm"], "reasoning"),
      said(4, ["b", "b"]),
      said(4, ["c"]),
    ];
    expect(at(await shown(...facts), call)).toMatchObject({
      status: "running",
      output: null,
      partial: "bbc",
    });
    const output = { parts: [{ type: "text", text: "" }] };
    const texts = [{ at: ["parts", 0, "text"], from: [[4, 1]] as const }];
    const whole = at(
      await shown(...facts, {
        type: "operation-completed",
        path: call,
        kind: "model-call",
        output,
        texts,
        took: 1,
      }),
      call,
    );
    expect(whole).toMatchObject({ output: { parts: [{ type: "text", text: "bbc" }] } });
    expect(whole).not.toHaveProperty("partial");
  });

  test("outer operations come before inner ones, in the order they were first recorded", async () => {
    const done = (path: string): Fact => ({
      type: "step-completed",
      path,
      kind: "step",
      attempt: 1,
      output: 1,
      took: 1,
    });
    const { operations } = await shown(
      done("/p/all[b]/x"),
      { type: "operation-completed", path: "/p/all[a]/x:op#0", kind: "operation", output: 1, took: 1 },
      done("/p/all[a]/x"),
      { type: "container-completed", path: "/p/all", kind: "mapOver", out: [3, 1], took: 1 },
      done("/p/last"),
    );
    expect(operations.map(({ path }) => path)).toEqual([
      "/p/all",
      "/p/all[b]/x",
      "/p/all[a]/x",
      "/p/all[a]/x:op#0",
      "/p/last",
    ]);
  });

  test("inputs are found where they were made, elements of elements included", async () => {
    const report = await shown(
      {
        type: "step-completed",
        path: "/p/x",
        kind: "step",
        attempt: 1,
        in: [0, 1],
        output: { list: [["deep"]] },
        took: 3,
      },
      {
        type: "step-completed",
        path: "/p/y",
        kind: "step",
        attempt: 1,
        in: [1, "list", 0],
        output: 1,
        took: 3,
      },
      {
        type: "step-completed",
        path: "/p/z",
        kind: "step",
        attempt: 1,
        in: [1, "nowhere"],
        output: 1,
        took: 3,
      },
    );
    expect(at(report, "/p/x")).toMatchObject({
      input: "b",
      startedAt: "1970-01-01T00:00:00.007Z",
      durationMs: 3,
    });
    expect(at(report, "/p/y")?.input).toEqual(["deep"]);
    expect(at(report, "/p/z")?.input).toBeNull();
  });

  test("failed attempts are kept beside the one that succeeded", async () => {
    const report = await shown(
      { type: "step-failed", path: "/p/x", kind: "step", attempt: 1, in: 0, error: failure, took: 4 },
      { type: "retry-scheduled", path: "/p/x", attempt: 1, due: 100 },
      { type: "step-completed", path: "/p/x", kind: "step", attempt: 2, in: 0, output: 1, took: 2 },
    );
    expect(at(report, "/p/x")).toMatchObject({
      status: "completed",
      attempts: 2,
      durationMs: 2,
      error: null,
      failures: [{ attempt: 1, durationMs: 4, error: failure }],
      notes: ["Attempt 1 failed; the next one was due at 1970-01-01T00:00:00.100Z."],
    });
  });

  test("what was cut off for want of time says so, also when it has been done since", async () => {
    const report = await shown(
      { type: "step-started", path: "/p/x", kind: "step", attempt: 1, in: 0 },
      { type: "operation-cut", path: "/p/x", after: 23_500 },
      { type: "run-resumed", owner: "other", fence: 2, why: "taken-over" },
      { type: "step-completed", path: "/p/x", kind: "step", in: 0, output: 1, took: 24_000 },
    );
    expect(at(report, "/p/x")).toMatchObject({
      status: "completed",
      attempts: 1,
      notes: ["Cut off after 23.5 s, as the time of its process was over."],
    });
  });

  test("costs are counted at the call and at everything around it, once", async () => {
    const call = "/p/all[a]/ask@2:call#0";
    const report = await shown(
      { type: "step-failed", path: "/p/all[a]/ask", kind: "agent", attempt: 1, error: failure, took: 1 },
      reserved(call, "9000000000000"),
      settled(call, 2, "1000000000000"),
      { type: "operation-completed", path: call, kind: "model-call", output: 1, took: 1 },
      { type: "step-completed", path: "/p/all[a]/ask", kind: "agent", attempt: 2, output: 1, took: 1 },
      { type: "container-completed", path: "/p/all", kind: "mapOver", out: [5], took: 1 },
    );
    const one = { costUsd: "1", inputTokens: 2, outputTokens: 1, calls: 1 };
    expect(report.run.spent).toEqual(one);
    for (const path of ["/p/all", "/p/all[a]/ask", call]) expect(at(report, path)?.spent).toEqual(one);
    expect(at(report, call)).toMatchObject({ model: "some:model", attempts: 1 });
  });

  test("money that is held, and money in doubt, is explained", async () => {
    const held = await shown(reserved("/p/ask:call#0", "2000000000000"));
    expect(at(held, "/p/ask:call#0")).toMatchObject({
      kind: "model-call",
      status: "running",
      spent: { costUsd: "2" },
      notes: ["$2 is held for it: the most it can cost, until the call is settled."],
    });
    const doubted = await shown(reserved("/p/ask:call#0", "2000000000000"), {
      type: "budget-settled",
      path: "/p/ask:call#0",
      of: 1,
      amount: { picoUsd: "2000000000000", inputTokens: 5, outputTokens: 5 },
      doubt: true,
    });
    expect(at(doubted, "/p/ask:call#0")?.notes).toEqual([
      "In doubt: nobody knows what the call cost, so all that was held for it counts ($2).",
    ]);
  });

  test("a cached result says so", async () => {
    const report = await shown({
      type: "step-completed",
      path: "/p/x",
      kind: "step",
      attempt: 1,
      output: 1,
      took: 0,
      cached: true,
    });
    expect(at(report, "/p/x")).toMatchObject({ status: "completed", cached: true, spent: { costUsd: "0" } });
  });

  test("what was begun runs while the run does, and is stopped once the run stands", async () => {
    const begun: Fact = { type: "step-started", path: "/p/x", kind: "step", attempt: 1, in: 0 };
    expect(at(await shown(begun), "/p/x")).toMatchObject({
      status: "running",
      startedAt: "1970-01-01T00:00:00.010Z",
      output: null,
    });
    const stood = await shown(begun, { type: "run-cancelled", error: { ...failure, code: "cancelled" } });
    expect(at(stood, "/p/x")).toMatchObject({ status: "stopped" });
    expect(stood.run).toMatchObject({ status: "cancelled", error: { code: "cancelled" } });
  });

  test("what is undone stands beside its place; the run says what is, and what is left", async () => {
    const owed = (path: string): Fact => ({ type: "compensation-owed", path, in: 0, out: 0 });
    const started = (path: string, of: number): Fact => ({
      type: "compensation-started",
      path,
      of,
      reason: failure,
    });
    const report = await shown(
      owed("/p/a"),
      owed("/p/b"),
      { type: "compensation-begun", why: "failed", error: failure, state: {} },
      started("/p/b", 2),
      { type: "compensation-failed", path: "/p/b", error: failure, took: 5 },
      started("/p/a", 1),
      { type: "compensation-completed", path: "/p/a", took: 7 },
      { type: "run-failed", error: failure, left: ["/p/b"] },
    );
    expect(report.run.undone).toEqual({ places: ["/p/a"], left: ["/p/b"] });
    const kind = "compensation";
    expect(at(report, "/p/a@undo")).toMatchObject({ kind, status: "completed", durationMs: 7 });
    expect(at(report, "/p/b@undo")).toMatchObject({ kind, status: "failed", error: failure });
    expect(at(report, "/p/a@undo")?.input).toMatchObject({ input: ["a", "b"], reason: failure });
    expect((await shown(owed("/p/a"))).run).not.toHaveProperty("undone");
  });

  test("a sleep tells until when", async () => {
    const report = await shown({ type: "timer-set", path: "/p/nap", due: 5_000 });
    expect(at(report, "/p/nap")).toMatchObject({
      kind: "sleep",
      status: "running",
      notes: ["It sleeps until 1970-01-01T00:00:05.000Z."],
    });
  });

  test("an output kept aside is fetched, or shown by its size", async () => {
    const entries = journal(created, {
      type: "step-completed",
      path: "/p/x",
      kind: "step",
      attempt: 1,
      output: { $type: "blob", hash: "h", size: 9_000 },
      took: 0,
    });
    const whole = await show("r", entries, async ({ hash }) => JSON.stringify(`text of ${hash}`));
    expect(at(whole, "/p/x")?.output).toBe("text of h");
    const brief = await show("r", entries, async () => undefined);
    expect(at(brief, "/p/x")?.output).toBe("(9,000 characters, kept aside)");
  });
});

describe("of a real run", () => {
  async function reportOf(what: AnyStep, input: unknown): Promise<RunReport> {
    const store = memory();
    // The input's type is forgotten here; each test hands in what its pipeline takes.
    await using flujo = new Flujo(what as ReturnType<typeof step<unknown, unknown>>, { store });
    await flujo.run(input, { runId: "r" });
    return show("r", (await readJournal(store, "r")) ?? [], ({ hash }) => store.blob(hash));
  }

  test("containers are put together from their parts; collected failures stand among the results", async () => {
    const odd = step("odd", (n: number) => {
      if (n % 2 === 0) throw new Error(`${n} is even`);
      return { n };
    });
    const report = await reportOf(
      pipeline(
        "p",
        parallel("both", {
          all: mapOver("each", odd, { onFailure: "collect" }),
          size: step("size", (list: number[]) => list.length),
        }),
      ),
      [1, 2, 3],
    );
    const collected = [
      { ok: true, value: { n: 1 } },
      { ok: false, error: { code: "step-failed", path: "/p/both[all]/each[1]/odd" } },
      { ok: true, value: { n: 3 } },
    ];
    expect(at(report, "/p/both[all]/each")).toMatchObject({
      kind: "mapOver",
      input: [1, 2, 3],
      output: collected,
    });
    expect(at(report, "/p/both")).toMatchObject({ kind: "parallel", output: { all: collected, size: 3 } });
    expect(at(report, "/p/both[all]/each[1]/odd")).toMatchObject({
      status: "failed",
      input: 2,
      output: null,
    });
    expect(report.run.output).toMatchObject({ all: collected, size: 3 });
  });

  test("a waiting run says where and what it asks", async () => {
    const report = await reportOf(
      pipeline("p", humanInTheLoop("ask", { prompt: (name: string) => `Is ${name} fine?` })),
      "Ada",
    );
    expect(report.run).toMatchObject({
      status: "waiting",
      waitingFor: [{ path: "/p/ask", prompt: "Is Ada fine?" }],
    });
    expect(at(report, "/p/ask")).toMatchObject({
      kind: "humanInTheLoop",
      status: "waiting",
      notes: ["It asks: Is Ada fine?"],
    });
  });

  test("operations of a body stand under their step", async () => {
    const body = step("body", async (n: number, ctx) => {
      const first = await ctx.run("get", () => n + 1);
      return ctx.run("get", () => first + 1);
    });
    const report = await reportOf(pipeline("p", body), 1);
    expect(report.operations.map(({ path, output }) => [path, output])).toEqual([
      ["/p/body", 3],
      ["/p/body:get#0", 2],
      ["/p/body:get#1", 3],
    ]);
  });
});

test("a journal is read to its end, page by page; of an unknown run there is none", async () => {
  const store = memory();
  await using flujo = new Flujo(
    step("a", () => 1),
    { store },
  );
  await flujo.run(undefined, { runId: "r" });
  const entries = (await readJournal(store, "r")) ?? [];
  expect(entries.map(({ type }) => type)).toEqual(["run-created", "step-completed", "run-completed"]);
  expect(await readJournal(store, "other")).toBeUndefined();
});
