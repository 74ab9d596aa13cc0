/** Spans are what the journal says: none more, none twice, one trace whatever process did the work. */
import type { EmbeddingModelV4, ImageModelV4 } from "@ai-sdk/provider";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import {
  agent,
  branchOn,
  humanInTheLoop,
  mapOver,
  models,
  parallel,
  pipeline,
  sleep,
  step,
  tool,
} from "flujo";
import { type ScriptedReply, scene, scriptedModel } from "flujo/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Entry } from "../../src/core/entries.ts";
import { drawn, faultsIn, msOf, watcher } from "./stage.ts";

const usd = "$1";

/** An agent that calls a tool before it answers, whatever has been asked before. */
function calculator() {
  const answers = ({
    options,
  }: {
    readonly options: { readonly prompt: readonly { readonly role: string }[] };
  }): ScriptedReply =>
    options.prompt.some(({ role }) => role === "tool")
      ? { text: "three" }
      : { toolCalls: [{ name: "add", input: { a: 1, b: 2 } }] };
  const model = scriptedModel({ replies: answers, id: "m" });
  const add = tool("add", {
    description: "Adds two numbers",
    input: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => a + b,
  });
  const ask = agent("ask", {
    model: "scripted:m",
    system: "Calculate.",
    prompt: () => "1 + 2?",
    tools: [add],
    temperature: 0.3,
    seed: 7,
  });
  return { ask, models: models({ providers: { scripted: () => model }, prices: model.prices }) };
}

function everything(failures = 1) {
  const { ask, models } = calculator();
  let left = failures;
  const flaky = step("flaky", async (n: number, ctx) => {
    await ctx.run("look", () => n);
    if (n === 2 && left-- > 0) throw new Error("not yet");
    return n;
  }).retry({ attempts: 3, backoff: "1s" });
  const route = branchOn("route", (n: number) => (n > 1 ? "big" : "small"), {
    big: step("big", (n: number) => n),
    small: pipeline(
      "inner",
      step("small", (n: number) => n),
    ),
  });
  const tree = pipeline(
    "q3",
    mapOver("each", flaky.to(route))
      .to(parallel("both", { left: step("left", () => "l"), right: ask }))
      .to(sleep("nap", "1m"))
      .to(step("last", () => "done")),
  );
  return { tree, models };
}

const whole = [
  "invoke_workflow q3",
  "  mapOver each /q3/each",
  "    branchOn route /q3/each[0]/route",
  "      pipeline inner /q3/each[0]/route[small]/inner",
  "        step small /q3/each[0]/route[small]/inner/small",
  "    branchOn route /q3/each[1]/route",
  "      step big /q3/each[1]/route[big]/big",
  "    step flaky /q3/each[0]/flaky",
  "      operation look /q3/each[0]/flaky:look#0",
  "    step flaky /q3/each[1]/flaky",
  "    step flaky /q3/each[1]/flaky !step-failed",
  "      operation look /q3/each[1]/flaky:look#0",
  "  parallel both /q3/both",
  "    invoke_agent ask /q3/both[right]/ask",
  "      chat m /q3/both[right]/ask:call#0",
  "      chat m /q3/both[right]/ask:call#1",
  "      execute_tool add /q3/both[right]/ask:tool%3Aadd#0",
  "    step left /q3/both[left]/left",
  "  sleep nap /q3/nap",
  "  step last /q3/last",
];

describe("a run in one process", () => {
  test("is told as the tree it ran", async () => {
    const { tree, models } = everything();
    const { instrument, spans } = watcher();
    await scene().cast(tree, { instrument, models, budget: usd }).run([1, 2], { runId: "r" });
    expect(drawn(await spans())).toEqual(whole);
    expect(faultsIn(await spans())).toEqual([]);
  });

  test("that goes back tells each compensation beside what it undoes", async () => {
    const bad = (): never => {
      throw new Error("no");
    };
    const book = (name: string, undo: () => void) =>
      step(name, (text: string) => text).compensate(pipeline("undo", step(`un${name}`, undo)));
    const { instrument, spans } = watcher();
    const tree = pipeline(
      "q3",
      book("a", () => {})
        .to(book("b", bad))
        .to("end", bad),
    );
    await scene().cast(tree, { instrument }).run("", { runId: "r" });
    expect(drawn(await spans())).toEqual([
      "invoke_workflow q3 !step-failed",
      "  compensation a /q3/a@undo",
      "    pipeline undo /q3/a@undo/undo",
      "      step una /q3/a@undo/undo/una",
      "  compensation b /q3/b@undo !step-failed",
      "    pipeline undo /q3/b@undo/undo !step-failed",
      "      step unb /q3/b@undo/undo/unb !step-failed",
      "  step a /q3/a",
      "  step b /q3/b",
      "  step end /q3/end !step-failed",
    ]);
    expect(faultsIn(await spans())).toEqual([]);
  });

  test("has spans that begin and end when the journal says", async () => {
    const { tree, models } = everything();
    const { instrument, spans } = watcher();
    const { cast, journal } = scene();
    await cast(tree, { instrument, models }).run([1, 2], { runId: "r" });
    const told = await spans();
    const timesOf = (entry: Entry) =>
      told
        .filter(({ attributes }) => "path" in entry && attributes["flujo.path"] === entry.path)
        .map(({ startTime, endTime }) => [msOf(startTime), msOf(endTime)]);
    const timed = (await journal("r")).filter(
      (entry) =>
        entry.type === "step-completed" ||
        entry.type === "step-failed" ||
        entry.type === "container-completed" ||
        (entry.type === "operation-completed" && entry.kind !== "model-call"),
    );
    expect(timed.length).toBeGreaterThan(10);
    for (const entry of timed) {
      const took = "took" in entry ? (entry.took ?? 0) : 0;
      expect(timesOf(entry)).toContainEqual([entry.at - took, entry.at]);
    }
    const [root] = told.filter(({ parentSpanContext }) => parentSpanContext === undefined);
    const entries = await journal("r");
    expect([root?.startTime, root?.endTime].map((time) => time && msOf(time))).toEqual([
      entries[0]?.at,
      entries.at(-1)?.at,
    ]);
  });

  test("has model calls in the words of the GenAI conventions", async () => {
    const { tree, models } = everything();
    const { instrument, spans } = watcher();
    await scene().cast(tree, { instrument, models }).run([1, 2], { runId: "r" });
    const [call] = (await spans()).filter(({ name }) => name === "chat m");
    expect(call?.kind).toBe(SpanKind.CLIENT);
    expect(call?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "scripted",
      "gen_ai.request.model": "m",
      "gen_ai.request.max_tokens": 4_096,
      "gen_ai.request.temperature": 0.3,
      "gen_ai.request.seed": 7,
      "gen_ai.response.finish_reasons": ["tool-calls"],
      "gen_ai.usage.input_tokens": expect.any(Number),
      "gen_ai.usage.output_tokens": expect.any(Number),
      "flujo.run.id": "r",
    });
    const [ask] = (await spans()).filter(({ name }) => name === "invoke_agent ask");
    const calls = (await spans()).filter(({ name }) => name === "chat m");
    const sum = (attribute: string) =>
      calls.reduce((all, { attributes }) => all + Number(attributes[attribute]), 0);
    expect(ask?.attributes).toMatchObject({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "ask",
      "gen_ai.provider.name": "scripted",
      "gen_ai.request.model": "m",
      "gen_ai.usage.input_tokens": sum("gen_ai.usage.input_tokens"),
      "gen_ai.usage.output_tokens": sum("gen_ai.usage.output_tokens"),
      "flujo.cost": expect.closeTo(sum("flujo.cost"), 12),
    });
    const [add] = (await spans()).filter(({ name }) => name === "execute_tool add");
    expect(add?.attributes).toMatchObject({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "add",
      "gen_ai.tool.type": "function",
    });
  });

  test("that buys vectors and images tells them as what they are", async () => {
    const answer = { warnings: [], response: { timestamp: new Date(0), modelId: "m", headers: {} } };
    const vectors: EmbeddingModelV4 = {
      specificationVersion: "v4",
      provider: "scripted",
      modelId: "numbers",
      maxEmbeddingsPerCall: 10,
      supportsParallelCalls: true,
      doEmbed: async ({ values }) => ({ ...answer, embeddings: values.map(() => [1]), usage: { tokens: 2 } }),
    };
    const images: ImageModelV4 = {
      specificationVersion: "v4",
      provider: "scripted",
      modelId: "painter",
      maxImagesPerCall: 1,
      doGenerate: async () => ({ ...answer, images: [new Uint8Array(20_000)] }),
    };
    const tree = pipeline(
      "q3",
      step("buy", async (_: unknown, ctx) => {
        await ctx.embed("index", { model: vectors, values: ["a"] });
        await ctx.generateImage("paint", { model: images, prompt: "a whale" });
      }),
    );
    const prices = { "scripted:numbers": { input: "$1" }, "scripted:painter": { image: "$0.04" } } as const;
    const { instrument, spans } = watcher();
    const ended = await scene()
      .cast(tree, { instrument, models: models({ prices }) })
      .run(0, { runId: "r" });
    expect(ended.status).toBe("completed");
    const [vector, image] = (await spans()).filter(({ kind }) => kind === SpanKind.CLIENT);
    expect(vector?.name).toBe("embeddings numbers");
    expect(vector?.attributes).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.usage.input_tokens": 2,
      "flujo.cost": 0.000002,
    });
    expect(image?.name).toBe("generate_content painter");
    expect(image?.attributes).toMatchObject({ "gen_ai.output.type": "image", "flujo.cost": 0.04 });
    for (const span of [vector, image])
      expect(Object.keys(span?.attributes ?? {})).not.toContain("gen_ai.usage.output_tokens");
  });

  test("that fails says so at the step and at the run, and closes what was open", async () => {
    const broken = step("broken", () => {
      throw new Error("no");
    });
    const slow = step(
      "slow",
      (_: unknown, ctx) => new Promise((_, no) => ctx.signal.addEventListener("abort", no)),
    );
    const { instrument, spans } = watcher();
    const tree = pipeline("q3", parallel("both", { broken: step("ok", () => 1).to(broken), slow }));
    const result = await scene().cast(tree, { instrument }).run(0, { runId: "r" });
    expect(result.status).toBe("failed");
    expect(drawn(await spans())).toEqual([
      "invoke_workflow q3 !step-failed",
      "  parallel both /q3/both",
      "    step broken /q3/both[broken]/broken !step-failed",
      "    step ok /q3/both[broken]/ok",
    ]);
  });

  test("of 5,000 items holds on to nothing that has ended", async () => {
    const { instrument, spans } = watcher();
    const items = Array.from({ length: 5_000 }, (_, i) => i);
    const tree = pipeline(
      "q3",
      mapOver(
        "each",
        step("one", (n: number) => n),
        { concurrency: 50 },
      ),
    );
    await scene().cast(tree, { instrument }).run(items, { runId: "r" });
    const told = await spans();
    expect(told).toHaveLength(5_002);
    expect(new Set(told.map((span) => span.spanContext().spanId)).size).toBe(5_002);
  });
});

describe("a run that goes on in another process", () => {
  test("is one trace: the first process's spans, and the second's below a span linked to the first", async () => {
    const { cast, play } = scene();
    const tree = pipeline(
      "q3",
      step("draft", () => "d")
        .to(humanInTheLoop("approve", { prompt: () => "Good?" }))
        .to(step("send", () => "sent")),
    );
    const first = watcher();
    const second = watcher();
    const one = cast(tree, { instrument: first.instrument });
    expect((await one.run(0, { runId: "r" })).status).toBe("waiting");
    const other = cast(tree, { instrument: second.instrument });
    await play(other.runner.signal("r", "/q3/approve", { approved: true }));
    expect((await other.run(0, { runId: "r" })).status).toBe("completed");
    const spans = [...(await first.spans()), ...(await second.spans())];
    expect(drawn(spans)).toEqual([
      "invoke_workflow q3",
      "  invoke_workflow q3",
      "    step send /q3/send",
      "  step draft /q3/draft",
    ]);
    expect(faultsIn(spans)).toEqual([]);
    const [root, resumed] = spans.filter(({ name }) => name === "invoke_workflow q3");
    expect(resumed?.links.map(({ context }) => context.spanId)).toEqual([root?.spanContext().spanId]);
    expect(root?.attributes["flujo.run.status"]).toBe("waiting");
    expect(resumed?.attributes["flujo.run.status"]).toBe("completed");
    expect(resumed?.attributes["flujo.run.resumed"]).toBe("resumed");
    expect(root?.events.map(({ name }) => name)).toEqual(["flujo.signal-awaited"]);
  });

  test("after the first was killed: what it had open is told by the second, as lost", async () => {
    const { cast, journal, world } = scene();
    let holds = true;
    const hold = step("hold", async (_: unknown, ctx) => {
      await ctx.run("first half", () => 1);
      if (holds) await new Promise(() => {});
      return 2;
    });
    const tree = pipeline("q3", mapOver("each", hold));
    const first = watcher();
    const second = watcher();
    const one = cast(tree, { instrument: first.instrument });
    one.runner.start([0], { runId: "r" });
    await world.run(async () => (await journal("r")).some(({ type }) => type === "step-started"));
    one.process.kill();
    holds = false;
    const result = await cast(tree, { instrument: second.instrument }).run([0], { runId: "r" });
    expect(result.status).toBe("completed");
    const spans = [...(await first.spans()), ...(await second.spans())];
    expect(faultsIn(spans)).toEqual([]);
    expect(drawn(spans)).toEqual([
      "invoke_workflow q3 !process-lost",
      "  invoke_workflow q3",
      "    mapOver each /q3/each",
      "      step hold /q3/each[0]/hold",
      "  mapOver each /q3/each !process-lost",
      "    step hold /q3/each[0]/hold !process-lost",
      "      operation first half /q3/each[0]/hold:first half#0",
    ]);
  });

  test("after the first was killed in a call: that call is told as lost, with all it may have cost", async () => {
    const { cast, journal, world, wait } = scene();
    const first = watcher();
    const second = watcher();
    const model = scriptedModel({
      id: "m",
      replies: [{ text: "late", delayMs: 1_000 }, "again"],
      world: world.process("clock"),
    });
    const engine = { models: models({ providers: { scripted: () => model }, prices: model.prices }) };
    const tree = agent("ask", { model: "scripted:m", system: "S" });
    const one = cast(tree, { ...engine, instrument: first.instrument });
    one.runner.start("?", { runId: "r" });
    await world.run(() => model.calls.length === 1);
    one.process.kill();
    await wait(3_600_000);
    await cast(tree, { ...engine, instrument: second.instrument }).run("?", { runId: "r" });
    const spans = [...(await first.spans()), ...(await second.spans())];
    expect(faultsIn(spans)).toEqual([]);
    expect(drawn(spans)).toEqual([
      "invoke_workflow ask !process-lost",
      "  invoke_agent ask /ask/ask !process-lost",
      "    chat m /ask/ask:call#0 !process-lost",
      "  invoke_workflow ask",
      "    invoke_agent ask /ask/ask",
      "      chat m /ask/ask:call#0",
    ]);
    const cut = spans.find(({ name, status }) => name === "chat m" && status.code === SpanStatusCode.ERROR);
    const held = (await journal("r")).find((entry) => entry.type === "budget-reserved");
    expect(cut?.attributes["flujo.cost.in_doubt"]).toBe(true);
    expect(cut?.attributes["flujo.cost"]).toBe(Number(held?.amount.picoUsd) / 1e12);
    expect(cut && msOf(cut.endTime) - msOf(cut.startTime)).toBeLessThan(1_000);
  });

  test.each(["before", "after"] as const)(
    "killed %s any commit, both tell one tree, and nothing twice",
    async (when) => {
      for (let commit = 1; ; commit++) {
        const { tree, models } = everything();
        const { cast, journal, world } = scene({ seed: commit });
        const [first, second] = [watcher(), watcher()];
        const one = cast(tree, { instrument: first.instrument, models, crash: { commit, when } });
        let isDone = false;
        one.runner.run([1, 2], { runId: "r" }).then(() => {
          isDone = true;
        });
        await world.run(() => isDone || !one.process.isAlive);
        if (isDone) {
          expect(commit).toBeGreaterThan(10);
          return;
        }
        await cast(tree, { instrument: second.instrument, models }).run([1, 2], { runId: "r" });
        const spans = [...(await first.spans()), ...(await second.spans())];
        // What was written when the first was dead already, it could tell nobody.
        const faults = faultsIn(spans).filter(
          (fault) => when === "before" || !/nobody told|0 roots/.test(fault),
        );
        expect(faults, `killed ${when} commit ${commit}`).toEqual([]);
        const done = (await journal("r")).filter(({ type }) => type === "step-completed").length;
        if (when === "before") expect(finishedSteps(spans)).toBe(done);
      }
    },
  );
});

/** Steps that ended well. */
const finishedSteps = (spans: readonly ReadableSpan[]): number =>
  spans.filter(
    ({ attributes, status }) =>
      /^(step|agent)$/.test(String(attributes["flujo.kind"])) &&
      status.code !== SpanStatusCode.ERROR &&
      attributes["flujo.interrupted"] === undefined,
  ).length;
