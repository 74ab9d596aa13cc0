import { agent, Flujo, models, pipeline, step } from "flujo";
import { expect, test } from "vitest";
import { scriptedModel } from "../src/testing/scripted-model.ts";

test("agents and ctx.generate find the providers and prices a Flujo was given", async () => {
  const model = scriptedModel({ replies: ["one", "two"], id: "mine" });
  const ask = agent("ask", { model: "my:mine", system: "Answer." });
  const again = step("again", (text: string, ctx) => ctx.generate("ask", { model: "my:mine", prompt: text }));
  const own = models({
    providers: { my: () => model },
    prices: { "my:mine": { input: "$1", output: "$2" } },
  });
  await using flujo = new Flujo(pipeline("own", ask.to(again)), { models: own, budget: "$1" });
  const result = await flujo.run("Hello");
  expect(result).toMatchObject({ status: "completed", output: "two" });
  expect(result.spent.calls).toBe(2);
  expect(result.spent.picoUsd).toBe(model.billedPicoUsd);
});
