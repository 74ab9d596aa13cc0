import { describe, expect, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { pipeline } from "../../core/compose.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import type { Case, Split } from "../dataset/case.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { scorer } from "../scorers/scorer.ts";
import { improve, improveInput } from "./improve.ts";

/** Wants capitals and an exclamation mark; the clerk gives what its system prompt asks for. */
const clerk = scriptedModel({
  id: "clerk",
  replies: ({ options, prompt }) => {
    const system = JSON.stringify(options.prompt.filter(({ role }) => role === "system"));
    const text = system.includes("Shout") ? prompt.toUpperCase() : prompt;
    return system.includes("Exclaim") ? `${text}!` : text;
  },
});

const style = scorer(
  "style",
  ({ output, input }) => {
    const said = String(output);
    const loud = said.startsWith(String(input).toUpperCase());
    const keen = said.endsWith("!");
    const feedback = [loud ? "" : "Shout it.", keen ? "" : "Exclaim it."].filter((one) => one !== "");
    return { score: (Number(loud) + Number(keen)) / 2, feedback: feedback.join("\n") };
  },
  { version: 1 },
);

const coach = scriptedModel({
  id: "coach",
  replies: ({ prompt, index }) => {
    if (index % 3 === 2) return "I would rather not say.";
    const value = JSON.parse(/^Value: (.*)$/m.exec(prompt)?.[1] ?? '""') as string;
    const lesson = /Feedback: "(Shout|Exclaim) it/.exec(prompt)?.[1] ?? "Nothing";
    const patch = [{ op: "replace", path: "/~1desk~1clerk/system", value: `${value}\n${lesson} it.` }];
    return JSON.stringify({ note: `it should ${lesson}`, patch });
  },
});

const cases = (["train", "validation", "test"] as Split[]).flatMap((split) =>
  Array.from({ length: 8 }, (_, i): Case => ({ id: `${split}-${i}`, input: `word ${split} ${i}`, split })),
);
const dataset = datasetOf("words", cases);

const desk = pipeline("desk", agent("clerk", { model: clerk, system: "Repeat the words.", prompt: (word: string) => word }));

describe("improve", () => {
  test("finds what the scorer wants, and proves it on the test split", async () => {
    const { cast, store } = scene();
    const setting = { models: models({ prices: { ...clerk.prices, ...coach.prices } }) };
    const { runner: flujo, process } = cast(desk, setting);
    const how = { task: desk as never, flujo: flujo as never, store, scorers: [style], reflector: coach };
    const improver = cast(improve(how), setting);
    const result = await improver.run(improveInput(how, dataset), { runId: "i" });
    if (result.status !== "completed") throw "error" in result ? result.error : new Error(result.status);
    console.log(JSON.stringify(result.output, null, 1).slice(0, 6000));
    expect(result.output.promotion?.verdict).toBe("promote");
  });
});
