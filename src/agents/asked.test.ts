import { expect, test } from "vitest";
import * as z from "zod";
import type { WorkNode } from "../core/node.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { longestBudgetText } from "./lineup.ts";
import { tool } from "./tool.ts";

/** What an agent with these options says it will ask. */
function asked(
  options: Omit<AgentOptions<{ title: string }>, "model">,
  known?: { input: unknown; state: unknown },
) {
  const { node } = agent<{ title: string }>("a", { model: ["my:one", "my:two"], ...options });
  const told = (node as WorkNode).asks?.(known); // it is an agent's
  if (told === undefined) throw new Error("it says nothing");
  return told;
}

const known = { input: { title: "Rain" }, state: {} };

test("a template with places is unknown until its input is, one without is not", async () => {
  const options = { system: "Be brief.", prompt: "{{input.title}}" };
  const before = await asked(options);
  expect(before.unknown).toEqual(["its prompt"]);
  const after = await asked(options, known);
  expect(after.unknown).toEqual([]);
  expect(after.inputTokens).toBe(before.inputTokens + "Rain".length);
});

test("examples count, and are unknown where their prompts are", async () => {
  const examples = [{ input: { title: "Snow" }, output: "white" }];
  const bare = await asked({ system: "Be brief." }, known);
  const shown = await asked({ system: "Be brief.", examples }, known);
  expect(shown.inputTokens).toBeGreaterThan(bare.inputTokens + "white".length);
  expect((await asked({ system: "Be brief.", examples, prompt: () => "?" })).unknown).toEqual([
    "its examples",
    "its prompt",
  ]);
});

test("tools with a price are named, and the text about the budget counts", async () => {
  const options = { description: "Looks", input: z.object({}), execute: () => "seen" };
  const tools = [tool("free", options), tool("paid", { ...options, price: "$0.01" })];
  const plain = await asked({ system: "Be brief.", tools }, known);
  expect(plain.pricedTools).toEqual(["paid"]);
  expect(plain.calls).toBe(8);
  const told = await asked({ system: "Be brief.", tools, showBudget: true }, known);
  expect(told.inputTokens).toBe(plain.inputTokens + longestBudgetText);
});
