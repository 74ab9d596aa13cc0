import type { EmbeddingModelV4, EmbeddingModelV4CallOptions } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import type { Step } from "../core/step.ts";
import type { StepContext } from "../index.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { embed } from "./embed.ts";
import { models } from "./models.ts";

/** A dollar a million tokens: a token costs a millionth, and is four characters. */
const pico = 1_000_000n;
const tokensOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0) / 128];

interface Script {
  readonly perCall?: number;
  readonly isParallel?: boolean;
  readonly delayMs?: number | ((texts: readonly string[]) => number);
  readonly tokens?: (counted: number) => number | undefined;
  readonly answer?: (texts: readonly string[], index: number) => number[][];
  readonly specificationVersion?: "v3";
}

/** A reading room: a model that counts what it reads, and a store that outlives its processes. */
function room(script: Script = {}) {
  const on = scene();
  const clock = on.world.process("model");
  const calls: EmbeddingModelV4CallOptions[] = [];
  let [billed, busy, busiest] = [0n, 0, 0];
  const { perCall = 2, isParallel = true, delayMs = 10, answer = (texts) => texts.map(vectorOf) } = script;
  const model: EmbeddingModelV4 = {
    specificationVersion: "v4",
    provider: "scripted.embedding",
    modelId: "reader",
    maxEmbeddingsPerCall: perCall,
    supportsParallelCalls: isParallel,
    async doEmbed(options) {
      const index = calls.push(options) - 1;
      const counted = tokensOf(options.values);
      billed += BigInt(counted) * pico;
      busy += 1;
      busiest = Math.max(busiest, busy);
      const ms = typeof delayMs === "number" ? delayMs : delayMs(options.values);
      await new Promise<void>((resolve) => void clock.timer(ms, resolve));
      busy -= 1;
      const told = script.tokens === undefined ? counted : script.tokens(counted);
      const usage = told === undefined ? {} : { usage: { tokens: told } };
      return { embeddings: answer(options.values, index), ...usage, warnings: [] };
    },
    ...(script.specificationVersion && ({ specificationVersion: script.specificationVersion } as object)),
  };
  const prices = { "scripted:reader": { input: "$1" } } as const;
  const cast = <In, Out>(made: Step<In, Out>, more: CastOptions<unknown> = {}) =>
    on.cast(made, { models: models({ prices }), ...more });
  return {
    on,
    model,
    sent: () => calls.map(({ values }) => values),
    calls,
    billed: () => billed,
    busiest: () => busiest,
    cast,
    /** A process that runs a pipeline of one step: the list, embedded. */
    indexing: (more: CastOptions<unknown> = {}) => cast(pipeline("p", embed("index", { model })), more),
  };
}

const texts = ["one", "three", "eleven", "thousand", "a"];
const vectors = texts.map(vectorOf);

describe("a list of texts", () => {
  test("is sent in batches, an operation each, and its vectors come in order", async () => {
    const { on, indexing, sent, billed } = room();
    const result = await indexing().run(texts, { runId: "r", budget: "$1" });
    expect(result).toMatchObject({ status: "completed", output: vectors });
    expect(result.spent).toMatchObject({
      picoUsd: billed(),
      inputTokens: tokensOf(texts),
      outputTokens: 0,
      calls: 3,
    });
    expect(sent()).toEqual([["one", "three"], ["eleven", "thousand"], ["a"]]);
    const done = (await on.journal("r")).flatMap((entry) =>
      entry.type === "operation-completed" ? [[entry.path, entry.kind]] : [],
    );
    expect(done.sort()).toEqual([0, 1, 2].map((n) => [`/p/index:call#${n}`, "model-call"]));
  });

  test("has no more than 300,000 bytes in a batch, and a longer text goes alone", async () => {
    const { indexing, sent } = room({ perCall: Number.POSITIVE_INFINITY });
    const long = ["é".repeat(100_000), "b".repeat(99_000), "c".repeat(2_000), "d".repeat(400_000), "e"];
    expect((await indexing().run(long)).status).toBe("completed");
    expect(sent().map((batch) => batch.map(([first]) => first).join(""))).toEqual(["éb", "c", "d", "e"]);
  });

  test("of none makes no call", async () => {
    const { indexing, calls } = room();
    expect(await indexing().run([])).toMatchObject({ status: "completed", output: [] });
    expect(calls).toEqual([]);
  });

  test("keeps eight batches under way, or one at a time with a model that wants that", async () => {
    const many = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    const parallel = room({ perCall: 1 });
    expect(await parallel.indexing().run(many)).toMatchObject({ output: many.map(vectorOf) });
    expect(parallel.busiest()).toBe(8);
    const single = room({ perCall: 1, isParallel: false });
    expect(await single.indexing().run(many)).toMatchObject({ output: many.map(vectorOf) });
    expect(single.busiest()).toBe(1);
  });
});

describe("killed at any boundary of the journal", () => {
  test.each([true, false])(
    "and resumed, no finished batch is bought again (parallel: %s)",
    async (isParallel) => {
      const script = { isParallel, perCall: 1 };
      const calm = room(script);
      const first = calm.indexing();
      await first.run(texts, { runId: "r", budget: "$1" });
      const commits = first.store.commits;
      expect(commits).toBeGreaterThan(2);
      for (let commit = 1; commit <= commits; commit++) {
        for (const when of ["before", "after"] as const) {
          const { on, indexing, sent, billed } = room(script);
          const dying = indexing({ crash: { commit, when } });
          dying.runner.start(texts, { runId: "r", budget: "$1" });
          await on.wait(1_000);
          const recorded = (await on.journal("r")).flatMap((entry) =>
            entry.type === "operation-completed" ? [texts[Number(entry.path.split("#")[1])]] : [],
          );
          const before = sent().length;
          const result = await indexing().run(texts, { runId: "r", budget: "$1" });
          expect(result).toMatchObject({ status: "completed", output: vectors });
          const again = sent().slice(before).flat();
          expect(again.sort()).toEqual(texts.filter((text) => !recorded.includes(text)).sort());
          expect(result.spent.picoUsd).toBeGreaterThanOrEqual(billed());
        }
      }
    },
  );
});

describe("calls of one name beside one another", () => {
  const lists = ["abcdef", "ghi", "jklmnopqr"].map((word) => word.split(""));
  const body = async (_: string, ctx: StepContext, model: object) =>
    Promise.all(lists.map((values) => ctx.embed("list", { model, values })));

  test("keep each its vectors when the run is killed and resumed, though some lists are slower than others", async () => {
    const delayMs = ([text = ""]: readonly string[]) => (text > "f" && text < "j" ? 100 : 10);
    for (let commit = 2; commit <= 40; commit += 2) {
      const { on, cast, model } = room({ perCall: 1, isParallel: false, delayMs });
      const made = pipeline(
        "p",
        step("s", (input: string, ctx) => body(input, ctx, model)),
      );
      cast(made, { crash: { commit, when: "after" } }).runner.start("x", { runId: "r" });
      await on.wait(1_000);
      const result = await cast(made).run("x", { runId: "r" });
      expect(result).toMatchObject({ status: "completed", output: lists.map((list) => list.map(vectorOf)) });
    }
  });
});

describe("money", () => {
  test("is reserved for all the bytes before a call, and a call that is not affordable is not made", async () => {
    const { on, indexing, calls } = room();
    const result = await indexing().run(["x".repeat(1_000)], { runId: "r", budget: "$0.001" });
    expect(result).toMatchObject({ status: "halted", spent: { picoUsd: 0n } });
    expect(calls).toEqual([]);
    const raised = await on.play(indexing().runner.resume("r", { budget: "$0.01" }).result());
    expect(raised).toMatchObject({ status: "completed", output: [vectorOf("x")].map(([, b]) => [1_000, b]) });
  });

  test("batches that fit only one after the other wait for one another", async () => {
    const { indexing, billed } = room({ perCall: 1 });
    const three = ["a", "b", "c"].map((letter) => letter.repeat(1_000));
    const result = await indexing().run(three, { budget: "$0.0017" });
    expect(result).toMatchObject({ status: "completed", spent: { picoUsd: billed() } });
  });

  test.each([
    ["missing", () => undefined],
    ["zero", () => 0],
    ["negative", () => -3],
    ["no whole number", () => 1.5],
  ])("usage that is %s counts as all that was reserved", async (_, tokens) => {
    const { on, indexing } = room({ tokens });
    const { spent } = await indexing().run(["four"], { runId: "r", budget: "$1" });
    const reserved = (await on.journal("r")).find((entry) => entry.type === "budget-reserved");
    expect(spent.picoUsd).toBe(BigInt(reserved?.amount.picoUsd ?? 0));
    expect(spent.picoUsd).toBeGreaterThan(pico);
  });

  test("usage beyond the bound is recorded as it is, as a breach", async () => {
    const { on, indexing } = room({ tokens: () => 5_000 });
    const result = await indexing().run(["four"], { runId: "r", budget: "$1" });
    expect(result.spent.picoUsd).toBe(5_000n * pico);
    expect((await on.journal("r")).map(({ type }) => type)).toContain("budget-breached");
  });

  test("a limit of tokens and of calls holds", async () => {
    const { indexing } = room();
    expect(await indexing().run(texts, { budget: { tokens: 50 } })).toMatchObject({ status: "halted" });
    const counted = await indexing().run(texts, { budget: { calls: 2 } });
    expect(counted).toMatchObject({ status: "halted", spent: { calls: 2 } });
  });

  test("an answer with a vector too few, or of another size, is in doubt and asked for again", async () => {
    for (const wrong of [
      [[1, 2]],
      [[1, 2], [3]],
      [
        [1, 2],
        [3, Number.NaN],
      ],
    ]) {
      const { indexing, calls } = room({
        answer: (some, index) => (index === 0 ? wrong : some.map(vectorOf)),
      });
      const result = await indexing().run(["ab", "cd"], { budget: "$1" });
      expect(result).toMatchObject({ status: "completed", output: [vectorOf("ab"), vectorOf("cd")] });
      expect(calls).toHaveLength(2);
      expect(result.spent.picoUsd).toBeGreaterThan(2n * 2n * pico);
    }
  });
});

describe("when a batch has failed for good", () => {
  test("no other begins, those under way are kept, and a retry buys what is missing", async () => {
    const many = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    const delayMs = ([text]: readonly string[]) => (text === "text 3" ? 10 : 50);
    let isBroken = true;
    const answer = (some: readonly string[]) => {
      if (!isBroken || some[0] !== "text 3") return some.map(vectorOf);
      isBroken = false;
      throw Object.assign(new Error("not this"), { statusCode: 400 });
    };
    const { cast, model, sent } = room({ perCall: 1, delayMs, answer });
    const made = embed("index", { model }).retry({ attempts: 2, when: () => true });
    expect(await cast(made).run(many)).toMatchObject({ status: "completed", output: many.map(vectorOf) });
    expect(sent().slice(0, 9).flat()).toEqual([...many.slice(0, 8), "text 3"]);
    expect(sent()).toHaveLength(31);
  });
});

describe("what stops a run", () => {
  test("reaches the open requests, which count in full", async () => {
    const { on, indexing, calls } = room({ delayMs: 3_600_000 });
    const { runner } = indexing();
    const handle = runner.start(texts, { runId: "r", budget: "$1" });
    await on.wait(1_000);
    const cancelled = on.play(handle.cancel("now"));
    const result = await on.play(handle.result());
    await cancelled;
    expect(calls.map(({ abortSignal }) => abortSignal?.aborted)).toEqual([true, true, true]);
    expect(result.status).toBe("cancelled");
    const reserved = (await on.journal("r")).flatMap((entry) =>
      entry.type === "budget-reserved" ? [BigInt(entry.amount.picoUsd)] : [],
    );
    expect(reserved).toHaveLength(3);
    expect(result.spent.picoUsd).toBe(reserved.reduce((sum, one) => sum + one));
  });
});

describe("one text", () => {
  test("has one vector, by ctx.embed and by the step", async () => {
    const { cast, model, calls } = room();
    const made = step("s", async (text: string, ctx) =>
      ctx.embed("it", {
        model,
        values: text,
        dimensions: 2,
        providerOptions: { scripted: { task: "query" } },
      }),
    ).to(step("t", (vector: number[]) => vector.length));
    expect(await cast(made).run("hello")).toMatchObject({ output: 2 });
    expect(calls).toMatchObject([{ dimensions: 2, providerOptions: { scripted: { task: "query" } } }]);
    const search = embed("search", { model, values: (question: { text: string }) => question.text });
    expect(await cast(search).run({ text: "hello" })).toMatchObject({
      output: vectorOf("hello"),
    });
  });
});

describe("what cannot be is refused", () => {
  test("a model without a price, before a run with a cost limit, or before the call", async () => {
    const { on, model, calls } = room();
    const unpriced = { models: models() };
    const known = on.cast(embed("index", { model }), unpriced).run(texts, { budget: "$1" });
    await expect(known).rejects.toMatchObject({
      code: "unpriced-model",
      hint: expect.stringContaining('"scripted:reader": { input: "$0.10" }'),
    });
    const hidden = step("s", (input: readonly string[], ctx) => ctx.embed("it", { model, values: input }));
    const halted = await on.cast(hidden, unpriced).run(texts, { budget: "$1" });
    expect(halted).toMatchObject({ status: "halted" });
    expect(await on.cast(hidden, unpriced).run([])).toMatchObject({ status: "completed" });
    expect(calls).toEqual([]);
  });

  test("dimensions that are none, or that an older model does not take; options no budget can bound", async () => {
    const { cast, model } = room();
    expect(() => embed("e", { model, dimensions: 0 })).toThrow('dimensions of embedding "e" is 0');
    const google = { google: { content: [[{ inlineData: { mimeType: "image/png", data: "" } }]] } };
    expect(() => embed("e", { model, providerOptions: google })).toThrow('"content"');
    const older = room({ specificationVersion: "v3" });
    expect(await older.cast(embed("e", { model: older.model, dimensions: 2 })).run(texts)).toMatchObject({
      status: "failed",
      spent: { calls: 0 },
      error: { message: expect.stringContaining('does not take "dimensions"') },
    });
    expect(await older.cast(embed("e", { model: older.model })).run(texts)).toMatchObject({
      output: vectors,
    });
    const numbers = step("numbers", () => JSON.parse("[1]")).to(embed("e", { model }));
    expect(await cast(numbers).run("x")).toMatchObject({
      status: "failed",
      error: { code: "invalid-input" },
    });
  });
});
