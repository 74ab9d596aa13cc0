import { expect, test } from "vitest";
import { Flujo, pipeline, step } from "../../index.ts";
import { memory } from "../../stores/memory.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { experiment, experimentInput } from "../experiment/experiment.ts";
import { exact } from "../scorers/texts.ts";
import { Shelf } from "./shelf.ts";

const pause = async (): Promise<void> => {};
const dataset = datasetOf("letters", [
  { id: "a", input: "a", expected: "A" },
  { id: "b", input: "b", expected: "B" },
]);

test("an experiment that is under way is told as far as it is, and read on from there", async () => {
  const store = memory();
  const gate = Promise.withResolvers<void>();
  const task = pipeline(
    "shout",
    step("up", async (text: string) => {
      if (text === "b") await gate.promise;
      return text.toUpperCase();
    }),
  );
  const flujo = new Flujo(task, { store });
  const trying = { task, flujo, store, scorers: [exact()], concurrency: 1 };
  const trier = new Flujo(experiment(trying), { store });
  const handle = trier.start(experimentInput(trying, dataset), { runId: "e" });
  for await (const { type } of handle.events) if (type === "step-completed") break;

  const read: number[] = [];
  const shelf = new Shelf(
    {
      ...store,
      read: (runId, from, limit) => {
        read.push(from);
        return store.read(runId, from, limit);
      },
    },
    pause,
  );
  expect((await shelf.of("e"))?.records.map(({ caseId }) => caseId)).toEqual(["a"]);
  const { experiments } = await shelf.list({ limit: 10 });
  expect(experiments).toMatchObject([{ name: "e", status: "running", tried: 1, cases: 2 }]);
  gate.resolve();
  await handle.result();
  read.length = 0;
  expect((await shelf.of("e"))?.records.map(({ caseId }) => caseId)).toEqual(["a", "b"]);
  expect(read.length).toBeGreaterThan(1);
  expect(Math.max(...read)).toBeGreaterThan(2); // where it had ended, not from its beginning
  expect((await shelf.list({ limit: 10 })).experiments).toMatchObject([{ status: "completed", tried: 2 }]);
  read.length = 0;
  expect((await shelf.list({ limit: 10 })).experiments).toHaveLength(1);
  expect(read).toEqual([]); // one that is over is not read for the list again
});

test("one that was removed and made again is another one", async () => {
  const store = memory();
  const task = pipeline(
    "shout",
    step("up", (text: string) => text.toUpperCase()),
  );
  const flujo = new Flujo(task, { store });
  const trying = { task, flujo, store, scorers: [exact()] };
  const trier = new Flujo(experiment(trying), { store });
  const shelf = new Shelf(store, pause);
  await trier.run(experimentInput(trying, dataset), { runId: "e" });
  expect((await shelf.of("e"))?.records).toHaveLength(2);
  const answer = await store.acquire({ runId: "e", owner: "me", now: 0, ttlMs: 1, supersede: 0 });
  if (answer.outcome === "granted") await store.drop(answer.lease);
  expect(await shelf.of("e")).toBeUndefined();
});
