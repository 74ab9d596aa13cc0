import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { InvalidOutputError, StepFailedError } from "../core/errors.ts";
import { versionOf } from "../core/fingerprint.ts";
import type { WorkNode } from "../core/node.ts";
import type { Step } from "../core/step.ts";
import { type ScriptedOptions, scriptedModel } from "../testing/scripted-model.ts";
import { type TestContext, type TestContextOptions, testContext } from "../testing/test-context.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { models } from "./models.ts";
import { tool } from "./tool.ts";

const workOf = (step: { node: unknown }): WorkNode => step.node as WorkNode; // an agent's node is its own

/** Runs an agent's body against a test context. */
async function run(step: { node: unknown }, input: unknown, context: TestContext<unknown>): Promise<unknown> {
  return workOf(step).work(input as never, context);
}

function scripted(replies: ScriptedOptions["replies"], context: TestContextOptions<unknown> = {}) {
  const model = scriptedModel({ replies });
  const open = (more: TestContextOptions<unknown> = {}) =>
    testContext({ models: models({ prices: model.prices }), ...context, ...more });
  return { model, open, context: open() };
}

const Report = z.object({ title: z.string(), ready: z.boolean() });

describe("a text agent", () => {
  test("sends its system prompt and the input, and returns the text", async () => {
    const { model, context } = scripted(["Hello!"]);
    const greet = agent("greet", { model, system: "Greet." });
    expect(await run(greet, "Ada", context)).toBe("Hello!");
    expect(model.calls[0]?.options.prompt).toEqual([
      { role: "system", content: "Greet." },
      { role: "user", content: [{ type: "text", text: "Ada" }] },
    ]);
    expectTypeOf(greet).toEqualTypeOf<Step<string, string, unknown>>();
  });

  test("sends an input that is no text as JSON, or what its prompt makes of it and of the state", async () => {
    const { model, context } = scripted(["ok"], { state: { tone: "dry" } });
    await run(agent("plain", { model, system: "" }), { n: 1n, at: new Date(0), set: new Set([1]) }, context);
    expect(model.calls[0]?.prompt).toBe('{"n":"1","at":"1970-01-01T00:00:00.000Z","set":[1]}');
    const made = agent("made", {
      model,
      system: (n: number, { state }: { state: { tone: string } }) => `${state.tone} ${n}`,
      prompt: (n: number) => `n=${n}`,
    });
    await run(made, 7, context);
    expect(model.calls[1]?.options.prompt[0]).toEqual({ role: "system", content: "dry 7" });
    expect(model.calls[1]?.prompt).toBe("n=7");
    expectTypeOf(made).toEqualTypeOf<Step<number, string, { tone: string }>>();
  });

  test("quotes a bound on its input, its cap and the worst rates, and receives what the call truly cost", async () => {
    const { model, context } = scripted(["four char"]);
    await run(agent("a", { model, system: "S", maxOutputTokens: 100, minOutputTokens: 20 }), "P", context);
    expect(context.quotes).toEqual([
      {
        model: "scripted:model",
        inputTokens: expect.any(Number),
        outputTokens: { wanted: 100, least: 20 },
        asked: expect.stringMatching(/^([\da-f]{8}\.){3}[\da-f]{8}$/),
        sampling: {},
        rates: { input: 1_000_000n, output: 2_000_000n, source: "declared", date: undefined },
      },
    ]);
    expect(context.receipts[0]?.picoUsd).toBe(model.billedPicoUsd);
    expect(context.receipts[0]?.inputTokens).toBeLessThanOrEqual(context.quotes[0]?.inputTokens ?? 0);
  });

  test("writes the granted cap, the key and the signal into the request", async () => {
    const { model, open } = scripted(["ok"]);
    const context = open({ grant: () => 33 });
    await run(
      agent("a", { model, system: "S", temperature: 0.5, seed: 3, stopSequences: ["x"] }),
      "P",
      context,
    );
    expect(model.calls[0]?.options).toMatchObject({
      maxOutputTokens: 33,
      headers: { "idempotency-key": "/test/body:call#0" },
      abortSignal: context.signal,
      temperature: 0.5,
      seed: 3,
      stopSequences: ["x"],
    });
  });

  test("does not call again what is recorded", async () => {
    const { model, context, open } = scripted(["once"]);
    const a = agent("a", { model, system: "S" });
    await run(a, "P", context);
    expect(await run(a, "P", open({ recorded: context.recorded }))).toBe("once");
    expect(model.calls).toHaveLength(1);
    expect([...context.recorded.keys()]).toEqual(["/test/body:call#0"]);
  });

  test("an answer cut short by a shrunken cap is asked for again with the whole cap, or not at all", async () => {
    const { model, open } = scripted(["x".repeat(400)]);
    const caps = [10, 100];
    const context = open({ grant: () => caps.shift() ?? 0 });
    expect(await run(agent("a", { model, system: "S", maxOutputTokens: 100 }), "P", context)).toHaveLength(
      400,
    );
    expect(context.quotes.map((quote) => quote.outputTokens)).toEqual([
      { wanted: 100, least: 16 },
      { wanted: 100, least: 100 },
    ]);
  });

  test("an answer cut at the author's own cap is the answer; an empty one is an error that says why", async () => {
    const { model, context } = scripted([{ text: "cut", finish: "length" }, { finish: "length" }]);
    const a = agent("a", { model, system: "S", maxOutputTokens: 50 });
    expect(await run(a, "P", context)).toBe("cut");
    await expect(run(a, "P", context)).rejects.toThrow("it was cut off at 50 output tokens");
  });

  test("a content filter's refusal is an error", async () => {
    const { model, context } = scripted([{ text: "", finish: "content-filter" }]);
    await expect(run(agent("a", { model, system: "S" }), "P", context)).rejects.toThrow(StepFailedError);
  });

  test("thoughts and signatures go back to the provider, ids of stored items do not", async () => {
    const { model, context } = scripted(["x"]);
    const doGenerate: typeof model.doGenerate = async (options) => {
      const result = await model.doGenerate(options);
      const signed = { test: { signature: "s", itemId: "i" }, openai: { itemId: "i" } };
      const text = model.calls.length === 1 ? "not json" : '{"title":"T","ready":true}';
      return { ...result, content: [{ type: "text", text, providerMetadata: signed }] };
    };
    await run(agent("a", { model: { ...model, doGenerate }, system: "S", output: Report }), "P", context);
    expect(model.calls[1]?.options.prompt[2]).toEqual({
      role: "assistant",
      content: [{ type: "text", text: "not json", providerOptions: { test: { signature: "s" } } }],
    });
  });
});

describe("the prompts of an agent", () => {
  test("are templates over input and state, or functions", async () => {
    const { model, context } = scripted(["ok"], { state: { audience: "children" } });
    const input = z.object({ title: z.string(), year: z.number().optional() });
    const tell = agent("tell", {
      model,
      input,
      system: "Tell it to {{state.audience}}.",
      prompt: "{{input.title}}{{input.year?}}",
    });
    await run(tell, { title: "{{state.audience}}" }, context);
    expect(model.calls[0]?.options.prompt).toEqual([
      { role: "system", content: "Tell it to children." },
      { role: "user", content: [{ type: "text", text: "{{state.audience}}" }] },
    ]);
    expectTypeOf(tell).toEqualTypeOf<Step<{ title: string; year?: number | undefined }, string, unknown>>();
    const mixed = agent("mixed", { model, input, system: (one) => one.title, prompt: ({ title }) => title });
    expectTypeOf(mixed).toEqualTypeOf(tell);
  });

  test("that name a field the input cannot have are refused where they are written, others when it is missing", async () => {
    const { model, context } = scripted(["ok"]);
    const input = z.object({ title: z.string() });
    expect(() => agent("a", { model, input, system: "{{input.titel}}" })).toThrow(
      'the system prompt of agent "a" has {{input.titel}}, and its input has no "titel" (it has title)',
    );
    const loose = agent<{ title: string }>("a", { model, system: "S", prompt: "{{input.titel}}" });
    await expect(run(loose, { title: "T" }, context)).rejects.toMatchObject({
      code: "invalid-input",
      retryable: false,
      message:
        'the prompt of agent "a" has {{input.titel}}, and at /test/body input has no "titel" (it has title)',
    });
    expect(model.calls).toEqual([]);
  });

  test("may be preceded by examples, asked and answered as the real thing is", async () => {
    const { model, context } = scripted(['{"value":["b"]}']);
    const letters = agent("letters", {
      model,
      system: "S",
      prompt: (text: string) => `Letters of ${text}`,
      examples: [{ input: "ace", output: ["a", "c", "e"] }],
      output: z.array(z.string()),
    });
    expect(await run(letters, "b", context)).toEqual(["b"]);
    expect(model.calls[0]?.options.prompt.slice(1)).toEqual([
      { role: "user", content: [{ type: "text", text: "Letters of ace" }] },
      { role: "assistant", content: [{ type: "text", text: '{"value":["a","c","e"]}' }] },
      { role: "user", content: [{ type: "text", text: "Letters of b" }] },
    ]);
    expect(context.quotes[0]?.inputTokens).toBeGreaterThan(context.receipts[0]?.inputTokens ?? 0);
  });

  test("go with how much the model is to think, where its thoughts stay within the cap", async () => {
    const { model, context } = scripted(["ok"]);
    await run(agent("a", { model, system: "S", reasoning: "low" }), "P", context);
    expect(model.calls[0]?.options.reasoning).toBe("low");
    expect(() => agent("a", { model: "anthropic:claude-sonnet-4-5", system: "S", reasoning: "low" })).toThrow(
      "would think beyond the output cap",
    );
    const older = { ...model, specificationVersion: "v3" } as never; // in all else the same
    expect(() => agent("a", { model: older, system: "S", reasoning: "low" })).toThrow("of an older AI SDK");
  });
});

describe("an agent with an output schema", () => {
  test("asks for JSON of the schema and returns the checked value", async () => {
    const { model, context } = scripted(['{"title":"T","ready":true}']);
    const report = agent("report", {
      model,
      system: "S",
      prompt: (lines: string[]) => lines.join(),
      output: Report,
    });
    expect(await run(report, ["a"], context)).toEqual({ title: "T", ready: true });
    expect(model.calls[0]?.options.responseFormat).toMatchObject({
      type: "json",
      name: "answer",
      schema: { type: "object", required: ["title", "ready"], additionalProperties: false },
    });
    expectTypeOf(report).toEqualTypeOf<Step<string[], { title: string; ready: boolean }, unknown>>();
  });

  test.each([
    ["a code fence", 'Here:\n```json\n{"title":"T","ready":true}\n```\nDone.'],
    ["prose around one object", 'Sure! {"title":"T","ready":true} Hope it helps.'],
  ])("reads through %s", async (_, text) => {
    const { model, context } = scripted([text]);
    expect(await run(agent("r", { model, system: "S", output: Report }), "P", context)).toEqual({
      title: "T",
      ready: true,
    });
  });

  test("does not guess between two objects", async () => {
    const { model, context } = scripted(['{"title":"A","ready":true} or {"title":"B","ready":true}']);
    const r = agent("r", { model, system: "S", output: Report, repairs: 0 });
    await expect(run(r, "P", context)).rejects.toThrow("it is not JSON");
  });

  test("has a misfit repaired in a further turn that names what is wrong", async () => {
    const { model, context } = scripted(['{"title":1,"ready":true}', '{"title":"T","ready":true}']);
    expect(await run(agent("r", { model, system: "S", output: Report }), "P", context)).toEqual({
      title: "T",
      ready: true,
    });
    expect(model.calls[1]?.options.prompt.map((message) => message.role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
    ]);
    expect(model.calls[1]?.prompt).toContain("- title: ");
    expect([...context.recorded.keys()]).toEqual(["/test/body:call#0", "/test/body:call#1"]);
  });

  test("gives up after its repairs, naming path and issues; a new attempt may fare better", async () => {
    const { model, context } = scripted(['{"title":1,"ready":true}']);
    const failure = run(agent("r", { model, system: "S", output: Report, repairs: 1 }), "P", context);
    await expect(failure).rejects.toThrow(InvalidOutputError);
    await expect(failure).rejects.toThrow(
      /output of \/test\/body does not fit its schema: title: .*\(after 1 repair\)/,
    );
    await expect(failure).rejects.toMatchObject({ retryable: true, path: "/test/body" });
    expect(model.calls).toHaveLength(2);
  });

  test("a truncated document says that it was cut off, to the model and to the author", async () => {
    const { model, context } = scripted(['{"title":"a title that is far too long"']);
    const r = agent("r", { model, system: "S", output: Report, repairs: 1, maxOutputTokens: 3 });
    await expect(run(r, "P", context)).rejects.toMatchObject({
      message: expect.stringContaining("cut off at 3 output tokens"),
      hint: "Raise maxOutputTokens.",
    });
    expect(model.calls[1]?.prompt).toContain("cut off at 3 output tokens");
  });

  test("asks for a value that is no object inside one, and unwraps it", async () => {
    const { model, context } = scripted(['{"value":["a","b"]}']);
    const list = agent("list", { model, system: "S", output: z.array(z.string()) });
    expect(await run(list, "P", context)).toEqual(["a", "b"]);
    expect(model.calls[0]?.options.responseFormat).toMatchObject({
      schema: { type: "object", required: ["value"] },
    });
  });

  test("applies a schema's transformation once", async () => {
    const { model, context } = scripted(['{"n":"4"}']);
    const output = z.object({ n: z.string().transform((text) => Number(text) * 2) });
    expect(await run(agent("r", { model, system: "S", output }), "P", context)).toEqual({ n: 8 });
    expect(workOf(agent("r", { model, system: "S", output })).output).toBeUndefined();
  });

  test("a library without JSON Schema is asked for in words", async () => {
    const { model, context } = scripted(['{"n":4}']);
    const output = v.object({ n: v.number() });
    expect(await run(agent("r", { model, system: "S", output }), "P", context)).toEqual({ n: 4 });
    expect(model.calls[0]?.options.responseFormat).toEqual({ type: "json" });
    expect(model.calls[0]?.options.prompt[0]?.content).toContain("Answer with one JSON value");
  });
});

describe("tools", () => {
  const weather = (log: string[] = []) =>
    tool("weather", {
      description: "The weather of a city",
      input: z.object({ city: z.string() }),
      execute: async ({ city }, ctx) => {
        log.push(`${city} ${ctx.idempotencyKey}`);
        if (city === "Atlantis") throw new Error("no such city");
        return { city, sun: true };
      },
    });
  const asks = (...cities: unknown[]) => ({
    toolCalls: cities.map((city) => ({ name: "weather", input: { city } })),
  });

  test("are run as operations of their own, in parallel, and their results go back to the model", async () => {
    const log: string[] = [];
    const { model, context } = scripted([asks("Rome", "Oslo"), "Sunny."]);
    const a = agent("a", { model, system: "S", tools: [weather(log)] });
    expect(await run(a, "P", context)).toBe("Sunny.");
    expect([...context.recorded.keys()]).toEqual(
      [
        "/test/body:call#0",
        "/test/body:tool:weather#0",
        "/test/body:tool:weather#1",
        "/test/body:call#1",
      ].map((path) => path.replace("tool:", "tool%3A")),
    );
    expect(log).toEqual(["Rome /test/body:tool%3Aweather#0", "Oslo /test/body:tool%3Aweather#1"]);
    expect(model.calls[1]?.options.prompt.at(-1)).toMatchObject({
      role: "tool",
      content: [
        { toolName: "weather", output: { type: "text", value: '{"city":"Rome","sun":true}' } },
        { toolName: "weather", output: { type: "text", value: '{"city":"Oslo","sun":true}' } },
      ],
    });
  });

  test("are not run again once recorded", async () => {
    const log: string[] = [];
    const { model, context, open } = scripted([asks("Rome"), "Sunny."]);
    const a = agent("a", { model, system: "S", tools: [weather(log)] });
    await run(a, "P", context);
    await run(a, "P", open({ recorded: context.recorded }));
    expect(log).toHaveLength(1);
    expect(model.calls).toHaveLength(2);
  });

  test("wrong arguments, unknown names and thrown errors become results the model can react to", async () => {
    const calls = {
      toolCalls: [
        { name: "weather", input: { city: 1 } },
        { name: "weather", input: "{" },
        { name: "wether", input: {} },
        { name: "weather", input: { city: "Atlantis" } },
      ],
    };
    const { model, context } = scripted([calls, "done"]);
    expect(await run(agent("a", { model, system: "S", tools: [weather()] }), "P", context)).toBe("done");
    const last = model.calls[1]?.options.prompt.at(-1);
    expect(last?.content).toMatchObject([
      { output: { type: "error-text", value: expect.stringContaining("do not fit: city") } },
      { output: { type: "error-text", value: expect.stringContaining("not JSON") } },
      { output: { type: "error-text", value: 'There is no tool "wether". The tools are: weather.' } },
      { output: { type: "error-text", value: 'The tool "weather" failed: no such city' } },
    ]);
  });

  test("do not go on forever", async () => {
    const { model, context } = scripted([asks("Rome")]);
    const a = agent("a", { model, system: "S", tools: [weather()], maxTurns: 3 });
    await expect(run(a, "P", context)).rejects.toThrow("called tools for 3 turns without an answer");
    expect(model.calls).toHaveLength(3);
  });
});

describe("an agent that goes round in circles", () => {
  const look = (log: string[], mayRepeat = false) =>
    tool("look", {
      description: "Looks",
      input: z.object({ at: z.string(), deep: z.boolean().optional() }),
      execute: ({ at }) => log.push(at),
      mayRepeat,
    });
  const looks = (...inputs: unknown[]) => ({ toolCalls: inputs.map((input) => ({ name: "look", input })) });
  const lastResults = (prompt: readonly { role: string; content: unknown }[]) => prompt.at(-1)?.content;

  test("is told once, and stopped when it goes on: the same arguments in any order of fields", async () => {
    const log: string[] = [];
    const same = ['{"at":"x","deep":true}', '{ "deep": true, "at": "x" }'];
    const { model, context } = scripted([
      looks(same[0], same[1]),
      looks(same[0]),
      looks(same[1], { at: "y" }),
      looks(same[0]),
    ]);
    const a = agent("a", { model, system: "S", tools: [look(log)] });
    await expect(run(a, "P", context)).rejects.toMatchObject({
      code: "tool-loop",
      path: "/test/body",
      message: expect.stringContaining("called look with the same arguments more than 3 times"),
      retryable: true,
    });
    expect(log).toEqual(["x", "x", "x", "y"]);
    expect(lastResults(model.calls[3]?.options.prompt ?? [])).toMatchObject([
      {
        output: {
          type: "error-text",
          value: expect.stringContaining('called "look" with these arguments 3 times'),
        },
      },
      { output: { type: "text", value: "4" } },
    ]);
  });

  test("that heeds the telling goes on", async () => {
    const { model, context } = scripted([looks({ at: "x" }), looks({ at: "x" }), "done"]);
    expect(await run(agent("a", { model, system: "S", tools: [look([])], sameCalls: 1 }), "P", context)).toBe(
      "done",
    );
  });

  test('answers with what it has with onLoop: "answer", without tools', async () => {
    const calls = looks({ at: "x" });
    const { model, context } = scripted([calls, calls, calls, "all I have"]);
    const a = agent("a", { model, system: "S", tools: [look([])], sameCalls: 1, onLoop: "answer" });
    expect(await run(a, "P", context)).toBe("all I have");
    expect(model.calls.map(({ options }) => options.toolChoice?.type)).toEqual([
      "auto",
      "auto",
      "auto",
      "none",
    ]);
  });

  test("is none when its tool may repeat", async () => {
    const log: string[] = [];
    const { model, context } = scripted([...Array.from({ length: 5 }, () => looks({ at: "x" })), "done"]);
    const a = agent("a", { model, system: "S", tools: [look(log, true)] });
    expect(await run(a, "P", context)).toBe("done");
    expect(log).toHaveLength(5);
  });
});

describe("the version of an agent", () => {
  const base = { model: "openai:gpt-4o-mini", system: "S" } as const;
  const fingerprint = (options: AgentOptions<string>) => versionOf(agent("a", options).node).fingerprint;
  const look = (description: string) => tool("look", { description, input: z.object({}), execute: () => 1 });

  test.each([
    ["model", { ...base, model: "openai:gpt-4o" }],
    ["system prompt", { ...base, system: "T" }],
    ["prompt", { ...base, prompt: (text: string) => `${text}!` }],
    ["template of the prompt", { ...base, prompt: "{{input}}" }],
    ["examples", { ...base, examples: [{ input: "a", output: "b" }] }],
    ["reasoning", { ...base, reasoning: "low" as const }],
    ["sampling", { ...base, temperature: 1 }],
    ["output cap", { ...base, maxOutputTokens: 5 }],
    ["tools", { ...base, tools: [look("Looks")] }],
    ["provider options", { ...base, providerOptions: { openai: { user: "u" } } }],
  ])("changes with its %s", (_, changed) => {
    expect(fingerprint(changed)).not.toBe(fingerprint(base));
  });

  test("changes with its output schema and with what a tool says of itself", () => {
    const withOutput = (output: z.ZodType) => versionOf(agent("a", { ...base, output }).node).fingerprint;
    expect(withOutput(z.object({ a: z.string() }))).not.toBe(withOutput(z.object({ b: z.string() })));
    expect(fingerprint({ ...base, tools: [look("A")] })).not.toBe(
      fingerprint({ ...base, tools: [look("B")] }),
    );
  });

  test("does not change with how often it may try", () => {
    expect(fingerprint({ ...base, repairs: 5, maxTurns: 2 })).toBe(fingerprint(base));
  });

  test("names its model for validation, and hands over a model object", () => {
    expect(workOf(agent("a", base))).toMatchObject({ models: ["openai:gpt-4o-mini"] });
    expect(workOf(agent("a", base)).modelObjects).toEqual({});
    const model = scriptedModel({ replies: [] });
    expect(workOf(agent("a", { ...base, model }))).toMatchObject({
      models: ["scripted:model"],
      modelObjects: { "scripted:model": model },
    });
  });
});

describe("options out of bounds are refused where they are written", () => {
  const base = { model: "openai:gpt-4o-mini", system: "S" } as const;
  test.each([
    ["maxOutputTokens", { ...base, maxOutputTokens: 0 }, 'maxOutputTokens of agent "a" is 0'],
    ["repairs", { ...base, repairs: -1 }, 'repairs of agent "a" is -1'],
    ["maxTurns", { ...base, maxTurns: 1.5 }, 'maxTurns of agent "a" is 1.5'],
    [
      "a provider's own cap",
      { ...base, providerOptions: { openai: { maxCompletionTokens: 9 } } },
      "would replace the budget's cap",
    ],
    [
      "a stored conversation",
      { ...base, providerOptions: { openai: { previousResponseId: "r" } } },
      "adds input no budget can bound",
    ],
  ])("%s", (_, options, message) => {
    expect(() => agent("a", options)).toThrow(message);
  });

  test("two tools of one name", () => {
    const one = tool("t", { description: "", input: z.object({}), execute: () => 1 });
    expect(() => agent("a", { ...base, tools: [one, one] })).toThrow('two tools named "t"');
    expect(() => tool("a b", { description: "", input: z.object({}), execute: () => 1 })).toThrow(
      "cannot be named",
    );
  });

  test("a model that is none", () => {
    // @ts-expect-error neither a name nor a model
    expect(() => agent("a", { model: {}, system: "S" })).toThrow(
      "neither a name nor an AI SDK language model",
    );
  });
});

test("a thinking budget that a provider adds to the cap is reserved beside it", async () => {
  const { model, context } = scripted(["ok"]);
  const providerOptions = { anthropic: { thinking: { type: "enabled", budgetTokens: 1_000 } } };
  await run(agent("a", { model, system: "S", maxOutputTokens: 100, providerOptions }), "P", context);
  expect(context.quotes[0]?.outputTokens).toEqual({ wanted: 1_100, least: 1_016 });
  expect(model.calls[0]?.options.maxOutputTokens).toBe(100);
});
