import { expect, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { mapOver, pipeline } from "../../core/compose.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import { tracesOf } from "./traces.ts";
import { undisturbed } from "./undisturbed.ts";

/** An agent for each word, and one for all of them. */
function words() {
  const model = scriptedModel({ replies: ({ prompt }) => `so ${prompt}` });
  const each = agent("each", { model, system: "Be brief.", prompt: (word: string) => word });
  const all = agent("all", {
    model,
    system: "Join them.",
    prompt: (said: readonly string[]) => said.join(" and "),
  });
  return { model, flow: pipeline("p", mapOver("words", each, { key: (word: string) => word }).to(all)) };
}
const places = ["/p/words[]/each", "/p/all"];

test("a trace has what each agent was sent and said, without system prompts, in the order of paths", async () => {
  const { model, flow } = words();
  const on = scene();
  await on.cast(flow, { models: models({ prices: model.prices }) }).run(["b", "a"], { runId: "r" });
  const entries = await on.journal("r");
  expect(await tracesOf(entries, places, async () => undefined)).toEqual({
    "/p/words[]/each": "user: a\nassistant: so a\nuser: b\nassistant: so b",
    "/p/all": "user: so b and so a\nassistant: so so b and so a",
  });
  expect(await tracesOf(entries, ["/p/all"], async () => undefined)).not.toHaveProperty("/p/words[]/each");
});

test("killed in the middle of calls, the trace and the bill are those of a run that was not", async () => {
  const calm = scene();
  const one = words();
  await calm.cast(one.flow, { models: models({ prices: one.model.prices }) }).run(["a", "b"], { runId: "r" });
  const expected = await calm.journal("r");
  let deaths = 0;
  for (let commit = 2; commit < 12; commit += 1) {
    const { model, flow } = words();
    const on = scene();
    const given = { models: models({ prices: model.prices }) };
    const dying = on.cast(flow, { ...given, crash: { commit, when: "after" } });
    dying.runner.run(["a", "b"], { runId: "r" }).catch(() => {});
    await on.wait(60_000);
    if (dying.process.isAlive) break;
    deaths += 1;
    const { runner } = on.cast(flow, given);
    expect(await on.play(runner.resume("r").result())).toMatchObject({ status: "completed" });
    const entries = await on.journal("r");
    expect(undisturbed(entries).picoUsd).toBe(undisturbed(expected).picoUsd);
    expect(await tracesOf(entries, places, async () => undefined)).toEqual(
      await tracesOf(expected, places, async () => undefined),
    );
  }
  expect(deaths).toBeGreaterThan(3);
});
