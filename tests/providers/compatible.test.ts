import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Flujo, models } from "flujo";
import { afterEach, describe, expect, test, vi } from "vitest";
import { at } from "../../src/testing/wire/format.ts";
import { wireServer } from "../../src/testing/wire/server.ts";
import { contract } from "./contract.ts";
import { stage } from "./stage.ts";
import { compatible, ollama, type Subject } from "./subjects.ts";

contract(ollama);
contract(compatible);

afterEach(() => vi.unstubAllEnvs());

const keyless: readonly Subject[] = [
  {
    ...ollama,
    environment: (origin) => ({
      OLLAMA_BASE_URL: "",
      OLLAMA_HOST: origin.replace("http://", ""),
      OLLAMA_API_KEY: "",
    }),
  },
  {
    ...compatible,
    environment: (origin) => ({ ...compatible.environment(origin), OPENAI_COMPATIBLE_API_KEY: "" }),
  },
];

test.each(keyless)("$name: needs no key, and sends none", async (subject) => {
  await using on = await stage(subject);
  const { result } = await on.play(on.agent());
  expect(result).toMatchObject({ output: "ok", spent: { picoUsd: on.server.billedPicoUsd } });
  expect(on.server.requests[0]?.headers).not.toHaveProperty("authorization");
});

describe("a server that leaves the thoughts out of the output it reports", () => {
  test.each([
    ["beside it", true],
    ["only in the total", false],
  ])("and counts them %s is paid for all of them", async (_, tells) => {
    await using on = await stage(compatible, {
      reasoningTokens: 30,
      rewrite(document) {
        const usage = at(document, "usage") as { readonly completion_tokens: number } | undefined; // of this format
        if (usage === undefined) return document;
        const details = tells ? {} : { completion_tokens_details: null };
        const spoken = { completion_tokens: usage.completion_tokens - 30 };
        return { ...document, usage: { ...usage, ...spoken, ...details } };
      },
    });
    const { result } = await on.play(on.agent());
    expect(result.spent).toMatchObject({ picoUsd: on.server.billedPicoUsd, outputTokens: 31 });
  });
});

test("several servers go by names of their own", async () => {
  await using north = await wireServer({ reply: () => "from the north" });
  await using south = await wireServer({ reply: () => "from the south" });
  const server = (name: string, origin: string) =>
    createOpenAICompatible({
      name,
      baseURL: `${origin}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const own = models({
    providers: { north: server("north", north.origin), south: server("south", south.origin) },
    prices: { "north:m": { input: "$1", output: "$7" }, "south:m": { input: "$1", output: "$7" } },
  });
  const on = await stage(compatible);
  const ask = (model: string) => on.agent({ model });
  for (const [name, bill] of [["north", north] as const, ["south", south] as const]) {
    await using flujo = new Flujo(ask(`${name}:m`), { models: own, budget: "$1" });
    const result = await flujo.run("Hello");
    expect(result).toMatchObject({ output: `from the ${name}`, spent: { picoUsd: bill.billedPicoUsd } });
  }
  await on.server.close();
});
