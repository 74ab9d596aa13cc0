import { expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { versionOf } from "../core/fingerprint.ts";
import type { AnyStep } from "../core/step.ts";
import { rootOf } from "../engine/root.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { pastCosts } from "./past-costs.ts";

const model = scriptedModel({ replies: ["four"], price: { input: "$0", output: "$10000" } });
const each = mapOver("each", agent<string>("ask", { model, system: "" }));
const paying = (amount: "$1" | "$2") =>
  pipeline(
    "p",
    step(
      "map",
      async (texts: string[], ctx) => {
        await ctx.spend("a map", amount);
        return texts;
      },
      { version: amount },
    ).to(each),
  );

test("past runs tell what places cost, over all items; what a step spends is no call of a model", async () => {
  const on = scene();
  const runner = on.cast(paying("$1"), { models: models({ prices: model.prices }) });
  await runner.run(["a"], { runId: "one" });
  await runner.run(["a", "b", "c"], { runId: "three" });
  const places = ["/p/map", "/p/each[]/ask"];
  const look = (made: AnyStep) => {
    const { manifest } = versionOf(rootOf(made.node).node);
    return pastCosts(on.store, "p", manifest, places);
  };
  const said = (costs: readonly { readonly picoUsd: bigint; readonly calls: number }[] = []) =>
    costs.map(({ picoUsd, calls }) => [Number(picoUsd) / 1e12, calls]).sort();
  const same = await look(paying("$1"));
  expect(said(same.totals)).toEqual([
    [1.01, 1],
    [1.03, 3],
  ]);
  expect(said(same.places.get("/p/map"))).toEqual([
    [1, 0],
    [1, 0],
  ]);
  const changed = await look(paying("$2"));
  expect(changed.totals).toEqual([]);
  expect(changed.places.has("/p/map")).toBe(false);
});
