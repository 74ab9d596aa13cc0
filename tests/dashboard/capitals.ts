import { hash } from "node:crypto";
import { Flujo, pipeline, type StepContext, step } from "flujo";
import { type Case, contains, experiment, experimentInput, scorer } from "flujo/evals";
import { datasetOf } from "../../src/evals/dataset/dataset.ts";
import type { Store } from "../../src/ports/store.ts";

const continents = ["Africa", "Asia", "Europe", "America", "Oceania"];
const dataset = datasetOf(
  "capitals.jsonl",
  Array.from({ length: 120 }, (_, i): Case => {
    const continent = continents[i % continents.length] as string; // there are some
    return {
      id: `${continent.toLowerCase()}-${i}`,
      input: `What is the capital of country ${i} in ${continent}?`,
      expected: `Town ${i}`,
      cluster: `${continent} ${i % 4}`,
      tags: [i % 3 === 0 ? "small" : "large"],
    };
  }),
);

const friendly = scorer("friendly", ({ output }) => {
  const score = String(output).endsWith("!") ? 1 : 0.6;
  return { score, feedback: score === 1 ? "It is cheerful." : "It is curt." };
});

/** Experiments as pictures show them: prompts of a pipeline that get better, and one that does not. */
export async function tryCapitals(store: Store): Promise<void> {
  const versions = {
    baseline: 0.58,
    "shorter-prompt": 0.52,
    "with-examples": 0.7,
    "gpt-4o": 0.83,
    "examples-2": 0.8,
    "v7-final": 0.9,
  };
  for (const [name, share] of Object.entries(versions)) {
    const reply = (question: string, ctx: StepContext): Promise<string> =>
      ctx.spend("call", "$0.0004", () => {
        const [, number = ""] = /country (\d+)/.exec(question) ?? [];
        const own = luck(question + name) < 0.3 ? name : ""; // three of ten do otherwise than with another prompt
        return luck(question + own) < share ? `It is Town ${number}!` : "I do not know that country.";
      });
    const answer = step("answer", reply, { version: name });
    const task = pipeline("capitals", answer);
    const flujo = new Flujo(task, { store });
    const trying = { task, flujo, store, scorers: [contains(), friendly] };
    const trier = new Flujo(experiment(trying), { store });
    await trier.run(experimentInput(trying, dataset), { runId: name });
    await Promise.all([trier[Symbol.asyncDispose](), flujo[Symbol.asyncDispose]()]);
  }
}

/** A number from 0 to 1, always the same one of a text. */
const luck = (text: string): number => Number.parseInt(hash("sha256", text).slice(0, 6), 16) / 2 ** 24;
