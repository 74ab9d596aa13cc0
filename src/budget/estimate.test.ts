import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { type Limits, limitsOf } from "../core/limits.ts";
import type { AnyStep, Step } from "../core/step.ts";
import { refusalsAtMost } from "../engine/in-turn.ts";
import { callAttempts } from "../engine/paid.ts";
import { rootOf } from "../engine/root.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import type { Bound } from "./bounds.ts";
import type { EstimateFacts } from "./call-bounds.ts";
import { estimate } from "./estimate.ts";
import { expected } from "./expected.ts";
import { judge } from "./verdict.ts";

/** A token of output costs $1, one of input nothing, and each call is made once: a bound counts answers. */
const facts: EstimateFacts = {
  rates: () => ({ input: 0n, output: 10n ** 12n }),
  imagePrice: () => 5n,
  tries: 1,
  refusals: 0,
};
const bounded = (made: AnyStep, more: Partial<EstimateFacts> = {}): Promise<Bound> =>
  estimate(rootOf(made.node).node, { ...facts, textTokens: 0, items: 1, ...more });
const dollars = ({ use }: Pick<Bound, "use">): number => Number(use.picoUsd / 10n ** 12n);
const reasons = ({ open }: Bound): string[] => open.map(({ why }) => why);

const asks = (name: string, most = 10, least = 1) =>
  agent<string>(name, { model: "test:m", system: "", maxOutputTokens: most, minOutputTokens: least });

describe("the most a run can use", () => {
  test("grows with attempts, turns, items, fallbacks and the calls of an agent", async () => {
    expect(dollars(await bounded(asks("a")))).toBe(10);
    expect(dollars(await bounded(asks("a").retry({ attempts: 3 })))).toBe(30);
    expect(dollars(await bounded(asks("a"), { tries: 3 }))).toBe(30);
    expect(dollars(await bounded(asks("a").fallback(asks("b", 5))))).toBe(15);
    const loop = loopUntil("l", asks("a"), { until: () => true, maxLoops: 4 });
    expect(dollars(await bounded(loop))).toBe(40);
    expect(dollars(await bounded(mapOver("m", asks("a"))))).toBe(10);
    expect(dollars(await bounded(mapOver("m", asks("a")), { items: 7 }))).toBe(70);
    const list = { known: { input: ["x", "y", "z"], state: {} } };
    expect(dollars(await bounded(mapOver("m", asks("a")), list))).toBe(30);
    const look = tool("look", { description: "Looks", input: z.object({}), execute: () => "" });
    const busy = agent("a", { model: "test:m", system: "", maxOutputTokens: 10, tools: [look], maxTurns: 5 });
    expect(dollars(await bounded(busy))).toBe(50);
    const shaped = agent("a", {
      model: "test:m",
      system: "",
      maxOutputTokens: 10,
      output: z.number(),
      repairs: 3,
    });
    expect(dollars(await bounded(shaped))).toBe(40);
  });

  test("has a compensation in it once for each completed place, whatever the place was allowed", async () => {
    const book = asks("a").compensate(asks("undo", 3) as never);
    expect(dollars(await bounded(pipeline("p", book)))).toBe(13);
    const retried = book.budget("$4").retry({ attempts: 3 });
    expect(dollars(await bounded(pipeline("p", retried)))).toBe(7);
    expect(dollars(await bounded(pipeline("p", mapOver("m", book)), { items: 5 }))).toBe(65);
    expect((await bounded(pipeline("p", book))).must.calls).toBe(1n);
  });

  test("is that of all branches at once, or of the dearest where one is chosen", async () => {
    expect(dollars(await bounded(parallel("p", { a: asks("a"), b: asks("b", 5) })))).toBe(15);
    const route = branchOn(
      "r",
      (_: string) => "a",
      { a: asks("a"), b: asks("b", 5) },
      { otherwise: asks("c", 7) },
    );
    expect(dollars(await bounded(route))).toBe(10);
    expect([...(await bounded(route)).lines.values()].map((line) => [line.place, dollars(line)])).toEqual([
      ["/r/r[a]/a", 10],
      ["/r/r[b]/b", 5],
      ["/r/r[otherwise]/c", 7],
    ]);
  });

  test("is no more than the budgets of places, however often they are tried", async () => {
    expect(dollars(await bounded(asks("a").budget("$4").retry({ attempts: 3 })))).toBe(4);
    expect(dollars(await bounded(asks("a").budget("$4").to(asks("b"))))).toBe(14);
    expect(dollars(await bounded(mapOver("m", asks("a").budget("$4")), { items: 3 }))).toBe(12);
    const held = await estimate(rootOf(pipeline("p", asks("a").budget("$4")).node).node, {
      ...facts,
      rates: () => ({ input: 1n, output: 1n }),
    });
    expect([dollars(held), held.open.map(({ of }) => of)]).toEqual([4, [["tokens"]]]);
  });

  test("is that of every model of a chain and of the cheaper one; one of them must be paid", async () => {
    const made = agent("a", {
      model: ["test:m", "test:n"],
      degradeTo: "test:o",
      system: "",
      maxOutputTokens: 10,
      minOutputTokens: 2,
    });
    const rates = (name: string) => ({ input: 0n, output: (name === "test:o" ? 1n : 10n) * 10n ** 12n });
    const bound = await bounded(made, { rates });
    expect([dollars(bound), bound.must.picoUsd]).toEqual([210, 2n * 10n ** 12n]);
  });

  test("has no end where a tool has a price", async () => {
    const look = tool("look", {
      description: "Looks",
      input: z.object({}),
      execute: () => "",
      price: "$0.01",
    });
    const bound = await bounded(agent("a", { model: "test:m", system: "", tools: [look] }));
    expect(reasons(bound)).toEqual([
      "the tool look of /a/a has a price, and is called as often as its model likes",
    ]);
  });

  test("counts a call twice that a place's budget may cut short", async () => {
    expect((await bounded(asks("a").budget("$4"))).use.calls).toBe(2n);
    expect((await bounded(asks("a").budget("$10"))).use.calls).toBe(1n);
  });

  test("has the cut answer in the input of a try that goes on with it", async () => {
    const made = agent("a", { model: "test:m", system: "", stream: true, onCut: "continue" });
    const known = { input: "x", state: {} };
    const bound = await estimate(rootOf(made.node).node, { ...facts, known });
    expect(reasons(bound)).toEqual(["a cut answer of /a/a is gone on with, and sent along"]);
  });

  test("is told with the reasons where there is none, by name", async () => {
    const made = pipeline(
      "p",
      step("list", (n: number) => [String(n)])
        .to(mapOver("all", asks("one")))
        .to("talk", (_, ctx) => ctx.generate("g", { model: "test:m", prompt: "" })),
    );
    const bound = await estimate(rootOf(made.node).node, { ...facts, rates: () => undefined });
    expect(reasons(bound)).toEqual([
      "test:m has no known price",
      "the prompt of /p/all[]/one is made of what is not known before it runs",
      "/p/all has as many items as the list it gets",
      "/p/talk may call models in its body, which only running it tells",
    ]);
  });

  test("knows the prompts that are made of the run's input, and of its items", async () => {
    const known = { input: ["x".repeat(100), "x".repeat(300)], state: {} };
    const bound = await estimate(rootOf(mapOver("m", asks("a")).to("join", (all) => all.join()).node).node, {
      ...facts,
      known,
    });
    const [line] = bound.lines.values();
    expect([bound.open, line?.call.unknown, line?.times]).toEqual([[], [], [{ what: "items", n: 2 }]]);
    expect(line?.call.inputTokens).toBeGreaterThanOrEqual(300);
  });
});

describe("a verdict", () => {
  const verdict = async (made: AnyStep, budget: Limits, more: Partial<EstimateFacts> = {}) =>
    judge(await bounded(made, more), budget);

  test("says whether the budget fits, might not, or cannot", async () => {
    const made = asks("a", 10, 4).to(asks("b", 5));
    expect(await verdict(made, limitsOf("$15"))).toEqual({ verdict: "fits", why: [] });
    expect(await verdict(made, limitsOf("$14"))).toMatchObject({
      verdict: "might-not-fit",
      why: ["it may need up to $15"],
    });
    expect(await verdict(made, limitsOf("$3"))).toMatchObject({
      verdict: "cannot-fit",
      why: ["the budget is $3, and one call in it reserves at least $4"],
    });
    expect(await verdict(made, { calls: 1 })).toMatchObject({ verdict: "cannot-fit" });
    expect(await verdict(made, { ...limitsOf("$15"), timeMs: 5 })).toEqual({
      verdict: "might-not-fit",
      why: ["how long it takes is not estimated"],
    });
    expect(await verdict(made, {})).toEqual({ verdict: "no-budget", why: [] });
  });

  test("knows that a place's own budget cannot pay, unless the place may be passed by", async () => {
    const poor = asks("a", 10, 4).budget("$3");
    expect((await verdict(poor.to(asks("b")), limitsOf("$99"))).verdict).toBe("cannot-fit");
    const either = branchOn("r", (_: string) => "a", { a: poor, b: asks("b") });
    expect((await verdict(either, limitsOf("$99"))).verdict).toBe("fits");
    expect((await verdict(mapOver("m", poor), limitsOf("$99"))).verdict).toBe("fits");
    const failing = asks("a", 10, 4).budget("$3", { onLimit: "fail" }).fallback(asks("b"));
    expect((await verdict(failing, limitsOf("$99"))).verdict).toBe("fits");
  });
});

test("no run costs more than its bound, or sends more than its first call was said to hold", async () => {
  const model = scriptedModel({
    replies: () => "x".repeat(400),
    price: { input: "$1000", output: "$10000" },
  });
  const rates = { input: 1_000_000_000n, output: 10_000_000_000n };
  const look = tool("look", { description: "Looks", input: z.object({ at: z.string() }), execute: () => "" });
  const leaf = (name: string, kind: number): Step<string, string> =>
    kind === 3
      ? agent<string>(name, {
          model,
          system: "Of {{input}}.",
          prompt: "Say {{input}}",
          examples: [{ input: "this", output: "that" }],
          showBudget: true,
          maxOutputTokens: 6,
        })
      : kind === 0
        ? agent(name, { model, system: "Say something.", maxOutputTokens: 20 })
        : kind === 1
          ? agent(name, {
              model,
              system: (input) => `About ${input}`,
              prompt: (text) => `${text}!`,
              maxOutputTokens: 9,
              tools: [look],
            })
          : agent(name, {
              model,
              system: "",
              maxOutputTokens: 7,
              output: z.string(),
              repairs: 1,
              seed: 1,
            }).fallback(agent(`${name}-else`, { model, system: "", maxOutputTokens: 5 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
      fc.array(fc.string(), { maxLength: 3 }),
      async (kinds, items) => {
        const chain = kinds.map((kind, i) => leaf(`a${i}`, kind)).reduce((all, next) => all.to(next));
        const made = pipeline("p", mapOver("m", chain.retry({ attempts: 2, backoff: "0ms" })));
        const on = scene();
        const prices = { models: models({ prices: model.prices }) };
        await on.cast(made, prices).run(items, { runId: "r" });
        const run = fold(await on.journal("r"));
        const bound = await estimate(rootOf(made.node).node, {
          rates: () => rates,
          imagePrice: () => undefined,
          tries: callAttempts,
          refusals: refusalsAtMost,
          known: { input: items, state: {} },
          textTokens: 400,
        });
        expect(run.spent.picoUsd <= bound.use.picoUsd).toBe(true);
        expect(BigInt(run.spent.calls) <= bound.use.calls).toBe(true);
        const first = [...run.reservations.values()].filter(({ path }) => path.includes("/a0:call#0"));
        const said = [...bound.lines.values()].find(({ place }) => place.endsWith("/a0"))?.call.inputTokens;
        const most = Math.max(0, ...first.map(({ amount }) => amount.inputTokens));
        // How long the text about the budget is, is not known; without one there is none.
        if (kinds[0] === 3) expect(most).toBeLessThanOrEqual(said ?? 0);
        else expect(most).toBe(items.length === 0 ? 0 : said);
      },
    ),
    { numRuns: 60 },
  );
});

test("what past runs say: mean rounded up, 95 of 100 by nearest rank", () => {
  const spent = (n: number) => ({
    picoUsd: BigInt(n),
    inputTokens: 0,
    outputTokens: 0,
    calls: 1,
    toolCalls: 0,
  });
  expect(expected([])).toBeUndefined();
  expect(expected([spent(1), spent(2)])).toMatchObject({
    runs: 2,
    meanPicoUsd: 2n,
    p95PicoUsd: 2n,
    meanCalls: 1,
  });
  const hundred = Array.from({ length: 100 }, (_, i) => spent(100 - i));
  expect(expected(hundred)).toMatchObject({ meanPicoUsd: 51n, p95PicoUsd: 95n, mostPicoUsd: 100n });
});
