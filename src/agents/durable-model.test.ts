/** ctx.model, in the hands of the AI SDK itself. */
import { createOpenAI } from "@ai-sdk/openai";
import type {
  LanguageModelV4,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
} from "@ai-sdk/provider";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import type { Step } from "../core/step.ts";
import { Runner } from "../engine/runner.ts";
import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type OpenAIServer, type OpenAIServerOptions, openaiServer } from "../testing/openai-server.ts";
import { scene } from "../testing/scene.ts";
import { type ScriptedCall, scriptedModel } from "../testing/scripted-model.ts";
import { models } from "./models.ts";

let server: OpenAIServer;
let store: Store;
let behaviour: OpenAIServerOptions = {};
const apiKey = "sk-test-0123456789abcdef";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

beforeEach(async () => {
  behaviour = {};
  store = memory();
  server = await openaiServer({
    reply: (request) => behaviour.reply?.(request) ?? "ok",
    fault: (request) => behaviour.fault?.(request),
  });
});
afterEach(() => server.close());

const flavours: [string, () => LanguageModelV4][] = [
  ["responses", () => createOpenAI({ apiKey, baseURL: server.url })("gpt-4o-mini")],
  ["chat", () => createOpenAI({ apiKey, baseURL: server.url }).chat("gpt-4o-mini")],
];

function runnerOf<In, Out>(what: Step<In, Out>): Runner<In, Out> {
  return new Runner(what, { store, world: nodeWorld(), models: models(), takeOver: false });
}
const entries = async (): Promise<readonly Entry[]> => (await store.read("r", 0, 10_000)) ?? [];
const callsIn = (found: readonly Entry[]): string[] =>
  found.flatMap((entry) => (entry.type === "operation-completed" ? [entry.path] : []));

const add = tool({
  description: "Adds",
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
});
const sum: OpenAIServerOptions["reply"] = ({ text, index }) =>
  index === 0 ? { toolCalls: [{ name: "add", input: { a: 2, b: 3 } }] } : `It is ${text.split("\n").at(-1)}.`;

describe.each(flavours)("over %s", (api, provided) => {
  /** Runs a body that gets the durable model, and once more from its record. */
  async function twice<T>(use: (model: LanguageModelV4, ctx: Context) => Promise<T>) {
    const fails = { once: true };
    const body = step(
      "s",
      async (_: string, ctx): Promise<T> => {
        const result = await use(ctx.model(provided()), ctx);
        if (fails.once) {
          fails.once = false;
          throw new Error("after all calls");
        }
        return result;
      },
      { version: "1" },
    );
    const first = await runnerOf(body).run("go", { runId: "r" });
    expect(first).toMatchObject({
      status: "failed",
      error: { message: expect.stringContaining("after all") },
    });
    const asked = server.requests.length;
    const result = await runnerOf(body).resume("r").result();
    expect(server.requests).toHaveLength(asked);
    expect(result.spent.picoUsd).toBe(server.billedPicoUsd);
    if (result.status !== "completed") throw result;
    return result.output;
  }

  test("an imperative agent of a few lines is durable call by call", async () => {
    behaviour = { reply: sum };
    const text = await twice(async (model) => {
      const { text } = await generateText({
        model,
        tools: { add },
        stopWhen: stepCountIs(5),
        prompt: "2 + 3?",
      });
      return text;
    });
    expect(text).toBe("It is 5.");
    expect(server.requests).toMatchObject([
      { api, cap: 4_096 },
      { api, cap: 4_096 },
    ]);
    expect(callsIn(await entries())).toEqual(["/s/s:gpt-4o-mini#0", "/s/s:gpt-4o-mini#1"]);
  });

  test("streamText streams, its pieces are events, and the record streams again", async () => {
    behaviour = { reply: () => "All happy families are alike." };
    const output = await twice(async (model) => {
      const result = streamText({ model, prompt: "Begin.", maxOutputTokens: 100 });
      const pieces: string[] = [];
      for await (const piece of result.textStream) pieces.push(piece);
      const { inputTokens, outputTokens } = await result.usage;
      return { text: pieces.join(""), finish: await result.finishReason, inputTokens, outputTokens };
    });
    expect(output).toEqual({
      text: "All happy families are alike.",
      finish: "stop",
      inputTokens: expect.any(Number),
      outputTokens: 8,
    });
    expect(server.requests).toMatchObject([{ stream: true, cap: 100 }]);
    const streamed = (await entries()).flatMap((one) => (one.type === "text-streamed" ? one.chunks : []));
    expect(streamed).toHaveLength(8);
    const call = (await entries()).find(({ type }) => type === "operation-completed");
    expect(JSON.stringify(call)).not.toContain("happy");
  });

  test("streamText calls tools", async () => {
    behaviour = { reply: sum };
    const text = await twice(async (model) => {
      const result = streamText({ model, tools: { add }, stopWhen: stepCountIs(5), prompt: "2 + 3?" });
      return await result.text;
    });
    expect(text).toBe("It is 5.");
    expect(server.requests).toHaveLength(2);
  });

  test("objects of a schema are asked for and parsed", async () => {
    behaviour = { reply: () => '{"city":"Rome"}' };
    const output = await twice(async (model) => {
      const schema = z.object({ city: z.string() });
      const { output } = await generateText({ model, output: Output.object({ schema }), prompt: "Where?" });
      return output;
    });
    expect(output).toEqual({ city: "Rome" });
    expect(JSON.stringify(server.requests[0]?.body)).toContain("json_schema");
  });
});

/** A scene whose model answers in its own time, told by the prompt. */
function stage(replies: (call: ScriptedCall) => object) {
  const set = scene();
  const clock = set.world.process("provider");
  const model = scriptedModel({ world: clock, replies });
  return { ...set, model, engine: { models: models({ prices: model.prices }) } };
}

test("a broken call is made three times in all, each with its own reservation, and never by the SDK", async () => {
  const { cast, model, engine, journal } = stage(() => ({ error: new Error("the line was cut") }));
  const body = step("s", async (prompt: string, ctx) => {
    return (await generateText({ model: ctx.model(model), prompt, maxRetries: 5 })).text;
  });
  expect(await cast(body, engine).run("?", { runId: "r" })).toMatchObject({
    status: "failed",
    error: { code: "model-call-failed" },
  });
  expect(model.calls).toHaveLength(3);
  expect((await journal("r")).filter(({ type }) => type === "budget-reserved")).toHaveLength(3);
});

test("all kinds of content come back from the record as they came from the model", async () => {
  const content: LanguageModelV4Content[] = [
    { type: "reasoning", text: "so", providerMetadata: { openai: { itemId: "rs_1", sign: "x" } } },
    { type: "text", text: "see", citations: [] },
    { type: "source", sourceType: "url", id: "1", url: "https://a.example/" },
    { type: "file", mediaType: "image/png", data: { type: "data", data: new Uint8Array([1, 2]) } },
    { type: "file", mediaType: "image/png", data: { type: "url", url: new URL("https://b.example/") } },
    { type: "tool-call", toolCallId: "c", toolName: "t", input: '{"itemId":1}' },
  ];
  const [thought, ...rest] = content;
  const expected = [{ ...thought, providerMetadata: { openai: { sign: "x" } } }, ...rest];
  const { cast, model, engine } = stage(() => ({ text: "" }));
  const rich: LanguageModelV4 = {
    ...model,
    doGenerate: async (options) => ({
      ...(await model.doGenerate(options)),
      content,
      response: { id: "resp", timestamp: new Date(0), modelId: "m", headers: { secret: "s" }, body: "b" },
      request: { body: "b" },
      warnings: [{ type: "other", message: "mind" }],
    }),
  };
  const seen: LanguageModelV4GenerateResult[] = [];
  const body = step("s", async (prompt: string, ctx) => {
    const durable = ctx.model(rich);
    seen.push(await durable.doGenerate({ prompt: [{ role: "system", content: prompt }] }));
    if (seen.length === 1) throw new Error("once more");
  });
  await cast(body, engine).run("?", { runId: "r" });
  expect(await cast(body, engine).run("?", { runId: "r" })).toMatchObject({ status: "completed" });
  expect(model.calls).toHaveLength(1);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]).toMatchObject({
    content: expected,
    finishReason: { unified: "stop" },
    response: { id: "resp", timestamp: new Date(0), modelId: "m" },
    warnings: [{ type: "other", message: "mind" }],
  });
  expect(seen[0]).not.toHaveProperty("request");
  expect(seen[0]?.response).not.toHaveProperty("body");
  expect(seen[0]?.response).not.toHaveProperty("headers");
});

describe("under a budget", () => {
  const twoCalls = (model: LanguageModelV4, swallow: boolean) =>
    step("s", async (prompt: string, ctx) => {
      const durable = ctx.model(model, { name: "ask" });
      const first = await generateText({ model: durable, prompt, maxOutputTokens: 30 });
      const second = generateText({ model: durable, prompt: "more", maxOutputTokens: 30_000 });
      const text = swallow
        ? await second.then(
            ({ text }) => text,
            () => "swallowed",
          )
        : (await second).text;
      return `${first.text}, ${text}`;
    });

  test.each([false, true])("a refusal halts the run, whoever catches it (swallowed: %s)", async (swallow) => {
    const { cast, model, engine, journal } = stage(({ prompt }) => ({
      text: `to ${prompt}`,
      finish: "stop",
    }));
    const body = twoCalls(model, swallow);
    const halted = await cast(body, engine).run("one", { runId: "r", budget: { calls: 1 } });
    expect(halted).toMatchObject({ status: "halted", error: { code: "budget-exceeded" } });
    expect((await journal("r")).some(({ type }) => type === "step-failed" || type === "step-completed")).toBe(
      false,
    );
    const result = await cast(body, engine).run("one", { runId: "r", budget: { calls: 2 } });
    expect(result).toMatchObject({ status: "completed", output: "to one, to more" });
    expect(model.calls).toHaveLength(2);
  });

  test("a refusal halts the run also from within a stream", async () => {
    const { cast, model, engine, journal } = stage(({ prompt }) => ({ text: `to ${prompt}` }));
    const body = step("s", async (prompt: string, ctx) => {
      const result = streamText({ model: ctx.model(model), prompt, onError: () => {} });
      return result.text.then(
        (text) => text,
        () => "nothing",
      );
    });
    const halted = await cast(body, engine).run("one", { runId: "r", budget: "$0.0000001" });
    expect(halted.status).toBe("halted");
    expect((await journal("r")).some(({ type }) => type === "step-failed" || type === "step-completed")).toBe(
      false,
    );
    expect(model.calls).toHaveLength(0);
  });

  const long = "a text of many more tokens than the budget pays for at first, ".repeat(4);

  test("the cap is shrunk to what can be paid; an answer cut by that is asked for whole, or the run halts", async () => {
    const { cast, model, engine } = stage(() => ({
      text: long,
    }));
    const body = step("s", async (prompt: string, ctx) => {
      return (await generateText({ model: ctx.model(model), prompt, maxOutputTokens: 100 })).text;
    });
    const halted = await cast(body, engine).run("one", { runId: "r", budget: { tokens: 120 } });
    expect(halted.status).toBe("halted");
    expect(model.calls[0]?.options.maxOutputTokens).toBeLessThan(100);
    const result = await cast(body, engine).run("one", { runId: "r", budget: { tokens: 1_000 } });
    expect(result).toMatchObject({ output: long });
    expect(model.calls.map(({ options }) => options.maxOutputTokens).at(-1)).toBe(100);
  });
});

describe("killed at any commit", () => {
  const reply = ({ options, prompt }: ScriptedCall) =>
    prompt !== "2 + 3?"
      ? { text: `to ${prompt}`, delayMs: 50, pieceMs: 30 }
      : options.prompt.some(({ role }) => role === "tool")
        ? { text: "It is five.", delayMs: 50, pieceMs: 30 }
        : { toolCalls: [{ name: "add", input: { a: 2, b: 3 } }], delayMs: 50 };

  test.each(["before", "after"] as const)(
    "(%s it is written), no recorded call is bought again",
    async (when) => {
      for (let commit = 1; ; commit++) {
        const { cast, model, engine, journal, world } = stage(reply);
        const body = step("s", async (prompt: string, ctx) => {
          const durable = ctx.model(model);
          const { text } = await generateText({
            model: durable,
            tools: { add },
            stopWhen: stepCountIs(5),
            prompt,
          });
          const told = await streamText({ model: durable, prompt: `tell: ${text}` }).text;
          return `${told}; ${(await generateText({ model: durable, prompt: "end" })).text}`;
        });
        const first = cast(body, { ...engine, crash: { commit, when } });
        let over = false;
        const end = (): void => {
          over = true;
        };
        first.runner.start("2 + 3?", { runId: "r" }).result().then(end, end);
        await world.run(() => over || !first.process.isAlive);
        const known = callsIn(await journal("r")).length;
        const asked = model.calls.length;
        const result = await cast(body, engine).run("2 + 3?", { runId: "r" });
        expect(result).toMatchObject({ status: "completed", output: "to tell: It is five.; to end" });
        expect(model.calls.length - asked).toBe(4 - known);
        expect(result.spent.picoUsd).toBeGreaterThanOrEqual(model.billedPicoUsd);
        if (over) break;
      }
    },
  );
});

test("calls side by side are told apart by the order they are made in, not the one they come back in", async () => {
  const { cast, model, engine, journal, world } = stage(({ prompt }) => ({
    text: `to ${prompt}`,
    delayMs: prompt === "slow" ? 9_000 : 10,
  }));
  const body = step("s", async (_: string, ctx) => {
    const durable = ctx.model(model);
    const both = ["slow", "quick"].map((prompt) => generateText({ model: durable, prompt }));
    return (await Promise.all(both)).map(({ text }) => text);
  });
  const first = cast(body, engine);
  void first.runner.start("go", { runId: "r" }).result();
  await world.run(async () => callsIn(await journal("r")).length === 1);
  first.process.kill();
  expect(callsIn(await journal("r"))).toEqual(["/s/s:model#1"]);
  expect(await cast(body, engine).run("go", { runId: "r" })).toMatchObject({
    output: ["to slow", "to quick"],
  });
  expect(model.calls.map(({ prompt }) => prompt)).toEqual(["slow", "quick", "slow"]);
});

test("a stream that breaks after its first piece fails the call: what was told is not taken back", async () => {
  let calls = 0;
  const { cast, model, engine } = stage(() => ({
    text: "a text in several pieces",
    ...(calls++ < 2 ? { error: new Error("the line was cut"), cutAfter: calls === 1 ? 0 : 3 } : {}),
  }));
  const seen: string[] = [];
  const body = step("s", async (prompt: string, ctx) => {
    seen.length = 0;
    const { stream } = await ctx.model(model).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: prompt }] }],
    });
    for await (const part of stream) if (part.type === "text-delta") seen.push(part.delta);
    return seen.join("");
  });
  const failed = await cast(body, engine).run("one", { runId: "r" });
  expect(failed).toMatchObject({ status: "failed", error: { code: "model-call-failed" } });
  expect(seen).toEqual(["a te", "xt i", "n se"]);
  expect(calls).toBe(2);
  const result = await cast(body, engine).run("one", { runId: "r" });
  expect(result).toMatchObject({ output: "a text in several pieces" });
});

test("an abort by the caller ends the call; its cost stays in doubt", async () => {
  const { cast, model, engine, journal } = stage(() => ({ text: "late", delayMs: 60_000 }));
  const body = step("s", async (prompt: string, ctx) => {
    const stop = new AbortController();
    void ctx.sleep("patience", "1s").then(() => stop.abort());
    return generateText({ model: ctx.model(model), prompt, abortSignal: stop.signal }).then(
      () => "answered",
      (error: Error) => error.name,
    );
  });
  expect(await cast(body, engine).run("one", { runId: "r" })).toMatchObject({ output: "AbortError" });
  expect((await journal("r")).filter((entry) => "doubt" in entry)).toHaveLength(1);
});

describe("what no budget can bound is refused before anything is sent", () => {
  const refusals: [string, (model: LanguageModelV4) => Parameters<typeof generateText>[0], RegExp][] = [
    [
      "an image",
      (model) => ({
        model,
        messages: [
          { role: "user", content: [{ type: "file", mediaType: "image/png", data: new Uint8Array([1, 2]) }] },
        ],
      }),
      /sends an image or a file/,
    ],
    [
      "a stored conversation",
      (model) => ({ model, prompt: "p", providerOptions: { openai: { previousResponseId: "resp_1" } } }),
      /previousResponseId/,
    ],
    [
      "a provider's own tool",
      (model) => ({ model, prompt: "p", tools: { web: createOpenAI({ apiKey }).tools.webSearch() } }),
      /provider's own tool/,
    ],
  ];
  test.each(refusals)("%s", async (_, request, message) => {
    const { cast, model, engine } = stage(() => ({ text: "no" }));
    const body = step("s", async (_: string, ctx) => (await generateText(request(ctx.model(model)))).text);
    const result = await cast(body, engine).run("one", { runId: "r" });
    expect(result).toMatchObject({ status: "failed", error: { message: expect.stringMatching(message) } });
    expect(model.calls).toHaveLength(0);
  });
});

test("an unknown model fails the first call, and says what is known", async () => {
  const body = step("s", async (prompt: string, ctx) => {
    const model = ctx.model("opnai:gpt-4o");
    return (await generateText({ model, prompt })).text;
  });
  expect(await runnerOf(body).run("?", { runId: "r" })).toMatchObject({
    status: "failed",
    error: { code: "unknown-model", message: expect.stringContaining('no provider "opnai"') },
  });
});
