import { describe, expect, it } from "vitest";
import { agent } from "../agents/agent.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "./compose.ts";
import type { AnyStep } from "./step.ts";
import { findProblems } from "./validation.ts";

const work = (name: string) => step(name, (n: number) => n);
const codes = (tree: AnyStep): string[] =>
  findProblems(tree.node).map((problem) => `${problem.code} ${problem.path}`);

describe("validation", () => {
  it("finds nothing wrong with a sound tree", () => {
    const tree = pipeline(
      "p",
      work("a")
        .fallback(work("b"))
        .to(branchOn("r", () => "x", { x: work("a"), y: work("a") }))
        .to(loopUntil("l", work("a").retry({ attempts: 2 }), { until: () => true, maxLoops: 3 })),
    );
    expect(codes(tree)).toEqual([]);
    expect(tree.validate()).toEqual([]);
  });

  it("finds two places of one name side by side, wherever they are", () => {
    expect(codes(pipeline("p", work("a").to(work("a"))))).toEqual(["duplicate-name /p/a"]);
    expect(codes(pipeline("p", work("a").fallback(work("a").to(work("z")))))).toContain(
      "duplicate-name /p/a",
    );
    expect(codes(mapOver("m", work("a").to(work("b")).to(work("a"))))).toEqual(["duplicate-name /m[]/a"]);
  });

  it("finds a fallback cycle, and names it", () => {
    const [a, b] = [work("A"), work("B")];
    const [problem] = findProblems(a.fallback(b.fallback(a)).node);
    expect(problem).toMatchObject({
      code: "fallback-cycle",
      message: expect.stringContaining("A -> B -> A"),
    });
  });

  it("finds compensations that the journal could not tell apart, and those of a compensation", () => {
    const undo = step("undo", (value: unknown) => value);
    const one = work("a").compensate(undo);
    expect(codes(pipeline("p", one.to(work("b").compensate("undo", () => {}))))).toEqual([]);
    expect(
      codes(
        pipeline(
          "p",
          one.retry({ attempts: 2 }).compensate("again", () => {}),
        ),
      ),
    ).toEqual(["double-compensation /p/a"]);
    expect(codes(work("a").compensate(pipeline("undo", step("in", () => 1).to(one))))).toEqual([
      "nested-compensation /a",
    ]);
    expect(codes(work("a").compensate(undo.to(undo)))).toEqual(["duplicate-name /a@undo/undo"]);
  });

  it("finds what is kept for other runs although it can be undone", () => {
    const undone = work("a").compensate("undo", () => {});
    const cached = "cached-compensation";
    expect(codes(undone.cached())).toEqual([`${cached} /a`]);
    expect(codes(pipeline("p", pipeline("q", undone).cached()))).toEqual([`${cached} /p/q`]);
    expect(
      codes(
        work("a")
          .cached()
          .compensate("undo", () => {}),
      ),
    ).toEqual([`${cached} /a`]);
    const kept = step("undo", (value: unknown) => value).cached();
    expect(codes(work("a").compensate(kept))).toEqual([`${cached} /a`]);
    expect(codes(pipeline("p", work("a").cached()).compensate("undo", () => {}))).toEqual([]);
  });

  it("finds loops without an end", () => {
    for (const maxLoops of [0, -1, Number.POSITIVE_INFINITY, 1.5, Number.NaN]) {
      expect(codes(loopUntil("l", work("a"), { until: () => true, maxLoops }))).toEqual([
        "unbounded-loop /l",
      ]);
    }
  });

  it("finds missing branches and impossible concurrency", () => {
    expect(codes(parallel("both", {}) as AnyStep)).toEqual(["missing-branch /both"]);
    expect(codes(branchOn("route", () => "x" as never, {}) as AnyStep)).toEqual(["missing-branch /route"]);
    expect(codes(mapOver("m", work("a"), { concurrency: 0 }))).toEqual(["invalid-concurrency /m"]);
  });

  it("finds models of unknown providers, and takes the author's own", () => {
    const tree = pipeline(
      "p",
      agent("a", { model: "opnai:gpt-4o", system: "S" }).to(agent("b", { model: "my:m", system: "S" })),
    );
    const of = (options?: { providers: string[] }) =>
      tree.validate(options).map(({ code, path }) => `${code} ${path}`);
    expect(of()).toEqual(["unknown-model /p/a", "unknown-model /p/b"]);
    expect(of({ providers: ["my"] })).toEqual(["unknown-model /p/a"]);
  });

  it("finds a retry around a retry", () => {
    expect(codes(work("a").retry({ attempts: 2 }).timeout("1s").retry({ attempts: 2 }))).toEqual([
      "double-retry /a",
    ]);
  });

  const none = ((n: number) => n) as never; // a function where a step belongs: no compiler has looked
  it.each<[string, () => unknown]>([
    ['the body of "p"', () => pipeline("p", none)],
    ['what "m" does with each item', () => mapOver("m", none)],
    ['the body of "l"', () => loopUntil("l", none, { until: () => true, maxLoops: 1 })],
    ['branch "x" of "both"', () => parallel("both", { x: none })],
    ['branch "x" of "r"', () => branchOn("r", () => "x", { x: none })],
    ['the default of "r"', () => branchOn("r", (_: number) => "x", { x: work("a") }, { otherwise: none })],
    ["what .to() was given", () => work("a").to(none)],
    ["what .fallback() was given", () => work("a").fallback(undefined as never)],
  ])("is not needed to find that %s is no step", (what, build) => {
    expect(build).toThrow(
      expect.objectContaining({
        code: "invalid-option",
        message: `${what} is no step`,
        hint: 'Make it one: step("name", (input) => …)',
      }),
    );
  });

  it("validates a chain of 10,000 without running out of stack", () => {
    let chain = work("s0");
    for (let i = 1; i < 10_000; i++) chain = chain.to(work(`s${i}`));
    expect(codes(chain)).toEqual([]);
  });
});
