import { describe, expect, test } from "vitest";
import { Flujo, pipeline, step } from "../../index.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import type { Case } from "../dataset/case.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { exact } from "../scorers/texts.ts";
import { Shelf } from "../views/shelf.ts";
import { experiment, experimentInput, laterPart } from "./experiment.ts";
import { looksAt } from "./looks.ts";
import { partRunId, partsOf } from "./parts.ts";
import { Reading } from "./reading.ts";
import type { ExperimentInput } from "./record.ts";
import { readExperiment, readTally, recordsOf } from "./results.ts";
import { summaryOf } from "./summary.ts";

const casesOf = (count: number): Case[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ id: `c${i}`, input: i % 7 === 0 ? "boom" : `w${i}`, expected: `W${i}` },
    ...{ cluster: `k${i % 5}`, tags: [i % 2 === 0 ? "even" : "odd"] },
    split: i % 5 === 0 ? "test" : "train",
  }));

const task = pipeline(
  "p",
  step("up", (text: string) => {
    if (text === "boom") throw new Error("no boom");
    return text === "w3" ? "?" : text.toUpperCase();
  }),
);

function inputFor(count: number, trials: number): ExperimentInput {
  return experimentInput({ task, scorers: [exact()] }, datasetOf("words", casesOf(count)), { trials });
}

/** Tries these parts of an experiment one after the other. */
async function tryParts(store: Store, name: string, parts: readonly ExperimentInput[]): Promise<void> {
  const flujo = new Flujo(task, { store });
  const options = { task, flujo, store, scorers: [exact()] };
  for (const part of parts) {
    const number = part.part?.number ?? 1;
    const trier = new Flujo(number === 1 ? experiment(options) : laterPart(options, name), { store });
    await trier.run(part, { runId: partRunId(name, number) });
  }
}

describe("a large experiment is tried in parts", () => {
  test.each([
    [10, 1, 10, 1],
    [10, 1, 3, 4],
    [10, 4, 3, 16],
    [10, 4, 25, 2],
    [3, 20, 7, 10],
    [1, 9, 2, 5],
  ])(
    "%i cases, %i trials, at most %i a part: every trial once, the first ones first",
    (count, trials, most, of) => {
      const input = inputFor(count, trials);
      const parts = partsOf(input, most);
      expect(parts).toHaveLength(of);
      const tried = parts.flatMap(({ cases, trials, part = { first: 1, last: trials } }) =>
        Array.from({ length: part.last - part.first + 1 }, (_, i) => part.first + i).flatMap((trial) =>
          cases.map(({ id }) => `${id}#${trial}`),
        ),
      );
      const all = Array.from({ length: trials }, (_, i) => i + 1).flatMap((trial) =>
        input.cases.map(({ id }) => `${id}#${trial}`),
      );
      expect(tried).toEqual(all);
      for (const { cases, part } of parts) {
        if (part === undefined) continue;
        expect(part.of).toBe(parts.length);
        expect(cases.length * (part.last - part.first + 1)).toBeLessThanOrEqual(most);
      }
    },
  );

  test("one that is not large is a run as ever", () => {
    const input = inputFor(10, 2);
    expect(partsOf(input, 20)).toEqual([input]);
  });

  test("ids of parts are ids of runs, however long the name", () => {
    expect([partRunId("e", 1), partRunId("e", 2)]).toEqual(["e", "e.part-2"]);
    expect(partRunId("e".repeat(128), 12)).toMatch(/^eval-[0-9a-f]{16}\.part-12$/);
  });

  test("in parts it comes to what it comes to in one run, and is one experiment to whoever reads it", async () => {
    const input = inputFor(20, 3);
    const [whole, inParts] = [memory(), memory()];
    await tryParts(whole, "e", [input]);
    await tryParts(inParts, "e", partsOf(input, 8));
    const [one, other] = [await readExperiment(whole, "e"), await readExperiment(inParts, "e")];
    const records = (from: typeof one) =>
      (from?.records ?? [])
        .map(({ durationMs: _, ...record }) => record)
        .sort((a, b) => a.trial - b.trial || a.runId.localeCompare(b.runId));
    expect(records(other)).toEqual(records(one));
    expect(records(other)).toHaveLength(60);
    expect(other?.input.cases).toEqual(input.cases);
    expect(other?.status).toBe("completed");
    const listed = await new Shelf(inParts, async () => {}).list({ limit: 10 });
    expect(listed.experiments).toMatchObject([{ name: "e", cases: 20, trials: 3, tried: 60 }]);
    const dataset = datasetOf("words", input.cases);
    for (const store of [whole, inParts])
      expect(await looksAt(store, dataset)).toMatchObject([{ run: "e", cases: 4 }]);
  });

  test("one that has stopped between two parts is not over, and a reading goes on where it was", async () => {
    const store = memory();
    const parts = partsOf(inputFor(20, 1), 8);
    const reading = new Reading(store, "e");
    expect(await reading.toNow()).toBeUndefined();
    await tryParts(store, "e", parts.slice(0, 2));
    expect((await reading.toNow())?.status).toBe("running");
    const shelf = new Shelf(store, async () => {});
    expect((await shelf.list({ limit: 1 })).experiments).toMatchObject([{ cases: 20, tried: 16 }]);
    await tryParts(store, "e", parts.slice(2));
    const news: string[] = [];
    for await (const { records } of reading.news()) news.push(...records.map(({ caseId }) => caseId));
    expect(news.sort()).toEqual(["c16", "c17", "c18", "c19"]);
    expect(reading.standing?.status).toBe("completed");
  });

  test("one whose later part is halted and goes on is told as it then stands", async () => {
    const store = memory();
    const parts = partsOf(inputFor(20, 1), 8);
    await tryParts(store, "e", parts.slice(0, 1));
    const dear = pipeline(
      "p",
      step("up", (text: string, ctx) => ctx.spend("pay", "$0.01", () => text.toUpperCase())),
    );
    const scopes = [{ scope: "eval:e", cost: "$0.03" }] as const;
    const flujo = new Flujo(dear, { store });
    const options = { task: dear, flujo, store, scorers: [exact()], scopes };
    const trier = new Flujo(laterPart(options, "e"), { store, scopes });
    const [, second] = parts as [ExperimentInput, ExperimentInput];
    expect((await trier.run(second, { runId: "e.part-2" })).status).toBe("halted");
    const shelf = new Shelf(store, async () => {});
    const [halted] = (await shelf.list({ limit: 1 })).experiments;
    expect(halted).toMatchObject({ status: "halted", tried: 11 });
    await store.ledger({ kind: "amend", scope: "eval:e", set: { picoUsd: "1000000000000" } });
    expect((await trier.run(second, { runId: "e.part-2" })).status).toBe("completed");
    expect((await shelf.list({ limit: 1 })).experiments).toMatchObject([{ status: "running", tried: 16 }]);
  });

  test("a run that has the id of a part and is none is no part", async () => {
    const store = memory();
    await new Flujo(task, { store }).run("a", { runId: "e.part-2" });
    await tryParts(store, "e", partsOf(inputFor(20, 1), 8).slice(0, 1));
    expect(await readExperiment(store, "e")).toMatchObject({ status: "running", records: { length: 8 } });
  });
});

test("a tally comes to what the records come to, and tells cases in their order", async () => {
  const store = memory();
  await tryParts(store, "e", partsOf(inputFor(20, 2), 12));
  const experiment = await readExperiment(store, "e");
  const { cases, ...summary } = summaryOf(experiment?.records ?? [], { passMark: 0.9 });
  const read = await readTally(store, "e", { passMark: 0.9 });
  expect(read?.tally.summary()).toEqual(summary);
  expect([...(read?.tally.cases() ?? [])]).toEqual(cases.map(({ trials: _, ...one }) => one));
  const ids: string[] = [];
  for await (const { runId } of recordsOf(store, "e")) ids.push(runId);
  expect(ids).toEqual(experiment?.records.map(({ runId }) => runId));
});
