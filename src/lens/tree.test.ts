import { describe, expect, test } from "vitest";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Entry, Fact } from "../core/entries.ts";
import { fold, record } from "../core/fold.ts";
import { decimalUsd } from "../core/limits.ts";
import { isWithin, type Path } from "../core/paths.ts";
import { emptyRecord } from "../core/run-record.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";
import { noForks } from "../testing/simulation/forks.ts";
import { simulate } from "../testing/simulation.ts";
import { readJournal } from "./journal.ts";
import { nested, parentPath } from "./nesting.ts";
import { operationsOf, Recorded } from "./operations.ts";
import { Spending } from "./spending.ts";
import { type Pause, Tree, type TreePage, type TreeRow } from "./tree.ts";

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

interface Grown {
  readonly pauses: readonly Pause[];
  page(within: Path, from: number, limit: number): TreePage;
}

const tree = (...facts: readonly Fact[]): Grown => grow(journal(...facts));
/** Looked at after each entry, so that what comes is added to what is there. */
function grow(entries: readonly Entry[]): Grown {
  const [grown, recorded, spending, run] = [new Tree(), new Recorded(), new Spending(), emptyRecord()];
  for (const entry of entries) {
    record(run, entry);
    grown.pass(entry);
    for (const operation of recorded.take(entry)) grown.tell(operation);
    const charge = spending.take(entry);
    if (charge !== undefined) grown.charge(charge);
  }
  return { pauses: grown.pauses, page: (...where) => grown.page(...where, recorded, run) };
}
const below = (within: Grown, path: Path, most = 100): readonly TreeRow[] => within.page(path, 0, most).rows;

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

/** Every row of a run, counted anew from its operations as they stand: what the tree must say without counting anew. */
function recounted(entries: readonly Entry[]): readonly object[] {
  const run = fold(entries);
  const now = run.updatedAt;
  const operations = new Map([...nested(operationsOf(entries, run))].map((one) => [one.path, one]));
  const below = new Map<Path, Path[]>();
  for (const path of [...operations.keys()].flatMap(partsOf)) {
    const siblings = below.get(parentPath(path)) ?? [];
    if (!siblings.includes(path)) below.set(parentPath(path), [...siblings, path]);
  }
  const row = (path: Path): Row => {
    const inner = (below.get(path) ?? []).map(row);
    const own = operations.get(path);
    const all = inner.map(({ status }) => status);
    const status =
      own?.status ??
      (["running", "waiting", "failed", "stopped"] as const).find((one) => all.includes(one)) ??
      "completed";
    const innerBegan = Math.min(...inner.map(({ began }) => began));
    const ownBegan = Math.min(own?.startedAt ?? own?.endedAt ?? innerBegan, now);
    const isOpen = own?.status === "running" || own?.status === "waiting";
    const ownEnded = own === undefined ? 0 : isOpen ? now : Math.min(own.endedAt ?? ownBegan, now);
    const charged = [...run.reservations.values()].filter((one) => isWithin(one.path, path));
    const cost = charged.reduce((sum, one) => sum + BigInt((one.settled ?? one.amount).picoUsd), 0n);
    const began = Math.min(innerBegan, ownBegan);
    const ended = Math.max(began, ownEnded, ...inner.map((one) => one.ended)); // a sleep may be set when its moment has passed
    return { path, status, children: inner.length, costUsd: decimalUsd(cost), began, ended };
  };
  const rows = (path: Path): Row[] => (below.get(path) ?? []).flatMap((one) => [row(one), ...rows(one)]);
  return rows("");
}
type Row = Pick<TreeRow, "path" | "status" | "children" | "costUsd" | "began" | "ended">;

const partsOf = (path: Path): Path[] => (path === "" ? [] : [...partsOf(parentPath(path)), path]);

test("kept up entry by entry, it says of random runs among crashes what a count of all would", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { journal } = await simulate({ seed, forks: noForks });
    for (const length of [0.2, 0.45, 0.7, 0.9, 1].map((part) => Math.ceil(journal.length * part))) {
      const entries = journal.slice(0, length);
      const grown = grow(entries);
      const rows = (path: Path): Row[] =>
        below(grown, path, 10_000).flatMap(({ path, status, children, costUsd, began, ended }) => [
          { path, status, children, costUsd, began, ended },
          ...rows(path),
        ]);
      expect([seed, length, rows("")]).toEqual([seed, length, recounted(entries)]);
    }
  }
});
