import { type ComparisonView, client } from "flujo/client";
import { compare, gate, readExperiment, summaryOf } from "flujo/evals";
import { expect, test } from "vitest";
import { decimalUsd } from "../../src/core/limits.ts";
import { memory } from "../../src/stores/memory.ts";
import { tryWords, usualWords } from "./experiments.ts";
import { stage } from "./stage.ts";

async function served() {
  const store = memory();
  await tryWords(store, "before", { trials: 2 });
  await tryWords(store, "after", { wrong: ["ant", "cat"], trials: 2 });
  await tryWords(store, "other", { words: ["x", "y"], dataset: "others" });
  const { url, get, post, stands } = await stage({ store });
  return { store, api: client({ url }).experiments, get, post, stands };
}

const recordsIn = async (store: Parameters<typeof readExperiment>[0], name: string) =>
  (await readExperiment(store, name))?.records ?? [];

test("experiments are listed, the newest first, by dataset and page by page", async () => {
  const { store, api } = await served();
  const { experiments, next } = await api.list();
  expect([experiments.map(({ name }) => name), next]).toEqual([["other", "after", "before"], null]);
  const records = await recordsIn(store, "after");
  const { score, failed } = summaryOf(records);
  expect(experiments[1]).toMatchObject({
    ...{
      status: "completed",
      pipeline: "shouting",
      scorers: ["exact"],
      cases: 6,
      trials: 2,
      tried: 12,
      failed,
    },
    dataset: { name: "letters" },
    score: { mean: score.mean, low: score.low, high: score.high, cases: 6, clusters: 3 },
    costUsd: decimalUsd(records.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n)),
  });
  expect((await api.list({ dataset: "letters" })).experiments.map(({ name }) => name)).toEqual([
    "after",
    "before",
  ]);
  expect((await api.list({ pipeline: "none" })).experiments).toEqual([]);
  const first = await api.list({ limit: 2 });
  expect(first.experiments).toHaveLength(2);
  const second = await api.list({ limit: 2, cursor: first.next ?? "" });
  expect([second.experiments.map(({ name }) => name), second.next]).toEqual([["before"], null]);
  await tryWords(store, "newest");
  expect((await api.list({ limit: 1 })).experiments[0]?.name).toBe("newest");
});

test("the list of runs leaves their trials out where that is asked for, and says of each what it is a trial of", async () => {
  const { get } = await served();
  type Runs = {
    readonly runs: readonly { readonly runId: string; readonly trialOf?: string }[];
    next: string | null;
  };
  const all = (await get("/api/v1/runs?limit=1000")).body as Runs;
  const ids = ({ runs }: Runs): string[] => runs.map(({ runId }) => runId);
  expect(all.runs).toHaveLength(3 + 12 + 12 + 2);
  for (const { runId, trialOf } of all.runs)
    expect(trialOf).toBe(runId.includes(".") ? runId.split(".")[0] : undefined);
  const without = (await get("/api/v1/runs?trials=false")).body as Runs;
  expect([ids(without), without.next]).toEqual([["other", "after", "before"], null]);
  const pages: string[][] = [];
  for (let next: string | null = ""; next !== null; ) {
    const page = (await get(`/api/v1/runs?trials=false&limit=1${next && `&cursor=${next}`}`)).body as Runs;
    pages.push(ids(page));
    next = page.next;
  }
  expect(pages.flat()).toEqual(["other", "after", "before"]);
});

test("one is told with its intervals, slices and failures; its cases with outputs and feedback, the worst first", async () => {
  const { store, api } = await served();
  const view = await api.get("after");
  const { slices, failures, latency } = summaryOf(await recordsIn(store, "after"));
  expect(view.failures).toEqual(failures);
  expect(view.latency).toEqual(latency);
  expect(view.slices.t).toMatchObject({ mean: slices.t?.mean, low: slices.t?.low, high: slices.t?.high });
  const { cases, total, next } = await api.cases("after", { limit: 4 });
  expect([cases.map(({ caseId }) => caseId), total, next]).toEqual([["ant", "cat", "boom", "bee"], 6, 4]);
  expect(cases[0]).toMatchObject({
    ...{ input: "ant", expected: "ANT", cluster: "k0", tags: ["t"], score: 0 },
    trials: [
      { trial: 1, runId: "after.ant.1", output: "?", costUsd: "0.000000000001", error: null },
      { trial: 2, runId: "after.ant.2" },
    ],
  });
  expect(cases[0]?.trials[0]?.scores[0]?.feedback).toContain("ANT");
  expect(cases[2]?.trials[0]).toMatchObject({ status: "failed", output: null, costUsd: "0" });
  expect(cases[2]?.trials[0]?.error).toContain("no boom");
  const rest = await api.cases("after", { from: 4, tag: "u" });
  expect([rest.cases, rest.total]).toEqual([[], 3]);
});

test("two are compared, and their cases paired, those first that have come to do worse", async () => {
  const { store, api } = await served();
  const [before, after] = [await recordsIn(store, "before"), await recordsIn(store, "after")];
  const view: ComparisonView = await api.compare("after", "before", { margin: 0.1 });
  const comparison = compare(before, after, { margin: 0.1 });
  const { standardError: _, ...difference } = comparison.difference;
  expect(view).toMatchObject({
    ...{ difference, better: 0, worse: 2, unpaired: 0, margin: 0.1 },
    verdict: gate(comparison, { margin: 0.1 }),
    slices: { t: { mean: comparison.slices.t?.mean, holm: comparison.slices.t?.holm } },
  });
  expect([view.before.name, view.after.name]).toEqual(["before", "after"]);
  const pairs = await api.pairs("after", "before");
  expect([pairs.cases.map(({ caseId }) => caseId).slice(0, 2), pairs.total]).toEqual([
    ["ant", "cat"],
    usualWords.length,
  ]);
  expect(pairs.cases[0]).toMatchObject({
    before: { score: 1, trials: [{ output: "ANT" }, { output: "ANT" }] },
    after: { score: 0, trials: [{ output: "?" }, { output: "?" }] },
  });
  expect((await api.pairs("after", "before", { changed: true })).total).toBe(2);
  await expect(api.compare("after", "other")).rejects.toMatchObject({
    status: 409,
    code: "nothing-in-common",
  });
});

test("an experiment that goes on is told as it then stands; a run that is none is not", async () => {
  const { api, get, post, stands } = await served();
  await post("/api/v1/runs", { pipeline: "hello", input: "Ada", runId: "hello-1" });
  await stands("hello-1");
  await expect(api.get("hello-1")).rejects.toMatchObject({ status: 404, code: "unknown-experiment" });
  await expect(api.get("none")).rejects.toMatchObject({ status: 404 });
  expect((await get("/api/v1/experiments/before/cases?limit=1001")).status).toBe(400);
});
