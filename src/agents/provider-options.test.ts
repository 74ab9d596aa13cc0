import { describe, expect, test } from "vitest";
import { checkProviderOptions, hiddenOutput } from "./provider-options.ts";

const check = (options: object) => () => checkProviderOptions(options, 'agent "a"');

describe("options a budget could not live with are refused by name", () => {
  test.each([
    [{ openai: { previousResponseId: "r" } }, "adds input"],
    [{ openai: { conversation: "c" } }, "adds input"],
    [{ anthropic: { thread: { type: "create" } } }, "adds input"],
    [{ anthropic: { container: { id: "c" } } }, "adds input"],
    [{ google: { cachedContent: "cachedContents/x" } }, "adds input"],
    [{ vertex: { continuationToken: "t" } }, "adds input"],
    [{ openai: { maxCompletionTokens: 9 } }, "budget's cap"],
    [{ compatible: { max_tokens: 9 } }, "budget's cap"],
    [{ compatible: { max_new_tokens: 9 } }, "budget's cap"],
    [{ ollama: { options: { num_predict: 9 } } }, "budget's cap"],
    [{ compatible: { n: 3 } }, "several answers"],
    [{ compatible: { best_of: 3 } }, "several answers"],
    [{ anthropic: { mcpServers: [] } }, "on its own"],
    [{ anthropic: { contextManagement: { edits: [] } } }, "on its own"],
    [{ openai: { contextManagement: [] } }, "on its own"],
    [{ anthropic: { fallbacks: "default" } }, "another model"],
    [{ compatible: { model: "dearer" } }, "another model"],
  ])("%j", (options, why) => {
    const key = Object.keys(Object.values(options)[0] ?? {})[0];
    const found = key === "options" ? "num_predict" : key;
    expect(check(options)).toThrow(`agent "a" sets the provider option "${found}", which `);
    expect(check(options)).toThrow(why);
  });

  test("the same words as names of the user's own are none of its business", () => {
    expect(check({ google: { labels: { model: "x", n: "1" } }, openai: { user: "n" } })).not.toThrow();
    expect(check({ anthropic: { thinking: { type: "adaptive" }, effort: "low" } })).not.toThrow();
  });
});

describe("what a provider allows beside the cap", () => {
  test.each([
    [{ anthropic: { thinking: { type: "enabled", budgetTokens: 5_000 } } }, 5_000],
    [{ anthropic: { thinking: { type: "enabled" } } }, 1_024],
    [{ anthropic: { thinking: { type: "adaptive" } } }, 0],
    [{ anthropic: { thinking: { type: "disabled" } } }, 0],
    [{ google: { thinkingConfig: { thinkingBudget: 5_000 } } }, 0],
    [undefined, 0],
  ])("%j: %d tokens", (options, tokens) => {
    expect(hiddenOutput(options)).toBe(tokens);
  });
});
