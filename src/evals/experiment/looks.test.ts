import { expect, test } from "vitest";
import { Flujo, pipeline, step } from "../../index.ts";
import { memory } from "../../stores/memory.ts";
import type { Case } from "../dataset/case.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { exact } from "../scorers/texts.ts";
import { experiment, experimentInput } from "./experiment.ts";
import { looksAt } from "./looks.ts";
import { improvePipeline } from "./pipelines.ts";

const cases: readonly Case[] = [
  { id: "learn", input: "a", split: "train" },
  { id: "prove", input: "b", split: "test" },
  { id: "prove too", input: "c", split: "test" },
];
const dataset = datasetOf("letters", cases);
const task = pipeline(
  "same",
  step("same", (text: string) => text),
);

async function tried(...experiments: readonly (readonly [name: string, ...cases: Case[]])[]) {
  const store = memory();
  const flujo = new Flujo(task, { store });
  const trying = { task, flujo, store, scorers: [exact()] };
  const trier = new Flujo(experiment(trying), { store });
  for (const [runId, ...some] of experiments)
    await trier.run(experimentInput(trying, datasetOf("letters", some)), { runId });
  return store;
}

const looksOf = async (...asked: Parameters<typeof looksAt>): Promise<unknown> =>
  (await looksAt(...asked)).map(({ run, cases }) => [run, cases]);

test("experiments that try test cases are looks, the first one first; those that do not are none", async () => {
  const [learn, prove, proveToo] = cases as [Case, Case, Case];
  const store = await tried(["one", learn, prove], ["none", learn], ["two", prove, proveToo]);
  expect(await looksOf(store, dataset)).toEqual([
    ["one", 1],
    ["two", 2],
  ]);
  expect(await looksOf(store, datasetOf("letters", [learn]))).toEqual([]);
});

test("a dataset that was called otherwise is known by its cases; other cases of the same ids are not", async () => {
  const store = await tried(["one", ...cases]);
  const [, prove, proveToo] = cases as [Case, Case, Case];
  const asked = { ...prove, input: "another question" };
  expect(await looksOf(store, datasetOf("renamed", [asked, proveToo]))).toEqual([["one", 1]]);
  // Under its own name a case stays the same one, though somebody mends what it asks.
  expect(await looksOf(store, datasetOf("letters", [asked, proveToo]))).toEqual([["one", 2]]);
});

test("a search is a look once it has come to the test split", async () => {
  const store = memory();
  const search = step(
    "search",
    async ({ comes }: { comes: boolean; dataset: object; cases: readonly Case[] }, ctx) =>
      comes ? ctx.run("look", () => 1) : 0,
  );
  const flujo = new Flujo(pipeline(improvePipeline, search), { store });
  const input = { dataset: { name: "letters", hash: "" }, cases };
  await flujo.run({ ...input, comes: false }, { runId: "early" });
  expect(await looksOf(store, dataset)).toEqual([]);
  await flujo.run({ ...input, comes: true }, { runId: "late" });
  expect(await looksOf(store, dataset)).toEqual([["late", 2]]);
});
