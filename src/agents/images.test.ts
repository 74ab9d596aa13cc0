import type { ImageModelV4, ImageModelV4CallOptions } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import type { Step } from "../core/step.ts";
import { type CastOptions, scene } from "../testing/scene.ts";
import { generateImage } from "./generate-image.ts";
import { models } from "./models.ts";

/** An image costs four cents. */
const each = 40_000_000_000n;
const png = (text: string): Uint8Array => new Uint8Array(Buffer.from(`\u0089PNG ${text}`, "latin1"));

interface Script {
  readonly perCall?: ImageModelV4["maxImagesPerCall"];
  readonly delayMs?: number;
  readonly answer?: (
    call: ImageModelV4CallOptions,
    index: number,
  ) => Partial<Awaited<ReturnType<ImageModelV4["doGenerate"]>>>;
}

/** A studio: a model that paints, and a store that outlives its processes. */
function studio(script: Script = {}) {
  const on = scene();
  const clock = on.world.process("model");
  const calls: ImageModelV4CallOptions[] = [];
  const paint = ({ prompt, n, seed }: ImageModelV4CallOptions) => ({
    images: Array.from({ length: n }, (_, i) => png(`${prompt} ${seed ?? ""} ${i}`)),
  });
  const { perCall = 2, delayMs = 10, answer = paint } = script;
  const model: ImageModelV4 = {
    specificationVersion: "v4",
    provider: "scripted.image",
    modelId: "painter",
    maxImagesPerCall: perCall,
    async doGenerate(options) {
      const index = calls.push(options) - 1;
      await new Promise<void>((resolve) => void clock.timer(delayMs, resolve));
      const response = { timestamp: new Date(0), modelId: "painter", headers: undefined };
      return { images: [], warnings: [], response, ...answer(options, index) };
    },
  };
  const prices = { "scripted:painter": { image: "$0.04" } } as const;
  const cast = <In, Out>(made: Step<In, Out>, more: CastOptions<unknown> = {}) =>
    on.cast(made, { models: models({ prices }), ...more });
  return { on, model, calls, cast };
}

describe("images", () => {
  test("are made in as many calls as it takes, each paid by the piece", async () => {
    const { on, cast, model, calls } = studio();
    const made = generateImage("poster", { model, prompt: "A {{input}}", n: 5, size: "64x64", seed: 7 });
    const result = await cast(pipeline("p", made)).run("whale", { runId: "r", budget: "$0.20" });
    const images = ["7 0", "7 1", "8 0", "8 1", "9 0"].map((seed) => png(`A whale ${seed}`));
    expect(result).toMatchObject({
      status: "completed",
      output: images.map((data) => ({ data, mediaType: "image/png" })),
      spent: { picoUsd: 5n * each, calls: 3, inputTokens: 0, outputTokens: 0 },
    });
    expect(calls.map(({ n, seed, size }) => [n, seed, size])).toEqual(
      [2, 2, 1].map((n, i) => [n, 7 + i, "64x64"]),
    );
    const paths = (await on.journal("r")).flatMap((entry) =>
      entry.type === "budget-reserved" ? [entry.path] : [],
    );
    expect(paths).toEqual(["/p/poster:call#0", "/p/poster:call#1", "/p/poster:call#2"]);
  });

  test("one comes by itself, and is kept once when a step returns it", async () => {
    const large = "x".repeat(50_000);
    const { on, cast, model } = studio({ answer: () => ({ images: [png(large)] }) });
    const made = step("s", (prompt: string, ctx) => ctx.generateImage("it", { model, prompt }));
    const result = await cast(made).run("whale", { runId: "r" });
    expect(result).toMatchObject({ output: { data: png(large), mediaType: "image/png" } });
    const kept = (await on.journal("r")).flatMap((entry) =>
      entry.type === "operation-completed" || entry.type === "step-completed" ? [entry.output] : [],
    );
    expect(kept).toEqual([expect.objectContaining({ $type: "blob" }), kept[0]]);
  });

  test.each([
    ["image/png", "\u0089PNG\r\n"],
    ["image/jpeg", "\u00ff\u00d8\u00ff\u00e0"],
    ["image/webp", "RIFF1234WEBPVP8 "],
    ["image/gif", "GIF89a"],
    ["image/avif", "\u0000\u0000\u0000 ftypavif"],
    ["image/svg+xml", "<svg xmlns="],
    ["application/octet-stream", "what is it"],
  ])("say by their first bytes that they are %s", async (mediaType, head) => {
    const base64 = Buffer.from(head, "latin1").toString("base64");
    const { cast, model } = studio({ answer: () => ({ images: [base64] }) });
    expect(await cast(generateImage("i", { model })).run("x")).toMatchObject({ output: { mediaType } });
  });

  test("a model may say how many it makes at once by a function, or not at all: then one", async () => {
    for (const [perCall, expected] of [
      [async () => 3, [3, 1]],
      [undefined, [1, 1, 1, 1]],
    ] as const) {
      const { cast, model, calls } = studio({ perCall: 0 });
      const other = { ...model, maxImagesPerCall: perCall };
      await cast(generateImage("i", { model: other, n: 4 })).run("x", { budget: "$1" });
      expect(calls.map(({ n }) => n)).toEqual(expected);
    }
  });
});

describe("killed at any boundary of the journal", () => {
  test("and resumed, no finished call is bought again, and money in doubt is spent", async () => {
    const options = { prompt: "A {{input}}", n: 3 } as const;
    const calm = studio({ perCall: 1 });
    const first = calm.cast(generateImage("i", { model: calm.model, ...options }));
    const whole = await first.run("whale", { runId: "r", budget: "$1" });
    expect(first.store.commits).toBeGreaterThan(2);
    for (let commit = 1; commit <= first.store.commits; commit++) {
      for (const when of ["before", "after"] as const) {
        const { on, cast, calls, model } = studio({ perCall: 1 });
        const made = generateImage("i", { model, ...options });
        cast(made, { crash: { commit, when } }).runner.start("whale", { runId: "r", budget: "$1" });
        await on.wait(1_000);
        const recorded = (await on.journal("r")).filter(({ type }) => type === "operation-completed").length;
        const before = calls.length;
        const result = await cast(made).run("whale", { runId: "r", budget: "$1" });
        expect(result).toMatchObject({
          status: "completed",
          output: whole.status === "completed" && whole.output,
        });
        expect(calls.length - before).toBe(3 - recorded);
        expect(result.spent.picoUsd).toBeGreaterThanOrEqual(BigInt(calls.length) * each);
      }
    }
  });
});

describe("money", () => {
  test("n images are reserved n times, and what is not affordable is not made", async () => {
    const { on, cast, model, calls } = studio({ perCall: 10 });
    const made = generateImage("i", { model, n: 5 });
    const result = await cast(made).run("x", { runId: "r", budget: "$0.19" });
    expect(result).toMatchObject({ status: "halted", spent: { picoUsd: 0n } });
    expect(calls).toEqual([]);
    const raised = await on.play(cast(made).runner.resume("r", { budget: "$0.20" }).result());
    expect(raised).toMatchObject({ status: "completed", spent: { picoUsd: 5n * each } });
  });

  test("an image that did not come counts, and one too many is a breach", async () => {
    const few = studio({ perCall: 10, answer: () => ({ images: [png("a")] }) });
    const fewer = await few.cast(generateImage("i", { model: few.model, n: 3 })).run("x", { budget: "$1" });
    expect(fewer).toMatchObject({ output: [{ mediaType: "image/png" }], spent: { picoUsd: 3n * each } });
    const many = studio({ answer: () => ({ images: [png("a"), png("b")] }) });
    const more = await many
      .cast(generateImage("i", { model: many.model, n: 1 }))
      .run("x", { runId: "r", budget: "$1" });
    expect(more).toMatchObject({ output: [{}, {}], spent: { picoUsd: 2n * each } });
    expect((await many.on.journal("r")).map(({ type }) => type)).toContain("budget-breached");
  });

  test("an answer without an image is in doubt, and asked for again unless the provider would not", async () => {
    const { cast, model, calls } = studio({ answer: (_, i) => (i === 0 ? {} : { images: [png("a")] }) });
    const again = await cast(generateImage("i", { model })).run("x", { budget: "$1" });
    expect(again).toMatchObject({ status: "completed", spent: { picoUsd: 2n * each } });
    const firm = studio({ answer: () => ({ isRetryable: false }) });
    const refused = await firm.cast(generateImage("i", { model: firm.model })).run("x", { budget: "$1" });
    expect(refused).toMatchObject({
      status: "failed",
      error: { code: "model-call-failed", message: expect.stringContaining("without an image") },
      spent: { picoUsd: each },
    });
    expect([calls.length, firm.calls.length]).toEqual([2, 1]);
  });

  test("a model without a price is refused before the run, or before the call, with the way out", async () => {
    const { on, cast, model, calls } = studio();
    const unpriced = { models: models() };
    await expect(
      on.cast(generateImage("i", { model }), unpriced).run("x", { budget: "$1" }),
    ).rejects.toMatchObject({
      code: "unpriced-model",
      hint: expect.stringContaining('models({ prices: { "scripted:painter": { image: "$0.04" } } })'),
    });
    const hidden = step("s", (prompt: string, ctx) => ctx.generateImage("it", { model, prompt }));
    expect(await on.cast(hidden, unpriced).run("x", { budget: "$1" })).toMatchObject({
      status: "halted",
      error: { hint: expect.stringContaining('"scripted:painter": { image: "$…" }') },
    });
    expect(calls).toEqual([]);
    expect(await on.cast(hidden, unpriced).run("x")).toMatchObject({
      status: "completed",
      spent: { picoUsd: 0n },
    });
    expect(await cast(hidden).run("x", { budget: "$0.04" })).toMatchObject({ spent: { picoUsd: each } });
  });

  test("the journal keeps the price of an image, with its source and date", async () => {
    const { on, model } = studio();
    const prices = {
      "scripted:painter": { image: "$0.04", source: "contract", date: "2026-11-01" },
    } as const;
    await on.cast(generateImage("i", { model }), { models: models({ prices }) }).run("x", { runId: "r" });
    expect(await on.journal("r")).toContainEqual(
      expect.objectContaining({
        type: "model-priced",
        model: "scripted:painter",
        image: each.toString(),
        source: "contract",
        date: "2026-11-01",
      }),
    );
  });
});

describe("what stops a run", () => {
  test("reaches the open request, whose image counts", async () => {
    const { on, cast, model, calls } = studio({ delayMs: 3_600_000 });
    const handle = cast(generateImage("i", { model })).runner.start("x", { runId: "r", budget: "$1" });
    await on.wait(1_000);
    const cancelled = on.play(handle.cancel("now"));
    const result = await on.play(handle.result());
    await cancelled;
    expect(calls.map(({ abortSignal }) => abortSignal?.aborted)).toEqual([true]);
    expect(result).toMatchObject({ status: "cancelled", spent: { picoUsd: each } });
  });
});

describe("what cannot be is refused", () => {
  test.each([0, 1.5, 1_001])("n: %s", (n) => {
    expect(() => generateImage("i", { model: "my:painter", n })).toThrow(`n of image "i" is ${n}`);
  });

  test("options that buy what was not reserved, prices that are no money, models that make no images", () => {
    const providerOptions = { openai: { n: 4 } };
    expect(() => generateImage("i", { model: "my:painter", providerOptions })).toThrow('"n"');
    // @ts-expect-error money carries its unit
    expect(() => models({ prices: { "my:painter": { image: "0.04" } } })).toThrow(
      "the image price of my:painter",
    );
    // @ts-expect-error it is no model
    expect(() => generateImage("i", { model: {} })).toThrow("neither a name nor an AI SDK image model");
  });
});
