import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { RunEvent } from "../core/events.ts";
import type { Node } from "../core/node.ts";
import { sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";
import { picture } from "./live.ts";
import { Progress } from "./progress.ts";

const number = step("n", (n: number) => n);

/** The progress of a run that has come to its end, and what it looked like on the way. */
async function progressOf<In>(what: Step<In, unknown>, input: In, until = (_: RunEvent): boolean => false) {
  const store = memory();
  const aside = async (hash: string) => JSON.parse((await store.blob(hash)) ?? "[]").length as number;
  const progress = new Progress(what.node, aside);
  let halfway: string[] = [];
  const onEvent = (event: RunEvent): void => {
    progress.take(event);
    if (until(event)) halfway = drawing(progress);
  };
  await using flujo = new Flujo(what, { store, onEvent });
  await flujo.run(input);
  return { progress, halfway, drawn: drawing(progress) };
}

const drawing = (progress: Progress, height = 24): string[] =>
  picture(progress, { width: 60, height, spin: "~", tookMs: 1_000 }).map((line) =>
    stripVTControlCharacters(line),
  );

test("a map is one line that counts its items, however many", async () => {
  const { drawn } = await progressOf(
    pipeline(
      "p",
      mapOver(
        "all",
        number.to("m", (n) => n + 1),
      ),
    ),
    [1, 2, 3],
  );
  expect(drawn).toEqual(["✔ p", "  ✔ all  3/3", "    ✔ n  3 done", "    ✔ m  3 done", "1.0 s"]);
});

test("on its way, what is unfinished turns, and the total is known before the end", async () => {
  const made = step("list", (n: number) => Array.from({ length: n }, (_, i) => i));
  const { halfway, drawn } = await progressOf(
    pipeline(
      "p",
      made.to(mapOver("all", number, { concurrency: 1 })).to("end", (all) => all.length),
    ),
    5_000, // long enough to be kept aside
    (event) => event.type === "step-completed" && event.path === "/p/all[99]/n",
  );
  expect(halfway[0]).toBe("~ p");
  expect(halfway[1]).toMatch(/^ {2}✔ list/);
  expect(halfway.slice(2, 5)).toEqual(["  ~ all  100/5,000", "    ~ n  100 done", "  · end"]);
  expect(drawn.slice(0, 2)).toEqual(["✔ p", expect.stringMatching(/^ {2}✔ list/)]);
  expect(drawn[2]).toBe("  ✔ all  5,000/5,000");
});

test("branches, loops and sleeps have their lines; what was not taken stays pending", async () => {
  const tree = pipeline(
    "p",
    parallel("both", { a: number, b: step("b", (n: number) => n) })
      .to(
        branchOn(
          "route",
          () => "x",
          { x: step("x", ({ a }: { a: number; b: number }) => a) },
          { otherwise: step("y", (_: { a: number; b: number }) => 0) },
        ),
      )
      .to(
        loopUntil(
          "loop",
          step("up", (n: number) => n + 1),
          { until: (n) => n > 3, maxLoops: 9 },
        ),
      )
      .to(sleep("nap", "1ms")),
  );
  const { drawn } = await progressOf(tree, 1);
  expect(drawn.map((line) => line.replace(/ {2}\d+ ms$/, ""))).toEqual([
    "✔ p",
    "  ✔ both",
    "    ✔ n",
    "    ✔ b",
    "  ✔ route",
    "    ✔ x",
    "    · y",
    "  ✔ loop",
    "    ✔ up  3 done",
    "  ✔ nap",
    "1.0 s",
  ]);
});

test("a failed step is marked, and so is what is around it", async () => {
  const { drawn } = await progressOf(
    pipeline(
      "p",
      number.to("bad", () => {
        throw new Error("no");
      }),
    ),
    1,
  );
  expect(drawn).toEqual(["✖ p", expect.stringMatching(/✔ n/), "  ✖ bad  1 failed attempt", "1.0 s"]);
});

test("a long tree is cut to the terminal, around what is at work", () => {
  let chain: { readonly node: Node; to(name: string, work: (n: number) => number): Step<number, number> } =
    number;
  for (let i = 0; i < 50; i++) chain = chain.to(`s${i}`, (n) => n);
  const progress = new Progress(chain.node);
  progress.take({ type: "step-started", path: "/s20", kind: "step", attempt: 1, seq: 1, at: "" });
  const lines = drawing(progress, 10);
  expect(lines).toHaveLength(10);
  expect(lines.some((line) => line.includes("~ s20"))).toBe(true);
  expect(lines[0]).toMatch(/^… \d+ above$/);
  expect(lines.at(-2)).toMatch(/^… \d+ below$/);
});

const streamed = (path: string, chunk: string, kind?: "reasoning"): RunEvent => ({
  type: "text-streamed",
  path: `${path}:call#0`,
  of: 1,
  block: 0,
  ...(kind === undefined ? {} : { kind }),
  chunks: [chunk],
  seq: 2,
  at: "",
});

test("what a model says is shown below its step while it says it, without control characters, cut to the width", () => {
  const progress = new Progress(pipeline("p", number).node);
  progress.take({ type: "step-started", path: "/p/n", kind: "step", attempt: 1, seq: 1, at: "" });
  progress.take(streamed("/p/n", "one\x1b[31m\ntwo"));
  progress.take(streamed("/p/n", " three"));
  expect(drawing(progress)[2]).toBe("    one\\x1b[31m two three");
  progress.take(streamed("/p/n", " and so on".repeat(500)));
  const [, , line = ""] = drawing(progress);
  expect(line).toMatch(/^ {4}….*and so on$/);
  expect(line).toHaveLength(60);
  progress.take(streamed("/p/n", "字".repeat(100)));
  expect(drawing(progress)[2]).toBe(`    …${"字".repeat(27)}`);
  const settled = { of: 1, picoUsd: 5n, tokens: 3, seq: 9, at: "" };
  progress.take({ type: "budget-settled", path: "/p/n:call#0", ...settled });
  expect(drawing(progress)).toHaveLength(3);
});

test("of many that speak at once, three are shown, and the picture keeps to its height", () => {
  const sides = Object.fromEntries([..."abcdefgh"].map((key) => [key, step(key, (n: number) => n)]));
  const progress = new Progress(pipeline("p", parallel("all", sides)).node);
  for (const key of "abcdefgh") progress.take(streamed(`/p/all[${key}]/${key}`, `I am ${key}`));
  expect(drawing(progress).filter((line) => line.includes("I am"))).toHaveLength(3);
  const small = drawing(progress, 6);
  expect(small.length).toBeLessThanOrEqual(6);
  expect(small.filter((line) => line.includes("I am"))).toHaveLength(1);
});
