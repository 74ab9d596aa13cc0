import { expect, test } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { addSpent, nothingSpent, picoUsd } from "../core/limits.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";
import { simulateShared } from "../testing/simulation/shared.ts";
import { everyJournal } from "./every-run.ts";
import { spentView } from "./readable.ts";
import { stats } from "./stats.ts";

test("counts runs by how they stand, and times of steps by place, all items together", async () => {
  const on = scene();
  const flaky = step("flaky", async (ms: number, ctx) => {
    await ctx.sleep("nap", `${ms}ms`);
    if (ms === 3_000 && ctx.attempt === 1) throw new Error("once");
    return ms;
  });
  const made = pipeline("p", mapOver("each", flaky.retry({ attempts: 2 })));
  await on.cast(made).run([1_000, 2_000, 3_000], { runId: "a" });
  await on
    .cast(
      pipeline(
        "p",
        step("no", (): string => {
          throw new Error("no");
        }),
      ),
    )
    .run(1, { runId: "b" });
  const found = await stats(on.store);
  expect(found.pipelines).toMatchObject([
    { pipeline: "p", runs: 2, statuses: { completed: 1, failed: 1, waiting: 0 }, completedShare: 0.5 },
  ]);
  const flakyStats = found.steps.find(({ step }) => step === "/p/each[]/flaky");
  expect(flakyStats).toMatchObject({ kind: "step", completed: 3, failed: 1, cached: 0 });
  const { p50 = 0, p95 = 0, max = 0 } = flakyStats?.durationMs ?? {};
  const journal = await on.journal("a");
  const took = journal.flatMap((entry) => (entry.type === "step-completed" ? [entry.took ?? 0] : []));
  const [, middle = 0, longest = 0] = took.toSorted((a, b) => a - b);
  expect(max).toBe(longest);
  for (const [shown, exact] of [
    [p50, middle],
    [p95, longest],
  ] as const) {
    expect(shown).toBeGreaterThanOrEqual(exact);
    expect(shown).toBeLessThanOrEqual(exact * 1.008);
  }
});

test("what pipelines, steps and days spent sums to the journals' own folds", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const store = memory();
    await simulateShared({ seed, store: () => store });
    let spent = nothingSpent;
    let reserved = 0;
    for await (const { entries } of everyJournal(store)) {
      const run = fold(entries);
      spent = addSpent(spent, run.spent);
      reserved += [...run.reservations.values()].filter(({ kind }) => kind === "model-call").length;
    }
    const { pipelines, steps, models, days, runs } = await stats(store);
    for (const rows of [pipelines, steps, days])
      expect(rows.reduce((sum, { spent: { costUsd } }) => sum + picoUsd(`$${costUsd}`), 0n)).toBe(
        spent.picoUsd,
      );
    expect(models.reduce((sum, { calls }) => sum + calls, 0)).toBe(reserved);
    expect(models.reduce((sum, { spent: { calls } }) => sum + calls, 0)).toBe(spentView(spent).calls);
    expect(pipelines.reduce((sum, one) => sum + one.runs, 0)).toBe(runs);
  }
});
