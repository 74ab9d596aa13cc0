import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compile, type Diagnostic } from "./compile.ts";

const source = readFileSync(join(import.meta.dirname, "misuse.ts"), "utf8");
const lines = source.split("\n");
const cases = [...source.matchAll(/^ *\/\/ @ts-expect-error on `(.+?)`: (.+)$/gm)].map((match) => {
  const line = source.slice(0, match.index).split("\n").length + 1;
  return { line, code: lines[line - 1] as string, culprit: match[1] as string, reason: match[2] as string };
});

describe("a misuse is refused on its culprit, in words one can read", () => {
  let found: readonly Diagnostic[] = [];
  beforeAll(() => {
    found = compile(source.replaceAll("@ts-expect-error", "refused"));
  });

  test("every case is written in the form this test reads, and is refused once", () => {
    expect(cases.length).toBe(source.split("@ts-expect-error").length - 1);
    expect(found.map(({ line }) => line)).toEqual(cases.map(({ line }) => line));
  });

  test.each(cases)("$code", ({ line, code, culprit, reason }) => {
    const complaint = found.find((diagnostic) => diagnostic.line === line);
    expect(code.slice((complaint?.column ?? 0) - 1).slice(0, culprit.length)).toBe(culprit);
    expect(complaint?.message).toContain(reason);
    expect(complaint?.message.split("\n").length).toBeLessThanOrEqual(4);
    // The compiler's advice about optional properties misleads here: no missing `undefined` is ever the reason.
    expect(complaint?.message).not.toContain("exactOptionalPropertyTypes");
  });
});
