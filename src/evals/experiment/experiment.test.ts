import { describe, expect, test } from "vitest";
import type { Json } from "../../core/json.ts";
import type { Step } from "../../core/step.ts";
import { Flujo, humanInTheLoop, InvalidOptionError, pipeline, step } from "../../index.ts";
import { memory } from "../../stores/memory.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import type { Case } from "../dataset/case.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { judge, pairwise } from "../scorers/judge.ts";
import { type Scorer, scorer } from "../scorers/scorer.ts";
import { exact } from "../scorers/texts.ts";
import { compare, gate, gateAt } from "./comparison.ts";
import { experiment, experimentInput, trialRunId } from "./experiment.ts";
import type { TrialRecord } from "./record.ts";
import { readExperiment } from "./results.ts";
import { summaryOf } from "./summary.ts";

const cases: readonly Case[] = ["a", "b", "boom"].map((input) => ({
  id: input,
  input,
  expected: input.toUpperCase(),
}));
const dataset = datasetOf("letters", cases);

const up = step("up", (text: string) => {
  if (text === "boom") throw new Error("no boom");
  return text.toUpperCase();
});

async function tried(task: Step<never, unknown, never>, scorers: readonly Scorer[], trials = 1) {
  const store = memory();
  const flujo = new Flujo(task, { store });
  const trying = { task, flujo, store, scorers };
  const trier = new Flujo(experiment(trying), { store });
  const result = await trier.run(experimentInput(trying, dataset, { trials }), { runId: "e" });
  if (result.status !== "completed") throw new Error(`the experiment is ${result.status}`);
  return { records: result.output, store };
}

describe("an experiment", () => {
  test("has a run for each trial, and is found by its name", async () => {
    const { records, store } = await tried(pipeline("p", up) as never, [exact()], 2);
    expect(records.map(({ runId, status, score }) => [runId, status, score])).toEqual([
      ["e.a.1", "completed", 1],
      ["e.b.1", "completed", 1],
      ["e.boom.1", "failed", 0],
      ["e.a.2", "completed", 1],
      ["e.b.2", "completed", 1],
      ["e.boom.2", "failed", 0],
    ]);
    expect((await readExperiment(store, "e"))?.records).toEqual(expect.arrayContaining(records));
    expect(await readExperiment(store, "e.a.1")).toBeUndefined();
    expect(await readExperiment(store, "none")).toBeUndefined();
    const { score, failures, trials, failed } = summaryOf(records);
    expect({ mean: score.mean, cases: score.cases, trials, failed }).toEqual({
      mean: 2 / 3,
      cases: 3,
      trials: 6,
      failed: 2,
    });
    expect(failures).toEqual([
      {
        what: "failed step-failed /p/up",
        trials: 2,
        caseIds: ["boom"],
        example: expect.stringContaining("no boom"),
      },
    ]);
  });

  test("a run that waits for a person is a failure, and an input that does not fit is one", async () => {
    const waiting = await tried(
      pipeline("p", humanInTheLoop("ask", { prompt: () => "Well?" }) as never) as never,
      [exact()],
    );
    expect(waiting.records.map(({ status, error }) => [status, error?.code])).toEqual(
      cases.map(() => ["waiting", "waiting"]),
    );
    const only = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no text" }] }) },
    } as const;
    const refused = await tried(pipeline("p", up as never, { input: only as never }) as never, [exact()]);
    expect(refused.records.map(({ status, score }) => [status, score])).toEqual(
      cases.map(() => ["refused", 0]),
    );
  });

  test("a judge's points are a score; nonsense is its own failure, and pairs are asked in both orders", async () => {
    const says = (...answers: string[]) => scriptedModel({ replies: answers });
    const fine = JSON.stringify({ reason: "good", points: 4 });
    const { records } = await tried(pipeline("p", up) as never, [modelled(says(fine), judge)]);
    expect(records[0]?.scores[0]).toEqual({ scorer: "judge", score: 0.75, feedback: "good" });
    const first = JSON.stringify({ reason: "the first", better: "first" });
    const same = await tried(pipeline("p", up) as never, [modelled(says(first), pairwise)]);
    // Who always likes the first one has no opinion.
    expect(same.records[0]?.scores[0]).toMatchObject({ score: 0.5, parts: { ahead: 1, behind: 0 } });
    const nonsense = await tried(pipeline("p", up) as never, [modelled(says("42"), judge)]);
    expect(nonsense.records[0]?.scores[0]).toMatchObject({ score: 0, failed: true });
  });

  test("takes a trial's run that has failed as it is, and does not try the case again", async () => {
    const store = memory();
    let tries = 0;
    const task = pipeline(
      "p",
      step("up", () => {
        tries += 1;
        throw new Error("no");
      }),
    ) as never;
    const flujo = new Flujo(task, { store });
    const trying = { task, flujo, store, scorers: [exact()] };
    await flujo.run("boom" as never, { runId: "e.boom.1" });
    const input = experimentInput(trying, dataset, { cases: cases.slice(2) });
    const result = await new Flujo(experiment(trying), { store }).run(input, { runId: "e" });
    expect(tries).toBe(1);
    const { output } = result as { readonly output: readonly TrialRecord[] }; // it has completed
    expect(output).toMatchObject([{ runId: "e.boom.1", status: "failed", error: { code: "step-failed" } }]);
    expect(output[0]?.durationMs).toBeTypeOf("number");
  });

  test("has no duration of a trial that was interrupted, and that of one whose run was over when it went on", async () => {
    const store = memory();
    const task = pipeline("p", up) as never;
    const over = new Flujo(task, { store });
    await over.run("a" as never, { runId: "e.a.1" });
    const ask = pipeline("p", humanInTheLoop("ask", { prompt: () => "Well?" }) as never) as never;
    const asking = new Flujo(ask, { store });
    await asking.run("b" as never, { runId: "f.b.1" });
    const durationIn = async (name: string, tried: never, flujo: Flujo<never, unknown>, which: number) => {
      const trying = { task: tried, flujo, store, scorers: [exact()] };
      const input = experimentInput(trying, dataset, { cases: cases.slice(which, which + 1) });
      await new Flujo(experiment(trying), { store }).run(input, { runId: name });
      return (await readExperiment(store, name))?.records[0]?.durationMs;
    };
    expect(await durationIn("e", task, over, 0)).toBeTypeOf("number");
    expect(await durationIn("f", ask, asking, 1)).toBeUndefined();
    let fails = true;
    const moody = pipeline(
      "p",
      step("up", (text: string) => {
        if (fails) throw new Error("not yet");
        return text.toUpperCase();
      }),
    ) as never;
    const again = new Flujo(moody, { store });
    await again.run("a" as never, { runId: "g.a.1" });
    fails = false;
    await again.resume("g.a.1").result();
    expect(await durationIn("g", moody, again, 0)).toBeUndefined();
  });

  test("needs a scorer, and each a name of its own", () => {
    const options = { task: up as never, flujo: new Flujo(up, { store: memory() }), store: memory() };
    expect(() => experiment({ ...options, scorers: [] })).toThrow(InvalidOptionError);
    expect(() => experiment({ ...options, scorers: [exact(), exact()] })).toThrow(
      'two scorers are called "exact"',
    );
    const trying = { task: up as never, scorers: [exact()] };
    expect(() => experimentInput(trying, dataset, { trials: 0 })).toThrow(InvalidOptionError);
  });

  test("makes run ids of any case's id", () => {
    const idOf = (experiment: string, id: string) =>
      trialRunId(experiment, { case: { id, input: null }, trial: 2 });
    expect(idOf("e", "a-1")).toBe("e.a-1.2");
    expect(idOf("e", "a/1")).toMatch(/^e\.[0-9a-f]{16}\.2$/);
    expect(idOf("e", "x".repeat(200))).toMatch(/^e\.[0-9a-f]{16}\.2$/);
    expect(idOf("e".repeat(128), "a")).toMatch(/^eval-[0-9a-f]{16}\.[0-9a-f]{16}\.2$/);
  });
});

type Making = (options: { readonly model: object; readonly rubric: string }) => Scorer;
/** A judge whose model is scripted. */
const modelled = (model: object, make: Making): Scorer => make({ model, rubric: "It shouts." });

function recordsOf(scores: readonly number[], tag = "t"): TrialRecord[] {
  return scores.map((score, i) => ({
    ...{
      caseId: `c${i}`,
      trial: 1,
      runId: `r${i}`,
      tags: [tag],
      status: "completed",
      score,
      scores: [],
      picoUsd: "0",
    },
  }));
}

describe("a summary", () => {
  test("counts as failed what is below the mark, wrong answers too, and names five cases of each group", () => {
    const wrong = { scorer: "exact", feedback: "not so" };
    const records = recordsOf([0, 0.4, 0.45, 0.2, 0.3, 0.1, 0.6, 1]).map((one) => ({
      ...one,
      scores: [{ ...wrong, score: one.score }],
    }));
    const { failed, failures, scorers } = summaryOf(records);
    expect(failed).toBe(6);
    expect(failures).toEqual([
      { what: "wrong by exact", trials: 6, caseIds: ["c0", "c1", "c2", "c3", "c4"], example: "not so" },
    ]);
    expect(scorers.exact?.mean).toBeCloseTo(3.05 / 8, 12);
    expect(summaryOf(records, { passMark: 0.9 }).failed).toBe(7);
  });
});

describe("a comparison", () => {
  const before = recordsOf(Array.from({ length: 200 }, (_, i) => Number(i % 10 > 0)));
  const changed = (change: (score: number, i: number) => number) =>
    before.map((one, i) => ({ ...one, score: change(one.score, i) }));

  test("corrects the probabilities of slices for their number", () => {
    const tagged = (list: readonly TrialRecord[]) => list.map((one, i) => ({ ...one, tags: [`t${i % 4}`] }));
    const after = changed((score, i) => (i % 4 === 0 && i % 3 === 0 ? 0 : score));
    const { slices } = compare(tagged(before), tagged(after));
    expect(Object.keys(slices)).toEqual(["t0", "t1", "t2", "t3"]);
    expect(slices.t0?.p).toBeLessThan(0.01);
    expect(slices.t0?.holm).toBeCloseTo(4 * (slices.t0?.p ?? 1), 12);
    expect(slices.t1?.holm).toBe(1);
  });

  test("opens the gate for what is no worse, shuts it for what is, and says when it cannot tell", () => {
    const verdict = (after: readonly TrialRecord[], margin = 0.05) =>
      gate(compare(before, after, { margin }), { margin });
    expect(verdict(before)).toBe("pass");
    expect(verdict(changed((score, i) => (i % 10 === 0 ? 1 : score)))).toBe("pass");
    expect(verdict(changed((score, i) => (i % 4 === 1 ? 0 : score)))).toBe("regress");
    expect(
      verdict(
        changed((score, i) => (i % 25 === 1 ? 0 : score)),
        0.01,
      ),
    ).toBe("regress");
    expect(
      verdict(
        changed((score, i) => (i % 50 === 1 ? 0 : score)),
        0.03,
      ),
    ).toBe("inconclusive");
  });

  test("shuts it for a slice that is worse, though the whole is not", () => {
    const small = recordsOf(
      Array.from({ length: 30 }, () => 1),
      "small",
    ).map((one, i) => ({ ...one, caseId: `s${i}` }));
    const base = [
      ...recordsOf(
        Array.from({ length: 600 }, () => 0.5),
        "large",
      ),
      ...small,
    ];
    const after = base.map((one, i) => ({
      ...one,
      score: one.tags?.[0] === "small" ? Number(i % 2) : 0.55 + (i % 3) / 100,
    }));
    const comparison = compare(base, after);
    expect(comparison.difference.mean).toBeGreaterThan(0);
    expect(comparison.slices.small?.holm).toBeLessThan(0.05);
    expect(gate(comparison)).toBe("regress");
  });

  test("tells what is only in one, what has changed, and how many cases would tell", () => {
    const some = changed((score, i) => (i % 50 === 1 ? 0 : i % 50 === 0 ? 1 : score)).slice(0, 150);
    const { unpaired, changed: list, casesNeeded: needed } = compare(before, some);
    expect(unpaired).toBe(50);
    expect(list[0]).toEqual({ caseId: "c1", before: 1, after: 0 });
    expect(list.at(-1)).toEqual({ caseId: "c100", before: 0, after: 1 });
    expect(needed).toBeGreaterThan(50);
    expect(() =>
      compare(
        before,
        recordsOf([1]).map((one) => ({ ...one, caseId: "other" })),
      ),
    ).toThrow(RangeError);
  });

  test("by itself goes by the mean", () => {
    expect([
      gateAt({ low: 0.8, high: 0.9 }, 0.8),
      gateAt({ low: 0.7, high: 0.79 }, 0.8),
      gateAt({ low: 0.7, high: 0.9 }, 0.8),
    ]).toEqual(["pass", "regress", "inconclusive"]);
  });
});

test("a scorer may look at anything, and its words are kept", async () => {
  const seen: Json[] = [];
  const own = scorer("own", ({ output, case: { id } }) => {
    seen.push([id, output]);
    return { score: 0.5, feedback: "hm", parts: { taste: 0.5 } };
  });
  const { records } = await tried(pipeline("p", up) as never, [own, exact()]);
  expect(seen).toEqual([
    ["a", "A"],
    ["b", "B"],
  ]);
  expect(records[0]).toMatchObject({
    score: 0.75,
    scores: [{ scorer: "own", parts: { taste: 0.5 } }, { scorer: "exact" }],
  });
});
