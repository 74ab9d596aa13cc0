import { expect, test } from "vitest";
import * as z from "zod";
import { pipeline, step } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { agent } from "./agent.ts";
import { models } from "./models.ts";
import { tool } from "./tool.ts";

const sentIn = (journal: readonly Entry[]): [string, unknown][] =>
  journal.flatMap((entry) =>
    entry.type === "budget-reserved" && entry.sent !== undefined ? [[entry.path, entry.sent]] : [],
  );

const model = scriptedModel({
  replies: [
    { toolCalls: [{ name: "look", input: { at: "A" } }] },
    { toolCalls: [{ name: "look", input: { at: "B" } }] },
    { text: "much" },
    { text: '{"total":2}' },
  ],
});
const look = tool("look", { description: "Looks", input: z.object({ at: z.string() }), execute: () => "ok" });
const counting = pipeline(
  "p",
  agent("count", { model, system: "Count.", tools: [look], output: z.object({ total: z.number() }) }),
);
const options: CastOptions<unknown> = { models: models({ prices: model.prices }), budget: "$1" };

test("each call's reservation says what the model is sent and the journal does not have yet: nothing twice, no answers", async () => {
  const on = scene();
  expect(await on.cast(counting, options).run("Go", { runId: "r" })).toMatchObject({ status: "completed" });
  const correction = expect.stringContaining("does not fit");
  expect(sentIn(await on.journal("r"))).toEqual([
    [
      "/p/count:call#0",
      [
        { role: "system", text: "Count." },
        { role: "user", text: "Go" },
      ],
    ],
    ["/p/count:call#1", [{ role: "tool", tool: "look", text: "ok" }]],
    ["/p/count:call#2", [{ role: "tool", tool: "look", text: "ok" }]],
    ["/p/count:call#3", [{ role: "user", text: correction }]],
  ]);
});

test("a conversation through ctx.model is recorded once, however often a caller sends it; of a file, what it is", async () => {
  const on = scene();
  const said = scriptedModel({ replies: ["One", "Two"] });
  const talk = step("talk", async (_: string, ctx) => {
    const own = ctx.model(said);
    const user = (text: string) => ({ role: "user" as const, content: [{ type: "text" as const, text }] });
    await own.doGenerate({ prompt: [{ role: "system", content: "Be brief." }, user("First?")] });
    const answer = { role: "assistant" as const, content: [{ type: "text" as const, text: "One" }] };
    const prompt = [{ role: "system" as const, content: "Be brief." }, user("First?"), answer, user("Then?")];
    await own.doGenerate({ prompt });
  });
  const result = await on
    .cast(pipeline("p", talk), { models: models({ prices: said.prices }), budget: "$1" })
    .run("", { runId: "r" });
  expect(result).toMatchObject({ status: "completed" });
  expect(sentIn(await on.journal("r")).map(([, sent]) => sent)).toEqual([
    [
      { role: "system", text: "Be brief." },
      { role: "user", text: "First?" },
    ],
    [{ role: "user", text: "Then?" }],
  ]);
  const seen = scriptedModel({ replies: ["A cat"] });
  const data = new Uint8Array([1, 2, 3]);
  const look = agent("look", {
    model: seen,
    system: "",
    attachmentTokens: 10,
    prompt: () => [
      { type: "text", text: "What is it?" },
      { type: "file", data, mediaType: "application/pdf", filename: "cat.pdf" },
    ],
  });
  await on.cast(pipeline("q", look), { models: models({ prices: seen.prices }) }).run("", { runId: "f" });
  expect(sentIn(await on.journal("f"))).toEqual([
    ["/q/look:call#0", [{ role: "user", text: "What is it?\n(cat.pdf, application/pdf)" }]],
  ]);
});

test("prompts of more than 8 KB are kept aside by their content, so that many calls with one prompt keep it once", async () => {
  const on = scene();
  const brief = scriptedModel({ replies: ["a", "b"] });
  const prompt = "Please: ".repeat(2_000);
  const one = agent("one", { model: brief, system: "", prompt });
  const p = pipeline("p", one.to(agent("two", { model: brief, system: "", prompt })));
  await on.cast(p, { models: models({ prices: brief.prices }) }).run("go", { runId: "r" });
  const [first, second] = sentIn(await on.journal("r")).map(([, one]) => one);
  expect(first).toMatchObject({ $type: "blob" });
  expect(second).toEqual(first);
});
