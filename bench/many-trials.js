/**
 * An experiment with so many cases and a pipeline that does next to nothing, in a process of its own: `node many-trials.js
 * CASES DATABASE CONCURRENCY`. Prints its rate, and how long it takes to read and sum it up. JavaScript, so that Node's own type
 * stripping is not on Flujo's bill.
 */
import { Flujo, pipeline, step } from "flujo";
import { exact, experiment, experimentInput, readExperiment, summaryOf } from "flujo/evals";
import { sqlite } from "flujo/sqlite";

const [count = "1000", file = "many-trials.db", concurrency = "8"] = process.argv.slice(2);
const store = sqlite(file);
const task = pipeline(
  "shout",
  step("up", (text) => text.toUpperCase()),
);
const cases = Array.from({ length: Number(count) }, (_, i) => ({
  ...{ id: `case-${i}`, input: `word ${i}`, expected: `WORD ${i}` },
  ...{ cluster: `k${i % 500}`, tags: [i % 2 === 0 ? "even" : "odd"] },
}));
const flujo = new Flujo(task, { store, takeOver: false });
const trying = { task, flujo, store, scorers: [exact()], concurrency: Number(concurrency) };
const trier = new Flujo(experiment(trying), { store, takeOver: false });
const input = experimentInput(trying, { name: "words", hash: "0", cases });

const from = performance.now();
const { status } = await trier.run(input, { runId: "bench" });
const tried = performance.now();
if (status !== "completed") throw new Error(`the experiment is ${status}`);
const found = await readExperiment(store, "bench");
const { score } = summaryOf(found?.records ?? []);
if (score.cases !== cases.length || score.mean !== 1) throw new Error("not every case was scored");
const reportMs = performance.now() - tried;
await store.close();
console.log(JSON.stringify({ perSecond: (cases.length * 1_000) / (tried - from), reportMs }));
