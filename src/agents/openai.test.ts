/** Agents over the wire: @ai-sdk/openai against a server that speaks OpenAI's format and meters its own bill. */
import { createOpenAI } from "@ai-sdk/openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { ModelCallError } from "../core/errors.ts";
import type { WorkNode } from "../core/node.ts";
import {
  type Fault,
  type OpenAIServer,
  type OpenAIServerOptions,
  openaiServer,
} from "../testing/openai-server.ts";
import { type TestContext, testContext } from "../testing/test-context.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { LanguageModel } from "./language-model.ts";
import { models } from "./models.ts";
import { tool } from "./tool.ts";

let server: OpenAIServer;
let context: TestContext<unknown>;
let behaviour: OpenAIServerOptions = {};
const apiKey = "sk-test-0123456789abcdef";

beforeEach(async () => {
  behaviour = {};
  server = await openaiServer({
    reply: (request) => behaviour.reply?.(request) ?? "ok",
    fault: (request) => behaviour.fault?.(request),
  });
  context = testContext({ models: models() });
});
afterEach(() => server.close());

const flavours: [string, () => LanguageModel][] = [
  ["responses", () => createOpenAI({ apiKey, baseURL: server.url })("gpt-4o-mini")],
  ["chat", () => createOpenAI({ apiKey, baseURL: server.url }).chat("gpt-4o-mini")],
];

const run = (step: { node: unknown }, input: unknown): Promise<unknown> =>
  // An agent's node is a WorkNode; its input type is the author's.
  Promise.resolve((step.node as WorkNode).work(input as never, context));

describe.each(flavours)("over %s", (api, model) => {
  const ask = (options: Partial<AgentOptions<string>> = {}) =>
    run(agent("a", { model: model(), system: "Be brief.", ...options }), "Hello");

  test("text is asked, answered and paid to the pico-dollar", async () => {
    behaviour = { reply: ({ text }) => `heard: ${text}` };
    expect(await ask({ maxOutputTokens: 100 })).toBe("heard: Be brief.\nHello");
    expect(server.requests).toMatchObject([{ api, model: "gpt-4o-mini", cap: 100 }]);
    expect(server.requests[0]?.headers["idempotency-key"]).toBe("/test/body:call#0");
    expect(context.receipts[0]?.picoUsd).toBe(server.billedPicoUsd);
    expect(context.quotes[0]?.model).toBe("openai:gpt-4o-mini");
  });

  test("cached input and thoughts are billed at their own rates", async () => {
    await server.close();
    server = await openaiServer({ reply: () => "fine", cachedPercent: 60, reasoningTokens: 30 });
    await ask();
    expect(context.receipts[0]?.picoUsd).toBe(server.billedPicoUsd);
    expect(context.receipts[0]?.outputTokens).toBe(31);
  });

  test("images and files go along in the provider's own form", async () => {
    const image = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
    await ask({
      prompt: (question) => [
        { type: "text", text: question },
        { type: "image", image },
        { type: "image", image: "https://pictures.example/cat.png" },
        {
          type: "file",
          data: new TextEncoder().encode("%PDF-1.7"),
          mediaType: "application/pdf",
          filename: "a.pdf",
        },
      ],
    });
    const sent = JSON.stringify(server.requests[0]?.body);
    expect(sent).toContain("data:image/png;base64,iVBORw0KGgo=");
    expect(sent).toContain("https://pictures.example/cat.png");
    expect(sent).toContain("data:application/pdf;base64,JVBERi0xLjc=");
  });

  test("how much to think is the provider's reasoning effort", async () => {
    const thinker = createOpenAI({ apiKey, baseURL: server.url });
    await ask({
      model: api === "chat" ? thinker.chat("gpt-5-mini") : thinker("gpt-5-mini"),
      reasoning: "low",
    });
    const { body } = server.requests[0] ?? {};
    expect(body?.reasoning_effort ?? (body?.reasoning as { effort?: string } | undefined)?.effort).toBe(
      "low",
    );
    expect(server.requests[0]?.cap).toBe(4_096);
  });

  test("the server keeps to the cap, and the bill to the reservation", async () => {
    behaviour = { reply: () => "x".repeat(10_000) };
    expect(await ask({ maxOutputTokens: 20 })).toHaveLength(80);
    const [quote] = context.quotes;
    const rates = quote?.rates ?? { input: 0n, output: 0n };
    expect(server.billedPicoUsd).toBeLessThanOrEqual(
      BigInt(quote?.inputTokens ?? 0) * rates.input + 20n * rates.output,
    );
  });

  test("a value of a schema is asked for, repaired once, and returned", async () => {
    const output = z.object({ city: z.string(), people: z.number() });
    behaviour = { reply: ({ index }) => JSON.stringify({ city: "Rome", people: index === 0 ? "many" : 3 }) };
    const step = agent("r", { model: model(), system: "S", output });
    expect(await run(step, "Rome?")).toEqual({ city: "Rome", people: 3 });
    expect(server.requests).toHaveLength(2);
    expect(JSON.stringify(server.requests[0]?.body)).toContain('"type":"json_schema"');
    expect(server.requests[1]?.text).toContain("- people: ");
    const paid = context.receipts.reduce((sum, receipt) => sum + receipt.picoUsd, 0n);
    expect(paid).toBe(server.billedPicoUsd);
  });

  test("tools are offered, called and answered", async () => {
    const add = tool("add", {
      description: "Adds",
      input: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }) => a + b,
    });
    behaviour = {
      reply: ({ text, index }) =>
        index === 0
          ? { toolCalls: [{ name: "add", input: { a: 2, b: 3 } }] }
          : `It is ${text.split("\n").at(-1)}.`,
    };
    expect(await ask({ tools: [add] })).toBe("It is 5.");
    expect(context.receipts.reduce((sum, receipt) => sum + receipt.picoUsd, 0n)).toBe(server.billedPicoUsd);
  });

  test.each<[Fault, Partial<ModelCallError>]>([
    ["rate-limit", { charge: "none", retryable: true, retryAfterMs: 1_000 }],
    ["bad-request", { charge: "none", retryable: false }],
    ["server-error", { charge: "in-doubt", retryable: true }],
    ["malformed", { charge: "in-doubt", retryable: true }],
    ["drop", { charge: "in-doubt", retryable: true }],
  ])("%s is an error that says what it may have cost, after one request", async (fault, expected) => {
    behaviour = { fault: () => fault };
    await expect(ask()).rejects.toMatchObject({ code: "model-call-failed", ...expected });
    expect(server.requests).toHaveLength(1);
    expect(server.billedPicoUsd > 0n).toBe(expected.charge === "in-doubt");
  });

  test("an answer without usage is charged the whole reservation, which covers the bill", async () => {
    behaviour = { fault: () => "no-usage" };
    expect(await ask({ maxOutputTokens: 50 })).toBe("ok");
    const bound = context.quotes[0]?.inputTokens ?? 0;
    expect(context.receipts).toMatchObject([
      { inputTokens: bound, outputTokens: 50, picoUsd: BigInt(bound) * 150_000n + 50n * 600_000n },
    ]);
    expect(server.billedPicoUsd).toBeLessThan(context.receipts[0]?.picoUsd ?? 0n);
  });

  test("a bill above the cap is passed on as it is", async () => {
    behaviour = { fault: () => "overbill" };
    await ask({ maxOutputTokens: 50 });
    expect(context.receipts[0]?.outputTokens).toBe(1_050);
    expect(context.receipts[0]?.picoUsd).toBe(server.billedPicoUsd);
  });

  test("an abort ends the call at once, its cost in doubt", async () => {
    const stop = new AbortController();
    await server.close();
    server = await openaiServer({ latencyMs: 20_000, fault: () => void stop.abort() });
    context = testContext({ models: models(), signal: stop.signal });
    await expect(ask()).rejects.toMatchObject({ charge: "in-doubt", retryable: false });
    await expect(ask()).rejects.toMatchObject({ charge: "none" });
    expect(server.requests).toHaveLength(1);
  });
});

test("an option its package does not take costs nothing, and is not tried again", async () => {
  const model = createOpenAI({ apiKey, baseURL: server.url })("gpt-4o-mini");
  const providerOptions = { openai: { reasoningEffort: 5 } };
  await expect(run(agent("a", { model, system: "S", providerOptions }), "P")).rejects.toMatchObject({
    charge: "none",
    retryable: false,
    message: expect.stringContaining("could not be made: "),
  });
  expect(server.requests).toEqual([]);
});

test("a server that is not there costs nothing and is worth another try", async () => {
  const model = createOpenAI({ apiKey, baseURL: server.url })("gpt-4o-mini");
  await server.close();
  await expect(run(agent("a", { model, system: "S" }), "P")).rejects.toMatchObject({
    charge: "none",
    retryable: true,
    hint: "Check the network and the provider's base URL.",
  });
});
