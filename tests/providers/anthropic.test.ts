import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { at } from "../../src/testing/wire/format.ts";
import { contract } from "./contract.ts";
import { handClock } from "./hand-clock.ts";
import { inDoubt, stage } from "./stage.ts";
import { anthropic } from "./subjects.ts";

contract(anthropic);

afterEach(() => vi.unstubAllEnvs());

test("a model without JSON Schemas is made to answer by a tool, and the answer is its value", async () => {
  const older = { ...anthropic, model: "anthropic:claude-sonnet-4-0" };
  await using on = await stage(older, { reply: () => '{"n":1}' });
  const { result } = await on.play(on.asking(z.object({ n: z.number() })));
  expect(result).toMatchObject({ output: { n: 1 }, spent: { picoUsd: on.server.billedPicoUsd } });
  expect(on.server.requests[0]?.tools).toEqual(["json"]);
  expect(on.server.requests[0]?.schema).toMatchObject({ properties: { n: { type: "number" } } });
});

describe("a thinking budget", () => {
  test.each([
    ["given", { type: "enabled", budgetTokens: 2_000 }, 2_000],
    ["left to its package", { type: "enabled" }, 1_024],
  ])("%s is reserved beside the cap, and the whole never passes it", async (_, thinking, budget) => {
    await using on = await stage(anthropic, { reply: () => "x".repeat(100_000), reasoningTokens: budget });
    const step = on.agent({ maxOutputTokens: 100, providerOptions: { anthropic: { thinking } } });
    const { result, journal } = await on.play(step);
    expect(result).toMatchObject({ output: "x".repeat(400), spent: { picoUsd: on.server.billedPicoUsd } });
    expect(at(on.server.requests[0]?.body, "thinking", "budget_tokens")).toBe(budget);
    expect(on.server.requests[0]?.cap).toBe(100 + budget);
    expect(journal.find(({ type }) => type === "budget-reserved")).toMatchObject({
      amount: { outputTokens: 100 + budget },
    });
  });
});

test("an answer without its usage is no answer to the package: it counts in full, and is asked for again", async () => {
  await using on = await stage(anthropic, {
    fault: ({ index }) => (index === 0 ? "no-usage" : undefined),
  });
  const clock = handClock();
  const { result, journal } = await clock.play(on.play(on.agent(), { clock }));
  expect(result).toMatchObject({ output: "ok", spent: { calls: 2 } });
  expect(inDoubt(journal)).toBeGreaterThan(on.server.billedPicoUsd / 2n);
});
