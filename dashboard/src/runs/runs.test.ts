import { expect, test } from "vitest";
import type { RunLine } from "../../../src/lens/list.ts";
import { type RunsPage, withHeard, withNews } from "./runs.ts";

const line = (runId: string, status = "running", minute = 0): RunLine => ({
  runId,
  pipeline: "p",
  fingerprint: "f",
  status,
  createdAt: `2030-01-01T00:0${minute}:00.000Z`,
  updatedAt: `2030-01-01T00:0${minute}:00.000Z`,
  spent: { costUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 },
  advancedBy: null,
});
const pages = (...runs: readonly (readonly RunLine[])[]) => ({
  pages: runs.map((page): RunsPage => ({ runs: page, next: null })),
  pageParams: [""],
});
const ids = (known: ReturnType<typeof pages>): string[][] =>
  known.pages.map(({ runs }) => runs.map(({ runId, status }) => `${runId} ${status}`));

test("news of a listed run changes its line where it stands, on any page", () => {
  const known = pages([line("c", "running", 3)], [line("b"), line("a")]);
  expect(ids(withNews(known, line("b", "completed"), {}))).toEqual([
    ["c running"],
    ["b completed", "a running"],
  ]);
});

test("a new run comes to the head of a list it fits into", () => {
  const known = pages([line("a")]);
  expect(ids(withNews(known, line("b", "running", 1), {}))).toEqual([["b running", "a running"]]);
  expect(ids(withNews(known, line("b", "running", 1), { status: "failed" }))).toEqual([["a running"]]);
  expect(ids(withNews(known, line("b", "running", 1), { id: "b" }))).toEqual([["b running", "a running"]]);
});

test("trials of experiments come only where they are asked for", () => {
  const known = pages([line("a")]);
  const trial = { ...line("e.case.1", "running", 1), trialOf: "e" };
  expect(ids(withNews(known, trial, {}))).toEqual([["a running"]]);
  expect(ids(withNews(known, trial, { trials: "shown" }))).toEqual([["e.case.1 running", "a running"]]);
});

test("a run that fits no more leaves; an old one that is on no page yet comes with its page", () => {
  const known = pages([line("b", "running", 2)]);
  expect(ids(withNews(known, line("b", "completed", 2), { status: "running" }))).toEqual([[]]);
  expect(ids(withNews(known, line("a", "completed", 1), {}))).toEqual([["b running"]]);
});

test("a page that was on its way has what was heard meanwhile, where that is newer", () => {
  const page = { runs: [line("b", "completed", 2), line("a")], next: null };
  const heard = [line("b", "running", 1), line("a", "failed"), line("c", "running", 3)];
  const shown = (known: RunsPage) => known.runs.map(({ runId, status }) => `${runId} ${status}`);
  expect(shown(withHeard(page, heard, {}, true))).toEqual(["c running", "b completed", "a failed"]);
  expect(shown(withHeard(page, heard, {}, false))).toEqual(["b completed", "a failed"]);
});
