/** What holds of every look: partial ids, --json, and a helpful word where there is nothing. Needs `npm run build`. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

/** Looks at one run, with what else they take. */
const atOne: readonly (readonly string[])[] = [
  ["show"],
  ["trace"],
  ["costs"],
  ["watch"],
  ["export"],
  ["replay"],
  ["fork", "--at", "/summaries/each", "--run-id", "forked", "--quiet"],
];
const atAll: readonly (readonly string[])[] = [
  ["list"],
  ["costs"],
  ["stats"],
  ["versions"],
  ["verify"],
  ["prune", "--older-than", "1d"],
];

const given = ["--input-json", '["One. Two.", "Three. Four."]', "--run-id"];

async function office(): Promise<Folder> {
  const folder = new Folder();
  for (const runId of ["alpha-1", "alpha-2", "beta-1"])
    await folder.flujo("run", pipelines, "--export", "summaries", ...given, runId);
  return folder;
}

const documentsIn = (stdout: string): unknown[] =>
  stdout.startsWith("{\n") || !stdout.includes("\n{")
    ? [JSON.parse(stdout)]
    : stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);

describe("every look", () => {
  test.each(atOne)("at one run takes the first characters of its id: %s", async (look, ...more) => {
    const folder = await office();
    const { code, stdout } = await folder.flujo("lens", look, "beta", ...more, "--json");
    expect(code).toBe(0);
    for (const document of documentsIn(stdout)) expect(document).toEqual(expect.any(Object));
    const both = await folder.flujo("lens", look, "alpha", ...more);
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringMatching(/alpha-1.*alpha-2|alpha-2.*alpha-1/s),
    ]);
    const none = await folder.flujo("lens", look, "gamma", ...more);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no run gamma")]);
    expect(none.stderr).toContain("flujo lens list");
    const told = await folder.flujo("lens", look, "gamma", ...more, "--json");
    expect([told.code, JSON.parse(told.stdout)]).toMatchObject([2, { error: { code: "unknown-run" } }]);
  });

  test("at two runs does so for both", async () => {
    const folder = await office();
    const { code, document } = await folder.json("lens", "diff", "alpha-2", "bet");
    expect([code, document]).toMatchObject([0, { a: { runId: "alpha-2" }, b: { runId: "beta-1" } }]);
    expect((await folder.flujo("lens", "diff", "alpha", "beta")).code).toBe(2);
  });

  test.each(atAll)("at many runs has a document, and says when there are none: %s", async (...look) => {
    const folder = new Folder();
    const empty = await folder.flujo("lens", ...look);
    expect([empty.code, empty.stdout]).toEqual([0, ""]);
    expect(empty.stderr.trim()).not.toBe("");
    expect((await folder.json("lens", ...look)).document).toEqual(expect.any(Object));
    expect(existsSync(`${folder.path}/.flujo`)).toBe(false);
  });
});

test("the commands above are all that there are, but for the one that serves", async () => {
  const { stdout } = await new Folder().flujo("lens", "--help");
  const there = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  const looked = [...atOne, ...atAll].map(([name]) => name);
  expect(new Set(there)).toEqual(new Set([...looked, "diff", "serve", "help"]));
});
