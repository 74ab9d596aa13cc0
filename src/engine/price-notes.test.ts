import { describe, expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import type { DeclaredPrices } from "../budget/price-book.ts";
import { mapOver, pipeline } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { sleep } from "../core/pauses.ts";
import { chargesOf } from "../lens/charges.ts";
import { spendingOf } from "../lens/spending.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

const model = scriptedModel({ replies: ["four"] });
const each = mapOver("each", agent<string>("ask", { model, system: "" }));
const twice = pipeline(
  "twice",
  each.to(sleep("nap", "1m")).to(mapOver("again", agent("ask", { model, system: "" }))),
);
const items = ["a", "b", "c", "d", "e"];

const priced = (price: DeclaredPrices[string]) => ({
  models: models({ prices: { "scripted:model": price } }),
});
const old = { input: "$1", output: "$2", source: "list", date: "2026-01-01" } as const;

describe("the price of a model", () => {
  test("is recorded once a run, however many calls it has, in the append of the first", async () => {
    const on = scene();
    await on.cast(twice, priced(old)).run(items, { runId: "r" });
    const entries = await on.journal("r");
    const kinds = entries
      .map(({ type }) => type)
      .filter((type) => /^(model-priced|budget-reserved)$/.test(type));
    expect(kinds).toEqual(["model-priced", ...Array.from({ length: 10 }, () => "budget-reserved")]);
    expect(entries.find(({ type }) => type === "model-priced")).toMatchObject({
      model: "scripted:model",
      source: "list",
      date: "2026-01-01",
      input: "1000000",
      output: "2000000",
    });
  });

  test("stands in the journal wherever a call does, whichever commit is the last", async () => {
    for (let commit = 1; commit <= 6; commit++) {
      for (const when of ["before", "after"] as const) {
        const on = scene();
        const first = on.cast(twice, { ...priced(old), crash: { commit, when } });
        first.runner.start(items, { runId: "r" });
        await on.wait(1_000);
        const run = fold(await on.journal("r"));
        expect(run.prices.has("scripted:model")).toBe(run.reservations.size > 0);
      }
    }
  });

  test("is recorded again when a resumed run pays another one, and the charges tell both", async () => {
    const on = scene();
    const first = on.cast(twice, priced(old));
    first.runner.start(items, { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    const dearer = priced({ ...old, output: "$4", date: "2026-02-02" });
    await on.play(on.cast(twice, dearer).runner.resume("r").result());
    const entries = await on.journal("r");
    const [charge] = chargesOf(spendingOf(entries), fold(entries));
    expect(charge).toMatchObject({
      model: "scripted:model",
      spent: { calls: 10 },
      price: { source: "list", date: "2026-02-02", outputUsdPerMillion: "4" },
      earlier: [{ date: "2026-01-01", outputUsdPerMillion: "2" }],
    });
  });

  test("nobody knows is shown as none", async () => {
    const on = scene();
    await on.cast(each, { models: models() }).run(items, { runId: "r" });
    const entries = await on.journal("r");
    expect(chargesOf(spendingOf(entries), fold(entries))).toMatchObject([
      { model: "scripted:model", spent: { costUsd: "0", calls: 5 }, price: null },
    ]);
  });
});
