/** Streamed answers over the wire: @ai-sdk/openai against a server that speaks OpenAI's format, run by a real Flujo. */
import { createOpenAI } from "@ai-sdk/openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { pipeline, step } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import type { RunEvent } from "../core/events.ts";
import type { Step } from "../core/step.ts";
import { Runner } from "../engine/runner.ts";
import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { memory } from "../stores/memory.ts";
import {
  type Fault,
  type OpenAIServer,
  type OpenAIServerOptions,
  openaiServer,
} from "../testing/openai-server.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { LanguageModel } from "./language-model.ts";
import { models } from "./models.ts";
import { tool } from "./tool.ts";

let server: OpenAIServer;
let store: Store;
let behaviour: OpenAIServerOptions = {};
const apiKey = "sk-test-0123456789abcdef";

beforeEach(async () => {
  behaviour = {};
  store = memory();
  server = await openaiServer({
    reply: (request) => behaviour.reply?.(request) ?? "ok",
    fault: (request) => behaviour.fault?.(request),
    pieces: (text) => behaviour.pieces?.(text) ?? text.match(/[\s\S]{1,4}/g) ?? [],
    beforeEvent: (event, request) => behaviour.beforeEvent?.(event, request),
  });
});
afterEach(() => server.close());

const flavours: [string, () => LanguageModel][] = [
  ["responses", () => createOpenAI({ apiKey, baseURL: server.url })("gpt-4o-mini")],
  ["chat", () => createOpenAI({ apiKey, baseURL: server.url }).chat("gpt-4o-mini")],
];

/** Time as it is, but that nobody waits a second before a call is tried again. */
function runnerOf<In, Out>(what: Step<In, Out>): Runner<In, Out> {
  const real = nodeWorld();
  const world: World = {
    ...real,
    timer: (ms, callback, options) => real.timer(ms < 900 ? ms : 1, callback, options),
  };
  return new Runner(what, { store, world, models: models(), takeOver: false });
}

const entries = async (): Promise<readonly Entry[]> => (await store.read("r", 0, 10_000)) ?? [];

/** The chunks of each call, by the number of its reservation. */
function chunksOf(found: readonly (Entry | RunEvent)[]): string[][] {
  const calls = new Map<number, string[]>();
  for (const entry of found) {
    if (entry.type !== "text-streamed") continue;
    calls.set(entry.of, [...(calls.get(entry.of) ?? []), ...entry.chunks]);
  }
  return [...calls.values()];
}

describe.each(flavours)("over %s", (api, model) => {
  const streaming = (options: Partial<AgentOptions<string>> = {}) =>
    agent("a", { model: model(), system: "Be brief.", stream: true, ...options });
  const answer = async (options: Partial<AgentOptions<string>> = {}) => {
    await using flujo = runnerOf(streaming(options));
    return await flujo.run("Hello", { runId: "r" });
  };

  test("every piece is an event, equal ones kept, and the call is paid to the pico-dollar", async () => {
    const pieces = ["ha", "ha", "ha", "!", "", " 👋"];
    behaviour = { reply: () => pieces.join(""), pieces: () => pieces };
    const result = await answer();
    expect(result).toMatchObject({ status: "completed", output: "hahaha! 👋" });
    expect(server.requests).toMatchObject([{ api, stream: true, cap: 4_096 }]);
    expect(chunksOf(await entries())).toEqual([["ha", "ha", "ha", "!", " 👋"]]);
    expect(result.spent.picoUsd).toBe(server.billedPicoUsd);
  });

  test("pieces are there while the answer still comes", async () => {
    const seen = Promise.withResolvers<void>();
    behaviour = {
      reply: () => "one two six",
      beforeEvent: (event) => (event === 4 ? seen.promise : undefined), // two pieces are out by then
    };
    await using flujo = runnerOf(streaming());
    const run = flujo.start("Hello", { runId: "r" });
    for await (const event of run.events) if (event.type === "text-streamed") break;
    expect((await entries()).some(({ type }) => type === "budget-settled")).toBe(false);
    seen.resolve();
    expect(await run.result()).toMatchObject({ output: "one two six" });
  });

  test("the call's record refers to its pieces instead of repeating them", async () => {
    const text = "All happy families are alike.";
    behaviour = { reply: () => text };
    await answer();
    const call = (await entries()).find(({ type }) => type === "operation-completed");
    expect(JSON.stringify(call)).not.toContain("happy");
    expect(call).toMatchObject({
      output: { parts: [{ type: "text", text: "" }], finish: "stop" },
      texts: [{ at: ["parts", 0, "text"], from: [[expect.any(Number), 0]] }],
    });
  });

  test("tools are called from streamed arguments, which are events, too", async () => {
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
    const result = await answer({ tools: [add] });
    expect(result).toMatchObject({ output: "It is 5." });
    expect(chunksOf(await entries()).map((chunks) => chunks.join(""))).toEqual(['{"a":2,"b":3}', "It is 5."]);
    expect(
      (await entries()).filter((one) => one.type === "text-streamed" && one.kind === "tool-call"),
    ).toHaveLength(1);
    expect(result.spent.picoUsd).toBe(server.billedPicoUsd);
  });

  test("a value of a schema is streamed and checked", async () => {
    behaviour = { reply: () => '{"city":"Rome"}' };
    const place = agent("a", {
      model: model(),
      system: "S",
      stream: true,
      output: z.object({ city: z.string() }),
    });
    await using flujo = runnerOf(place);
    expect(await flujo.run("?", { runId: "r" })).toMatchObject({ output: { city: "Rome" } });
    expect(server.requests[0]?.stream).toBe(true);
  });

  test("without usage the whole reservation counts", async () => {
    behaviour = { fault: () => "no-usage" };
    const result = await answer({ maxOutputTokens: 50 });
    const held = (await entries()).find(({ type }) => type === "budget-reserved");
    expect(result).toMatchObject({ status: "completed", output: "ok" });
    expect(held).toMatchObject({ amount: { picoUsd: result.spent.picoUsd.toString() } });
  });

  test.each<Fault>(["drop", "malformed", "end-early"])(
    "cut by %s, it keeps its pieces, counts in full, and is asked for again",
    async (fault) => {
      const text = "It was the best of times, it was the worst of times.";
      behaviour = { reply: () => text, fault: ({ index }) => (index === 0 ? fault : undefined) };
      const result = await answer();
      expect(result).toMatchObject({ status: "completed", output: text });
      const [cut = [], whole = []] = chunksOf(await entries());
      expect(text.startsWith(cut.join(""))).toBe(true);
      expect(cut.length).toBeGreaterThan(2);
      expect(whole.join("")).toBe(text);
      expect(server.requests[1]?.text).toBe(server.requests[0]?.text);
      expect((await entries()).filter((one) => "doubt" in one)).toHaveLength(1);
      expect(result.spent.picoUsd).toBeGreaterThanOrEqual(server.billedPicoUsd);
    },
  );

  test("cut, it is gone on with where that is the author's choice", async () => {
    const text = "It was the best of times, it was the worst of times.";
    let said = "";
    behaviour = {
      reply: ({ index, body }) => {
        if (index === 0) return text;
        said = JSON.stringify(body).includes("Your answer was cut off there") ? (partIn(body) ?? "") : "";
        return text.slice(said.length);
      },
      fault: ({ index }) => (index === 0 ? "drop" : undefined),
    };
    const result = await answer({ onCut: "continue" });
    expect(result).toMatchObject({ status: "completed", output: text });
    const [cut = [], rest = []] = chunksOf(await entries());
    expect(said.length).toBeGreaterThan(5);
    expect(cut.join("")).toBe(said);
    expect(rest.join("")).toBe(text.slice(said.length));
    const call = (await entries()).find(({ type }) => type === "operation-completed");
    expect(JSON.stringify(call)).not.toContain("times");
  });

  test("stalled, it ends with its timeout and keeps its pieces", async () => {
    behaviour = { reply: () => "a text of some length", fault: () => "stall" };
    const slow = pipeline("p", streaming().timeout("850ms"));
    await using flujo = runnerOf(slow);
    expect(await flujo.run("Hello", { runId: "r" })).toMatchObject({
      status: "failed",
      error: { code: "timeout" },
    });
    const [cut = []] = chunksOf(await entries());
    expect(cut.length).toBeGreaterThan(0);
    expect((await entries()).filter((one) => "doubt" in one)).toHaveLength(1);
  });

  test("ctx.generate streams, too", async () => {
    behaviour = { reply: () => "from a step" };
    const body = step("s", async (prompt: string, ctx) =>
      ctx.generate("ask", { model: model(), prompt, stream: true }),
    );
    await using flujo = runnerOf(body);
    expect(await flujo.run("Hello", { runId: "r" })).toMatchObject({ output: "from a step" });
    expect(chunksOf(await entries())[0]?.join("")).toBe("from a step");
  });
});

/** The text of the assistant's message in a request of either API. */
function partIn(body: unknown): string | undefined {
  const { messages, input } = body as { messages?: Said[]; input?: Said[] }; // as @ai-sdk/openai writes them
  const content = (messages ?? input)?.find(({ role }) => role === "assistant")?.content;
  return typeof content === "string" ? content : content?.map(({ text }) => text).join("");
}
interface Said {
  readonly role: string;
  readonly content: string | readonly { readonly text: string }[];
}
