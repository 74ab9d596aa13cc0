import { expect, test } from "vitest";
import type { TreePage, TreeRow } from "../../../src/lens/tree.ts";
import { Branches, pagesOf } from "./branches.ts";

const row = (path: string, children = 0): TreeRow => ({
  path,
  name: path,
  kind: "step",
  status: "completed",
  attempts: 1,
  began: 0,
  ended: 1,
  costUsd: "0",
  tokens: 0,
  children,
});
const page = (within: string, total: number, rows: readonly TreeRow[], from = 0): TreePage => ({
  within,
  total,
  from,
  rows,
});
const shown = (branches: Branches): string[] =>
  branches.lines().map(({ depth, row, from }) => `${" ".repeat(depth)}${row?.path ?? `(${from})`}`);

test("before anything has come there is one line to come", () => {
  expect(shown(new Branches())).toEqual(["(0)"]);
});

test("small branches are open, their rows to come; large ones are closed until somebody opens them", () => {
  const branches = new Branches();
  branches.take([page("", 1, [row("/p", 2)]), page("/p", 2, [row("/p/all", 50_000), row("/p/both", 2)])]);
  expect(shown(branches)).toEqual(["/p", " /p/all", " /p/both", "  (0)", "  (1)"]);
  branches.toggle("/p/both", false);
  branches.toggle("/p/all", true);
  expect(branches.lines()).toHaveLength(50_003);
  branches.take([page("/p/all", 50_000, [row("/p/all[0]", 2)])]); // in a large branch even a small one is closed
  expect(branches.lines()).toHaveLength(50_003);
});

test("what the reader looks at is asked for by the page, each once", () => {
  const branches = new Branches();
  branches.take([page("", 1, [row("/p", 1)]), page("/p", 1, [row("/p/all", 50_000)])]);
  branches.toggle("/p/all", true);
  expect(pagesOf(branches.lines().slice(29_910, 29_930))).toEqual([{ within: "/p/all", from: 29_800 }]);
  expect(pagesOf(branches.lines().slice(0, 3))).toEqual([
    { within: "", from: 0 },
    { within: "/p", from: 0 },
    { within: "/p/all", from: 0 },
  ]);
});

test("an operation far inside is revealed by opening all it lies in", () => {
  const branches = new Branches();
  branches.take([
    page("", 1, [row("/p", 1)]),
    page("/p", 1, [row("/p/all", 40)]),
    page("/p/all", 40, [row("/p/all[a]", 20)]),
    page("/p/all[a]", 20, [row("/p/all[a]/ask", 1)]),
  ]);
  branches.reveal("/p/all[a]/ask:call#0");
  expect(shown(branches).slice(0, 5)).toEqual([
    "/p",
    " /p/all",
    "  /p/all[a]",
    "   /p/all[a]/ask",
    "    (0)",
  ]);
});
