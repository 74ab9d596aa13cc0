import { describe, expect, test } from "vitest";
import { generateOnce, type LanguageModel } from "./language-model.ts";

/** What Flujo reads out of a usage, as a provider's package hands it over. */
async function read(usage: unknown) {
  const result = { content: [], finishReason: { unified: "stop", raw: undefined }, usage, warnings: [] };
  const model = { specificationVersion: "v4", doGenerate: async () => result };
  const { usage: found } = await generateOnce(model as unknown as LanguageModel, { prompt: [] }); // all that is called
  return found;
}

const counts = {
  inputTokens: { total: 100, noCache: 100, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 20, text: 20, reasoning: undefined },
};

describe("the usage of an answer", () => {
  test("is what the provider counted", async () => {
    const raw = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
    expect(await read({ ...counts, raw })).toMatchObject({ inputTokens: 100, outputTokens: 20 });
  });

  test.each([
    ["total_tokens", { total_tokens: 150 }],
    ["totalTokenCount", { totalTokenCount: 150 }],
  ])("has thoughts in its output that only %s tells of", async (_, raw) => {
    expect(await read({ ...counts, raw })).toMatchObject({ outputTokens: 50, reasoningTokens: 30 });
  });

  test.each([
    ["a smaller total", { total_tokens: 3 }],
    ["a total that is no number", { total_tokens: "150" }],
    ["nothing", undefined],
  ])("takes no notice of %s", async (_, raw) => {
    expect(await read({ ...counts, raw })).toMatchObject({ inputTokens: 100, outputTokens: 20 });
  });

  test("is unknown where the input has no tokens", async () => {
    expect(await read({ ...counts, inputTokens: { total: 0 } })).toBeUndefined();
  });
});
