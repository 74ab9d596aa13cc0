import { expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import { loopUntil, mapOver, parallel, pipeline, step } from "./compose.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { outlineFrom } from "./outline-text.ts";
import { nodeOf, type Step } from "./step.ts";

const outline = (made: Step<never, unknown, never>, release?: Outline["release"]): Outline =>
  outlineFrom(outlineOf(nodeOf(made, "it"), "p", release).text);

const write = agent("write", {
  model: "openai:gpt-4o",
  system: "Write for {{input.reader}}.",
  input: z.object({ reader: z.string() }),
});

test("an outline has every place with its prompt, model and settings, in the order of the tree", () => {
  const made = pipeline(
    "p",
    write
      .retry({ attempts: 3, jitter: false })
      .timeout("5s")
      .to(
        mapOver(
          "each",
          step("one", (n: string) => n),
          { over: (text: string) => [text], concurrency: 7 },
        ),
      )
      .to(
        parallel("both", {
          left: step("l", (n: string[]) => n),
          right: step("r", (n: string[]) => n.length),
        }),
      ),
    { version: "2" },
  );
  const { pipeline: name, places } = outline(made);
  expect(name).toBe("p");
  expect(places.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
    "/p pipeline",
    "/p/write agent",
    "/p/each mapOver",
    "/p/each[]/one step",
    "/p/both parallel",
    "/p/both[left]/l step",
    "/p/both[right]/r step",
  ]);
  expect(places[0]?.facts).toMatchObject({ version: "2" });
  expect(places[1]).toMatchObject({
    facts: { model: "openai:gpt-4o", system: "Write for {{input.reader}}." },
    settings: [
      { kind: "timeout", ms: 5_000 },
      { kind: "retry", attempts: 3, jitter: false },
    ],
  });
  expect(places[2]?.settings).toEqual([{ concurrency: 7 }]);
  expect(places[3]?.facts).toEqual({ code: expect.any(String), input: null, output: null });
});

test("budgets, caches, checks and fallbacks are settings; their functions, schemas and trees are not", () => {
  const made = step("a", (n: number) => n)
    .budget("$0.05")
    .cached({ ttl: "1h", key: () => "k" })
    .validate(z.number())
    .fallback(step("b", (n: number) => n));
  const { places } = outline(pipeline("p", made));
  expect(places[1]).toMatchObject({
    path: "/p/a",
    settings: [
      { kind: "fallback" },
      { kind: "validate" },
      { kind: "cached", ttlMs: 3_600_000 },
      { kind: "budget", limits: { picoUsd: "50000000000" } },
    ],
  });
  expect(places[2]).toMatchObject({ path: "/p/b", kind: "step" });
  expect(places[2]).not.toHaveProperty("settings");
});

test("what undoes a place has places of its own, and is no setting", () => {
  const refund = pipeline(
    "refund",
    step("call", (_: unknown) => 1),
  );
  const { places } = outline(pipeline("p", step("pay", (n: number) => n).compensate(refund)));
  expect(places.map(({ path, settings }) => [path, settings])).toEqual([
    ["/p", undefined],
    ["/p/pay", undefined],
    ["/p/pay@undo/refund", undefined],
    ["/p/pay@undo/refund/call", undefined],
  ]);
});

test("the same tree of the same release is one blob; another release makes another, of the same places", () => {
  const node = nodeOf(
    pipeline(
      "p",
      loopUntil(
        "l",
        step("a", (n: number) => n),
        { until: () => true, maxLoops: 2 },
      ),
    ),
    "it",
  );
  const [plain, again, other] = [
    outlineOf(node, "p"),
    outlineOf(node, "p"),
    outlineOf(node, "p", { commit: "abc" }),
  ];
  expect(again).toBe(plain);
  expect(other.hash).not.toBe(plain.hash);
  expect(outlineFrom(other.text)).toEqual({ ...outlineFrom(plain.text), release: { commit: "abc" } });
});
