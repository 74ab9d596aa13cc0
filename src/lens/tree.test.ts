import { describe, expect, test } from "vitest";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Entry, Fact } from "../core/entries.ts";
import { fold } from "../core/fold.ts";
import type { Path } from "../core/paths.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";
import { readJournal } from "./journal.ts";
import { operationsOf } from "./operations.ts";
import { type Tree, type TreeRow, treeOf } from "./tree.ts";

/** A journal by hand: entries come ten milliseconds apart. */
const journal = (...facts: readonly Fact[]): Entry[] =>
  [created, ...facts].map((fact, seq) => ({ seq, at: seq * 10, ...fact }));

const created: Fact = {
  type: "run-created",
  pipeline: "p",
  fingerprint: "f",
  manifest: "m",
  input: null,
  state: {},
};
const done = (path: Path, took = 5): Fact => ({
  type: "step-completed",
  path,
  kind: "step",
  output: 1,
  took,
});
const failed = (path: Path): Fact => ({
  type: "step-failed",
  path,
  kind: "step",
  attempt: 1,
  error: { code: "step-failed", message: "no", retryable: true },
  took: 5,
});
const started: Fact = { type: "map-started", path: "/p/all", count: 2 };
const resumed: Fact = { type: "run-resumed", owner: "o", fence: 2, why: "resumed" };

const tree = (...facts: readonly Fact[]): Tree => grow(journal(...facts));
function grow(entries: readonly Entry[]): Tree {
  const run = fold(entries);
  return treeOf(operationsOf(entries, run).values(), entries, run);
}
const below = (within: Tree, path: Path): readonly TreeRow[] => within.page(path, 0, 100).rows;

describe("of a journal by hand", () => {
  test("what holds operations and has no entry yet is a row of its own, as long as what is inside", () => {
    const grown = tree(started, done("/p/all[a]/get"), failed("/p/all[b]/get"), done("/p/all[b]/put"));
    expect(below(grown, "")).toMatchObject([{ path: "/p", kind: "place", status: "running", children: 1 }]);
    expect(below(grown, "/p/all")).toMatchObject([
      {
        path: "/p/all[a]",
        name: "[a]",
        kind: "item",
        status: "completed",
        began: 15,
        ended: 20,
        children: 1,
      },
      { path: "/p/all[b]", name: "[b]", kind: "item", status: "failed", began: 25, ended: 40, children: 2 },
    ]);
  });

  test("a row that was tried again lasts from its first beginning to its last end", () => {
    const [row] = below(tree(failed("/p/a"), resumed, done("/p/a")), "/p");
    expect(row).toMatchObject({ status: "completed", began: 5, ended: 30 });
  });

  test("what is under way lasts until now, and never into the future", () => {
    const begun: Fact = { type: "step-started", path: "/p/a", kind: "step", attempt: 1 };
    const sleeping: Fact = { type: "timer-set", path: "/p/b", due: 9_000 };
    const rows = below(tree(begun, sleeping, done("/p/c")), "/p");
    expect(rows.map(({ status, began, ended }) => [status, began, ended])).toEqual([
      ["running", 10, 30],
      ["running", 20, 30],
      ["completed", 25, 30],
    ]);
  });

  test("a page holds what was asked for, and says of how many", () => {
    const grown = tree(...[..."abcdef"].map((key) => done(`/p/all[${key}]/get`)));
    const page = grown.page("/p/all", 2, 3);
    expect(page).toMatchObject({ total: 6, from: 2 });
    expect(page.rows.map(({ name }) => name)).toEqual(["[c]", "[d]", "[e]"]);
    expect(grown.page("/p/nothing", 0, 10)).toMatchObject({ total: 0, rows: [] });
  });

  test("money is charged to a call and to everything around it, what is held as well", () => {
    const reserved = (path: Path, picoUsd: string): Fact => ({
      type: "budget-reserved",
      path,
      model: "some:model",
      amount: { picoUsd, inputTokens: 5, outputTokens: 5 },
    });
    const grown = tree(
      reserved("/p/all[a]/ask:call#0", "30000000000"),
      reserved("/p/all[b]/ask:call#0", "1"),
    );
    expect(below(grown, "/p/all").map(({ costUsd }) => costUsd)).toEqual(["0.03", "0.000000000001"]);
    expect(below(grown, "")[0]).toMatchObject({ costUsd: "0.030000000001", tokens: 20 });
    expect(below(grown, "/p/all[a]/ask")).toMatchObject([{ kind: "model-call", model: "some:model" }]);
  });

  test("a pause is the time before somebody took the run up again", () => {
    const waiting: Fact = { type: "run-waiting", signals: ["/p/ask"] };
    expect(tree(done("/p/a"), waiting, resumed, done("/p/b")).pauses).toEqual([{ from: 20, to: 30 }]);
  });
});

test("of a run, every operation is in the tree once", async () => {
  const item = step("twice", (n: number) => n * 2);
  const both = parallel("both", { left: step("l", () => 1), right: step("r", () => 2) });
  const store = memory();
  await using flujo = new Flujo(pipeline("p", mapOver("all", item).to(both)), { store });
  const { runId } = await flujo.run([1, 2, 3]);
  const entries = (await readJournal(store, runId)) ?? [];
  const grown = grow(entries);
  const paths: Path[] = [];
  const walk = (path: Path): void => {
    for (const row of below(grown, path)) {
      paths.push(row.path);
      walk(row.path);
    }
  };
  walk("");
  expect(paths).toEqual([
    "/p",
    "/p/all",
    "/p/all[0]",
    "/p/all[0]/twice",
    "/p/all[1]",
    "/p/all[1]/twice",
    "/p/all[2]",
    "/p/all[2]/twice",
    "/p/both",
    "/p/both[left]",
    "/p/both[left]/l",
    "/p/both[right]",
    "/p/both[right]/r",
  ]);
});
