import { describe, expect, test } from "vitest";
import { generateOnce, type LanguageModel } from "./language-model.ts";

/** What Flujo reads out of a usage, as a provider's package hands it over. */
async function read(usage: unknown, providerMetadata?: object) {
  const result = {
    content: [],
    finishReason: { unified: "stop", raw: undefined },
    usage,
    providerMetadata,
    warnings: [],
  };
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

describe("the usage of specification 2", () => {
  test("is flat", async () => {
    const usage = {
      inputTokens: 10,
      cachedInputTokens: 4,
      outputTokens: 5,
      reasoningTokens: 2,
      totalTokens: 15,
    };
    expect(await read(usage)).toMatchObject({
      inputTokens: 10,
      cacheReadTokens: 4,
      outputTokens: 5,
      reasoningTokens: 2,
    });
  });

  test("leaves cached input out of Anthropic's, which is added", async () => {
    const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, totalTokens: 15 };
    expect(await read(usage, { anthropic: { cacheCreationInputTokens: 3 } })).toMatchObject({
      inputTokens: 17,
      cacheReadTokens: 4,
      cacheWriteTokens: 3,
      outputTokens: 5,
    });
    expect(await read({ outputTokens: 5 }, { anthropic: {} })).toBeUndefined();
  });

  test("leaves thoughts out of Gemini's, but not out of the total", async () => {
    const usage = { inputTokens: 10, outputTokens: 5, reasoningTokens: 7, totalTokens: 22 };
    expect(await read(usage)).toMatchObject({ outputTokens: 12, reasoningTokens: 7 });
  });
});
