/** What telemetry does beside the tree of spans: contexts, sampling, figures, records, silence; and that it hurts no run. */
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { logs } from "@opentelemetry/sdk-node";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { agent, Flujo, humanInTheLoop, mapOver, models, pipeline, step, tool } from "flujo";
import { memory } from "flujo/memory";
import { type InitedTelemetry, initTelemetry, prometheus, telemetry } from "flujo/telemetry";
import { scriptedModel } from "flujo/testing";
import parsed, { type Family } from "parse-prometheus-text-format";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { traceIdOf } from "../../src/telemetry/identity.ts";
import { drawn, faultsIn, watcher } from "./stage.ts";

const exporter = new InMemorySpanExporter();
const records = new logs.InMemoryLogRecordExporter();
let inited: InitedTelemetry;
beforeAll(async () => {
  inited = await initTelemetry({
    serviceName: "test",
    metrics: false,
    sdk: {
      autoDetectResources: false,
      metricReaders: [],
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
      logRecordProcessors: [new logs.SimpleLogRecordProcessor({ exporter: records })],
    },
  });
});
afterEach(() => {
  exporter.reset();
  records.reset();
});
afterAll(() => inited.shutdown());

const tracer = trace.getTracer("user");
const told = async () => {
  await inited.flush();
  return exporter.getFinishedSpans();
};

describe("inside a body", () => {
  test("spans of the user's own hang below the step, the operation, the tool or the call they are made in", async () => {
    const mine = <T>(name: string, value: T): T =>
      tracer.startActiveSpan(name, (span) => {
        span.end();
        return value;
      });
    const model = scriptedModel({
      id: "m",
      replies: ({ index }) =>
        mine("in call", index === 0 ? { toolCalls: [{ name: "look", input: {} }] } : "ok"),
    });
    const look = tool("look", {
      description: "Looks",
      input: z.object({}),
      execute: () => mine("in tool", "seen"),
    });
    const ask = agent("ask", { model: "scripted:m", system: "S", tools: [look] });
    const work = step("work", async (_: unknown, ctx) => {
      await new Promise((resolve) => setImmediate(resolve));
      mine("in step", 0);
      await ctx.run("part", async () => mine("in part", 0));
      return "?";
    });
    await using flujo = new Flujo(pipeline("q3", work.to(ask)), {
      instrument: inited,
      models: models({ providers: { scripted: () => model }, prices: model.prices }),
    });
    await flujo.run(0, { runId: "bodies" });
    const spans = await told();
    expect(faultsIn(spans)).toEqual([]);
    expect(drawn(spans)).toEqual([
      "invoke_workflow q3",
      "  invoke_agent ask /q3/ask",
      "    chat m /q3/ask:call#0",
      "      in call",
      "    chat m /q3/ask:call#1",
      "      in call",
      "    execute_tool look /q3/ask:tool%3Alook#0",
      "      in tool",
      "  step work /q3/work",
      "    in step",
      "    operation part /q3/work:part#0",
      "      in part",
    ]);
  });

  test("of each retry, they hang below that try", async () => {
    let tries = 0;
    const flaky = step("flaky", () => {
      tracer.startSpan(`try ${++tries}`).end();
      if (tries < 3) throw new Error("no");
    }).retry({ attempts: 3, backoff: "1ms" });
    await using flujo = new Flujo(pipeline("q3", flaky), { instrument: inited });
    await flujo.run(0, { runId: "tries" });
    expect(drawn(await told())).toEqual([
      "invoke_workflow q3",
      "  step flaky /q3/flaky",
      "    try 3",
      "  step flaky /q3/flaky !step-failed",
      "    try 1",
      "  step flaky /q3/flaky !step-failed",
      "    try 2",
    ]);
  });
});

describe("the trace", () => {
  test("is the run's own, made from its id, and linked to the span the run was started in", async () => {
    await using flujo = new Flujo(
      step("one", () => 1),
      { instrument: inited },
    );
    const request = tracer.startSpan("request");
    await context.with(trace.setSpan(context.active(), request), () => flujo.run(0, { runId: "linked" }));
    request.end();
    const root = (await told()).find(({ name }) => name === "invoke_workflow one");
    expect(root?.spanContext().traceId).toBe(traceIdOf("linked"));
    expect(root?.spanContext().traceId).not.toBe(request.spanContext().traceId);
    expect(root?.links.map((link) => link.context.spanId)).toEqual([request.spanContext().spanId]);
  });

  test("is sampled whole or not at all, in every process of the run alike", async () => {
    const sampled = [];
    for (let i = 0; i < 40; i++) {
      const tree = pipeline(
        "q3",
        step("a", () => 1)
          .to(humanInTheLoop("ok", { prompt: () => "?" }))
          .to(step("b", () => 2)),
      );
      const store = memory();
      const sampler = new TraceIdRatioBasedSampler(0.5);
      const [first, second] = [watcher({ sampler }), watcher({ sampler })];
      await using one = new Flujo(tree, { store, instrument: first.instrument });
      await one.run(0, { runId: `run-${i}` });
      await using other = new Flujo(tree, { store, instrument: second.instrument });
      await other.signal(`run-${i}`, "/q3/ok", { approved: true });
      await other.run(0, { runId: `run-${i}` });
      const spans = [...(await first.spans()), ...(await second.spans())];
      expect([0, 4]).toContain(spans.length);
      if (spans.length > 0) sampled.push(i);
    }
    expect(sampled.length).toBeGreaterThan(5);
    expect(sampled.length).toBeLessThan(35);
  });
});

describe("records", () => {
  test("carry run, path and span; one for each entry", async () => {
    await using flujo = new Flujo(
      pipeline(
        "q3",
        mapOver(
          "each",
          step("one", (n: number) => n),
        ),
      ),
      { instrument: inited },
    );
    const run = flujo.start([1], { runId: "logged" });
    await run.result();
    const types: string[] = [];
    for await (const { type } of run.events) types.push(`flujo.${type}`);
    const spans = await told();
    const written = records.getFinishedLogRecords();
    expect(written.map(({ eventName }) => eventName)).toEqual(types);
    const done = written.find(({ eventName }) => eventName === "flujo.step-completed");
    expect(done).toMatchObject({
      body: "step-completed /q3/each[0]/one",
      severityText: "INFO",
      attributes: { "flujo.run.id": "logged", "flujo.path": "/q3/each[0]/one" },
      spanContext: {
        traceId: traceIdOf("logged"),
        spanId: spans.find(({ name }) => name === "step one")?.spanContext().spanId,
      },
    });
    const ids = new Set(spans.map((span) => span.spanContext().spanId));
    expect(written.filter(({ spanContext }) => !ids.has(spanContext?.spanId ?? ""))).toEqual([]);
  });

  test("of failures are warnings, of a failed run an error", async () => {
    const broken = step("broken", () => {
      throw new Error("no");
    });
    await using flujo = new Flujo(pipeline("q3", broken), { instrument: inited });
    await flujo.run(0, { runId: "broken" });
    const levels = records
      .getFinishedLogRecords()
      .map(({ eventName, severityText }) => [eventName, severityText]);
    expect(levels).toEqual([
      ["flujo.run-created", "INFO"],
      ["flujo.step-failed", "WARN"],
      ["flujo.run-failed", "ERROR"],
    ]);
  });
});

describe("figures", () => {
  const text = async (instrument: { text(): Promise<string> }): Promise<readonly Family[]> =>
    parsed(await instrument.text());
  /** The sum of a counter over the series that have these labels. */
  const figure = (families: readonly Family[], name: string, labels: object = {}): number =>
    (families.find((family) => family.name === name)?.metrics ?? [])
      .filter((metric) => Object.entries(labels).every(([key, value]) => metric.labels?.[key] === value))
      .reduce((sum, metric) => sum + Number(metric.value), 0);
  /** The same of one line of a histogram, whose labels the parser does not keep. */
  const sample = (told: string, name: string, label: string): number =>
    told
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);

  test("are what the journal says, in Prometheus' text format", async () => {
    const metrics = await prometheus();
    const model = scriptedModel({ id: "m", replies: ["hello"] });
    const ask = agent("ask", { model: "scripted:m", system: "S" });
    let tries = 0;
    const flaky = step("flaky", () => {
      if (++tries === 1) throw new Error("no");
      return "x";
    }).retry({ attempts: 2, backoff: "1ms" });
    await using flujo = new Flujo(
      pipeline("q3", flaky.to(ask).to(humanInTheLoop("ok", { prompt: () => "?" }))),
      {
        instrument: metrics,
        models: models({ providers: { scripted: () => model }, prices: model.prices }),
      },
    );
    const { spent } = await flujo.run(0, { runId: "counted" });
    await flujo.signal("counted", "/q3/ok", { approved: true });
    await flujo.resume("counted").result();
    const families = await text(metrics);
    const q3 = { flujo_pipeline: "q3" };
    expect(figure(families, "flujo_runs_started_total", q3)).toBe(1);
    expect(figure(families, "flujo_runs_resumed_total", q3)).toBe(1);
    expect(figure(families, "flujo_runs_ended_total", { ...q3, flujo_run_status: "waiting" })).toBe(1);
    expect(figure(families, "flujo_runs_ended_total", { ...q3, flujo_run_status: "completed" })).toBe(1);
    expect(figure(families, "flujo_runs_active", q3)).toBe(0);
    expect(figure(families, "flujo_retries_total", q3)).toBe(1);
    expect(figure(families, "flujo_waits_total", q3)).toBe(1);
    expect(figure(families, "flujo_cost_total", q3)).toBeCloseTo(Number(spent.picoUsd) / 1e12, 12);
    const told = await metrics.text();
    expect(sample(told, "flujo_step_duration_count", 'flujo_step="flaky"')).toBe(2);
    expect(sample(told, "flujo_step_duration_count", 'error_type="step-failed"')).toBe(1);
    expect(sample(told, "gen_ai_client_operation_duration_count", 'gen_ai_request_model="m"')).toBe(1);
    const tokens = (type: string): number =>
      sample(told, "gen_ai_client_token_usage_sum", `gen_ai_token_type="${type}"`);
    expect(tokens("input")).toBe(spent.inputTokens);
    expect(tokens("output")).toBe(spent.outputTokens);
  });

  test("tell how long a submitted run waited for a process, and nothing of one that goes on", async () => {
    const store = memory();
    const asking = pipeline("asking", humanInTheLoop("ok", { prompt: () => "?" }));
    const metrics = await prometheus();
    await using web = new Flujo(asking, { store, takeOver: false });
    await using worker = new Flujo(asking, { store, takeOver: false, instrument: metrics });
    await web.submit("x", { runId: "at-once", queue: "mail" });
    await web.submit("x", { runId: "delayed", delay: "1s" });
    await worker.advance("at-once", { within: "1m" });
    await worker.signal("at-once", "/asking/ok", { approved: true });
    await worker.resume("at-once").result(); // it had begun before
    const told = async (figure: string, queue: string): Promise<number> =>
      sample(await metrics.text(), `flujo_dispatch_duration_${figure}`, `flujo_queue="${queue}"`);
    const begun = async (): Promise<number> => {
      await worker.advance("delayed", { within: "1m" }); // which leaves it until it is due
      return told("count", "default");
    };
    await expect.poll(begun).toBe(1);
    await expect.poll(() => told("count", "mail")).toBe(1);
    const [created, , resumed] = (await store.read("delayed", 0, 3)) ?? [];
    const due = created?.type === "run-created" ? created.dispatch?.notBefore : undefined;
    const waited = (resumed?.at ?? Number.NaN) - (due ?? Number.NaN);
    expect(await told("sum", "default")).toBeCloseTo(waited / 1_000, 9);
  });

  test("count what budgets refuse", async () => {
    const metrics = await prometheus();
    const model = scriptedModel({ id: "m", replies: ["hello"] });
    await using flujo = new Flujo(agent("ask", { model: "scripted:m", system: "S" }), {
      instrument: metrics,
      budget: "$0.000001",
      models: models({ providers: { scripted: () => model }, prices: model.prices }),
    });
    expect((await flujo.run("?")).status).toBe("halted");
    expect(figure(await text(metrics), "flujo_budget_refusals_total")).toBe(1);
  });
});

describe("what people and models wrote", () => {
  const secret = "S3CRET";
  async function everythingTold(captureContent: boolean): Promise<string> {
    const { instrument, spans } = watcher({ captureContent });
    const metrics = await prometheus();
    const model = scriptedModel({
      id: "m",
      replies: ({ options }) =>
        options.prompt.some(({ role }) => role === "tool")
          ? { text: `${secret}-answer ${"long ".repeat(2_000)}`, reasoning: `${secret}-thought` }
          : { toolCalls: [{ name: "look", input: { what: `${secret}-arguments` } }] },
    });
    const look = tool("look", {
      description: "Looks",
      input: z.object({ what: z.string() }),
      execute: () => `${secret}-result`,
    });
    const ask = agent("ask", { model: "scripted:m", system: `${secret}-system`, tools: [look] });
    const fails = step("fails", async (_: unknown, ctx) => {
      await ctx
        .run("part", () => {
          throw new Error(`${secret}-part`);
        })
        .catch(() => {});
      throw new Error(`${secret}-error`);
    });
    const first = step("first", (text: string, ctx) => {
      ctx.set({ kept: `${secret}-state` });
      return `${text} ${secret}-output`;
    });
    const tree = pipeline(
      "q3",
      first
        .to(ask)
        .to(humanInTheLoop("ok", { prompt: () => `${secret}-prompt` }))
        .to(fails.fallback(step("other", () => 1)))
        .to(
          step("last", () => {
            throw new Error(`${secret}-last`);
          }),
        ),
    );
    await using flujo = new Flujo(tree, {
      instrument: [inited, instrument, metrics],
      models: models({ providers: { scripted: () => model }, prices: model.prices }),
    });
    await flujo.run(`${secret}-input`, { runId: `private-${captureContent}` });
    await flujo.signal(`private-${captureContent}`, "/q3/ok", {
      approved: true,
      comment: `${secret}-comment`,
    });
    expect((await flujo.resume(`private-${captureContent}`).result()).status).toBe("failed");
    const sent = (await spans()).map(({ name, attributes, status, events, links }) => ({
      name,
      attributes,
      status,
      events,
      links,
    }));
    await inited.flush();
    const written = records.getFinishedLogRecords().map(({ body, attributes }) => ({ body, attributes }));
    expect(sent.length).toBeGreaterThan(8);
    expect(written.length).toBeGreaterThan(8);
    return JSON.stringify([sent, written, await metrics.text()]);
  }

  test("stays here", async () => {
    expect(await everythingTold(false)).not.toContain(secret);
  });

  test("is told when asked for, in pieces of at most 8,192 characters", async () => {
    const all = await everythingTold(true);
    for (const what of ["input", "output", "answer", "arguments", "result", "error", "part"]) {
      expect(all).toContain(`${secret}-${what}`);
    }
    for (const what of ["state", "system", "prompt"]) expect(all).not.toContain(`${secret}-${what}`);
  });
});

describe("a run is not hurt", () => {
  test("by an instrument that throws, nor the instruments beside it", async () => {
    const fault = (): never => {
      throw new Error("broken instrument");
    };
    const { instrument, spans } = watcher();
    const broken = {
      enter: fault,
      committed: fault,
      leave: fault,
      within: (_: unknown, work: () => never) => work(),
      flush: fault,
    };
    await using flujo = new Flujo(
      step("one", () => 1),
      { instrument: [broken, instrument] },
    );
    expect(await flujo.run(0, { runId: "r" })).toMatchObject({ status: "completed", output: 1 });
    expect(await spans()).toHaveLength(2);
  });

  test("by a collector that never answers: leaving waits for it five seconds at most", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { tracerProvider } = watcher();
    Object.assign(tracerProvider, { forceFlush: () => new Promise(() => {}) });
    const flushed = telemetry({ tracerProvider }).flush?.();
    await vi.advanceTimersByTimeAsync(5_000);
    await flushed;
    vi.useRealTimers();
  });

  test("where no SDK is set up: nothing is told", async () => {
    const none = telemetry({
      tracerProvider: new (await import("@opentelemetry/api")).ProxyTracerProvider(),
    });
    await using flujo = new Flujo(
      step("one", () => 1),
      { instrument: none },
    );
    expect(await flujo.run(0)).toMatchObject({ status: "completed" });
  });
});

test("an SDK that does not take our ids is told of, once", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { TracerProvider } = await import("@opentelemetry/sdk-trace");
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  await using flujo = new Flujo(
    step("one", () => 1),
    { instrument: telemetry({ tracerProvider }) },
  );
  await flujo.run(0);
  await flujo.run(0);
  expect(warned.mock.calls.map(([message]) => message)).toEqual([
    expect.stringContaining("idGenerator: spanIds()"),
  ]);
  warned.mockRestore();
});

test("the run's errors have their code, and no words", async () => {
  const broken = step("broken", () => {
    throw new Error("secret words");
  });
  await using flujo = new Flujo(pipeline("q3", broken), { instrument: inited });
  await flujo.run(0, { runId: "codes" });
  const failed = (await told()).filter(({ status }) => status.code === SpanStatusCode.ERROR);
  expect(failed.map(({ status, attributes }) => [status.message, attributes["error.type"]])).toEqual([
    ["step-failed", "step-failed"],
    ["step-failed", "step-failed"],
  ]);
});
