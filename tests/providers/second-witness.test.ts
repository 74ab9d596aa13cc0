/**
 * The same providers against a server by other hands, so that our own reading of the wire formats is not the only one.
 * It meters nothing, and its usage has no cached or reasoning tokens: that part is the contract's alone.
 */
import { LLMock } from "@copilotkit/aimock";
import { tool } from "flujo";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { player } from "./stage.ts";
import { type Subject, secret, subjects, vertex } from "./subjects.ts";

const server = new LLMock({ port: 0 });

beforeAll(async () => {
  server.on({ userMessage: "Hello", hasToolResult: true }, { content: "It is sunny." });
  server.on(
    { userMessage: "Hello", toolName: "weather" },
    { toolCalls: [{ name: "weather", arguments: '{"city":"Rome"}' }] },
  );
  server.onMessage("Where?", { content: '{"city":"Rome"}' });
  server.onMessage("Hello", { content: "Hello to you, too." });
  await server.start();
});
afterAll(() => server.stop());
afterEach(() => vi.unstubAllEnvs());

/** It knows Vertex by the paths of projects only. */
const onProject: Subject = {
  ...vertex,
  environment: (origin) => ({
    GOOGLE_VERTEX_API_KEY: secret,
    GOOGLE_VERTEX_BASE_URL: `${origin}/v1/projects/p/locations/l/publishers/google`,
  }),
};
const all = subjects.map((subject) => (subject === vertex ? onProject : subject));

describe.each(all)("$name, by other hands", (subject) => {
  test("text", async () => {
    const on = player(subject, server.url);
    expect((await on.play(on.agent())).result).toMatchObject({ output: "Hello to you, too." });
  });

  test("structured output", async () => {
    const on = player(subject, server.url);
    const step = on.asking(z.object({ city: z.string() }), { prompt: () => "Where?" });
    const { result } = await on.play(step);
    expect(result).toMatchObject({ output: { city: "Rome" } });
  });

  test("tools", async () => {
    const cities: string[] = [];
    const weather = tool("weather", {
      description: "The weather of a city",
      input: z.object({ city: z.string() }),
      execute({ city }) {
        cities.push(city);
        return "sunny";
      },
    });
    const on = player(subject, server.url);
    const { result } = await on.play(on.agent({ tools: [weather] }));
    expect(result).toMatchObject({ output: "It is sunny.", spent: { calls: 2 } });
    expect(cities).toEqual(["Rome"]);
  });

  test("streaming", async () => {
    const parts = await player(subject, server.url).stream();
    const text = parts.flatMap((part) => (part.type === "text-delta" ? part.delta : [])).join("");
    expect(text).toBe("Hello to you, too.");
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "stop" } });
  });
});
