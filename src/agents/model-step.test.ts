import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { EstimateFacts } from "../budget/call-bounds.ts";
import { estimate } from "../budget/estimate.ts";
import { mapOver, pipeline } from "../core/compose.ts";
import { versionOf } from "../core/fingerprint.ts";
import type { AnyStep } from "../core/step.ts";
import { findProblems, unknownModels } from "../core/validation.ts";
import { graph } from "../lens/graph.ts";
import { embed } from "./embed.ts";
import { generateImage } from "./generate-image.ts";
import { models } from "./models.ts";

afterEach(() => vi.unstubAllEnvs());

const reader = { model: "openai:text-embedding-3-small" } as const;
const painter = { model: "openai:gpt-image-1" } as const;

test("a pipeline of them is data: it can be checked, drawn and fingerprinted", () => {
  const made = pipeline(
    "p",
    embed("index", reader).to(generateImage("poster", { ...painter, prompt: "A picture" })),
  );
  expect(findProblems(made.node)).toEqual([]);
  expect(graph(made.node, "text")).toMatch(
    /index {2}embedding openai:text-embedding-3-small[\s\S]*poster {2}image openai:gpt-image-1/,
  );
  const wrong = pipeline("p", embed("index", { model: "opnai:text-embedding-3-small" }));
  expect(unknownModels(wrong.node, [])).toMatchObject([{ code: "unknown-model", path: "/p/index" }]);
});

describe("the fingerprint", () => {
  const print = (made: AnyStep): string => versionOf(made.node).fingerprint;

  test("of an embedding is that of its model, texts, dimensions and options", () => {
    const versions = [
      embed("e", reader),
      embed("e", { model: "openai:text-embedding-3-large" }),
      embed("e", { ...reader, dimensions: 256 }),
      embed("e", { ...reader, providerOptions: { openai: { user: "u" } } }),
      embed("e", { ...reader, values: (input: { a: string[] }) => input.a }),
      embed("e", { ...reader, values: (input: { b: string[] }) => input.b }),
    ].map(print);
    expect(new Set(versions).size).toBe(versions.length);
    expect(print(embed("e", reader))).toBe(versions[0]);
  });

  test("of an image is that of its model, prompt and shape", () => {
    const versions = [
      generateImage("i", painter),
      generateImage("i", { model: "openai:dall-e-3" }),
      generateImage("i", { ...painter, prompt: "A {{input}}" }),
      generateImage("i", { ...painter, prompt: (input: string) => `An ${input}` }),
      generateImage("i", { ...painter, n: 1 }),
      generateImage("i", { ...painter, size: "64x64" }),
      generateImage("i", { ...painter, aspectRatio: "1:1" }),
      generateImage("i", { ...painter, seed: 1 }),
    ].map(print);
    expect(new Set(versions).size).toBe(versions.length);
  });

  test("a template is checked against the schema of the input", () => {
    const input = z.object({ title: z.string() });
    expect(() => generateImage("i", { ...painter, input, prompt: "A {{input.tilte}}" })).toThrow("tilte");
  });
});

describe("before a run", () => {
  test("a model is examined as what it is wanted for", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-x");
    vi.stubEnv("ANTHROPIC_API_KEY", "sk-x");
    const { examine } = models({ prices: { "openai:gpt-image-1": { image: "$0.04" } } });
    const complaint = async (model: string, kind: "language" | "embedding" | "image") =>
      (await examine(model, { price: true, kind }))?.message;
    expect(await complaint("openai:text-embedding-3-small", "embedding")).toBeUndefined();
    expect(await complaint("openai:text-embedding-3-small", "language")).toContain("no known price");
    expect(await complaint("openai:gpt-image-1", "image")).toBeUndefined();
    expect(await complaint("openai:dall-e-3", "image")).toContain("no known price");
    expect(await complaint("anthropic:claude-sonnet-4-5", "embedding")).toContain(
      "returned no embedding model",
    );
    expect(await complaint("anthropic:claude-sonnet-4-5", "image")).toContain("returned no image model");
    expect(await complaint("offline:extract", "embedding")).toContain("no offline embedding model");
    expect(await complaint("my:reader", "embedding")).toContain('there is no provider "my"');
  });

  test("providers of one's own offer them by the methods the AI SDK's have, functions or not", async () => {
    const reads = { specificationVersion: "v4", provider: "my", modelId: "r", doEmbed: () => {} };
    const paints = {
      specificationVersion: "v4",
      provider: "my",
      modelId: "p",
      doGenerate: () => {},
      maxImagesPerCall: 1,
    };
    const methods = { embeddingModel: () => reads, imageModel: () => paints } as never; // as far as they are looked at
    const older = { textEmbeddingModel: () => reads } as never;
    const callable = Object.assign(() => paints, { embeddingModel: () => reads }) as never;
    const { findEmbedding, findImage, find } = models({
      providers: { my: methods, old: older, fn: callable },
    });
    expect((await findEmbedding("my:r")).model).toBe(reads);
    expect((await findEmbedding("old:r")).model).toBe(reads);
    expect((await findEmbedding("fn:r")).model).toBe(reads);
    expect((await findImage("my:p")).model).toBe(paints);
    await expect(findImage("old:p")).rejects.toMatchObject({ code: "unknown-model" });
    await expect(find("my:p")).rejects.toThrow("returned no language model");
    await expect(find("fn:p")).rejects.toThrow("returned no language model"); // it is handed an image model
  });
});

describe("the most they can cost", () => {
  const facts: EstimateFacts = {
    rates: () => ({ input: 2n, output: 9n }),
    imagePrice: () => 5n,
    tries: 3,
    refusals: 10,
  };
  const worst = async (made: AnyStep, more: Partial<EstimateFacts> = {}) =>
    estimate(pipeline("p", made as never).node, { ...facts, ...more });
  const given = (input: unknown) => ({ known: { input, state: {} } });

  test("of images is known without knowing the prompt", async () => {
    const { use, open, must } = await worst(generateImage("i", { ...painter, n: 4 }));
    expect([use, open]).toEqual([{ picoUsd: 3n * 4n * 5n, tokens: 0n, calls: 4n * 13n }, []]);
    expect(must).toEqual({ picoUsd: 5n, tokens: 0n, calls: 1n });
  });

  test("of vectors is that of the bytes of their texts, when these are known", async () => {
    const { use, open } = await worst(embed("e", reader), given(["four", "five"]));
    expect(open).toEqual([]);
    expect(use.calls).toBe(2n * 13n);
    expect(use.tokens).toBeGreaterThanOrEqual(3n * 8n);
    expect(use.picoUsd).toBe(use.tokens * 2n);
    const unknown = await worst(embed("e", reader));
    expect(unknown.open).toMatchObject([{ why: expect.stringContaining("the texts of /p/e") }]);
    const assumed = await worst(embed("e", reader), { textTokens: 100, items: 7 });
    expect([assumed.open, assumed.use.tokens]).toEqual([[], 2_100n]);
  });

  test("has no bound without a price, and grows with what is around", async () => {
    const { open } = await worst(generateImage("i", painter), { imagePrice: () => undefined });
    expect(open).toMatchObject([{ why: "openai:gpt-image-1 has no known price", of: ["picoUsd"] }]);
    const mapped = await worst(mapOver("m", generateImage("i", painter)), given(["a", "b"]));
    expect(mapped.use.picoUsd).toBe(2n * 3n * 5n);
  });
});
