import { Flujo, pipeline, step } from "flujo";
import { type Case, exact, experiment, experimentInput } from "flujo/evals";
import { datasetOf } from "../../src/evals/dataset/dataset.ts";
import type { Store } from "../../src/ports/store.ts";

export interface WordTerms {
  /** Cases by their ids, which are what is asked, too. */
  readonly words?: readonly string[];
  /** What is answered wrong; `boom` always fails. */
  readonly wrong?: readonly string[];
  readonly dataset?: string;
  readonly trials?: number;
}

export const usualWords: readonly string[] = ["ant", "bee", "cat", "dog", "boom", "emu"];

/** An experiment in a store: a pipeline that shouts, tried on words. */
export async function tryWords(store: Store, name: string, terms: WordTerms = {}): Promise<void> {
  const { words = usualWords, wrong = [], dataset = "letters", trials = 1 } = terms;
  const shout = step("shout", (word: string, ctx) => {
    if (word === "boom") throw new Error(`no ${word}`);
    return ctx.spend("pay", "$0.000000000001", () => (wrong.includes(word) ? "?" : word.toUpperCase()));
  });
  const task = pipeline("shouting", shout);
  const flujo = new Flujo(task, { store });
  const trying = { task, flujo, store, scorers: [exact()] };
  const cases = words.map(
    (word, i): Case => ({
      ...{ id: word, input: word, expected: word.toUpperCase() },
      ...{ cluster: `k${i % 3}`, tags: [i % 2 === 0 ? "t" : "u"] },
    }),
  );
  const trier = new Flujo(experiment(trying), { store });
  const result = await trier.run(experimentInput(trying, datasetOf(dataset, cases), { trials }), {
    runId: name,
  });
  if (result.status !== "completed") throw new Error(`the experiment is ${result.status}`);
  await Promise.all([trier[Symbol.asyncDispose](), flujo[Symbol.asyncDispose]()]);
}
