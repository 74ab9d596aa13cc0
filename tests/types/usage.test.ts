import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile } from "./compile.ts";

test("what users write compiles, and its types are inferred", () => {
  expect(compile(readFileSync(join(import.meta.dirname, "usage.ts"), "utf8"))).toEqual([]);
});

/** A chain of so many links: named functions, steps, qualified steps, two types and a state, in turn. */
function chain(length: number): string {
  const forms = [
    (i: number) => `.to("more-${i}", (n) => n + 1)`,
    () => ".to(text)",
    () => '.to(size.retry({ attempts: 2 }).timeout("1s"))',
    (i: number) => `.to("unwrap-${i}", (n) => ({ n }).n)`,
  ];
  const links = Array.from({ length }, (_, i) => `  ${forms[i % forms.length]?.(i)}`);
  return `
import { type StepContext, type Step, step } from "../../src/index.ts";
interface Tally { count: number }
const text = step("text", (n: number) => String(n));
const size = step("size", (word: string, ctx: StepContext<Tally>) => word.length + ctx.state.count);
export const chain = step("first", (n: number) => n)
${links.join("\n")};
export const typed: Step<number, number, Tally> = chain;
`;
}

test("a chain of 500 links compiles, with every link inferred", () => {
  const begun = performance.now();
  expect(compile(chain(500))).toEqual([]);
  console.log(
    `500 links type-checked in ${Math.round(performance.now() - begun)} ms, the compiler's start included`,
  );
});

test("one wrong link among 500 is the only one refused", () => {
  const source = chain(500).replace(
    '.to("more-248", (n) => n + 1)',
    '.to("more-248", (n: string) => n.length)',
  );
  const line = source.split("\n").findIndex((text) => text.includes("more-248")) + 1;
  expect(compile(source)).toMatchObject([
    { line, message: expect.stringContaining("'number' is not assignable to type 'string'") },
  ]);
});
