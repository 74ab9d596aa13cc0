import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { generateText, streamText } from "ai";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { tokenBound, utf8Bytes } from "../budget/token-bound.ts";
import { testContext } from "../testing/test-context.ts";
import { models } from "./models.ts";
import { extractModel, offlineTokens } from "./offline.ts";

const filing = `The company makes paper cups. Revenue for the quarter was $1.5 billion, up 12% from revenue a year ago.
Growth in revenue came from paper cups sold in Asia. The weather was mild. Acme Inc. employs 900 people.`;

const ask = (text: string, more: Partial<LanguageModelV4CallOptions> = {}) =>
  extractModel().doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text }] }], ...more });
const textOf = async (text: string, more: Partial<LanguageModelV4CallOptions> = {}) =>
  (await ask(text, more)).content.map((part) => (part.type === "text" ? part.text : "")).join("");

test("returns a whole sentence of the text, the same one each time", async () => {
  const text = await textOf(filing);
  expect(filing).toContain(text);
  expect(text).toContain("revenue");
  expect(await textOf(filing)).toBe(text);
});

test("keeps to the output cap and says that it was cut", async () => {
  const result = await ask(filing, { maxOutputTokens: 5 });
  expect(result.finishReason.unified).toBe("length");
  expect(result.usage.outputTokens.total).toBe(5);
});

test("fills a schema with what the text holds, and makes nothing up", async () => {
  const output = z.object({ revenue: z.string(), employs: z.number(), tags: z.array(z.string()) });
  const request = { model: "offline:extract", prompt: filing, output };
  expect(await models().generate(testContext(), "g", request)).toMatchObject({
    revenue: expect.stringContaining("evenue"),
    employs: 900,
  });
  const impossible = { ...request, output: z.object({ approved: z.boolean() }) };
  await expect(models().generate(testContext(), "g", impossible)).rejects.toThrow(
    "does not fit its schema: approved",
  );
});

test("has a small declared price, whose source says what it is", async () => {
  const { price } = await models().find("offline:extract");
  expect(price?.worst(0)).toEqual({ input: 50_000n, output: 200_000n });
  expect(price?.source).toBe("declared by Flujo for its offline demo model");
});

test("streams the same answer", async () => {
  const { stream } = await extractModel().doStream({
    prompt: [{ role: "user", content: [{ type: "text", text: filing }] }],
  });
  const deltas: string[] = [];
  for await (const part of stream) if (part.type === "text-delta") deltas.push(part.delta);
  expect(deltas.join("")).toBe(await textOf(filing));
});

test("never counts more tokens than bytes, nor more input than the bound", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      expect(offlineTokens(text)).toBeLessThanOrEqual(utf8Bytes(text));
      const { usage } = await ask(text);
      const bound = tokenBound({ messages: [{ role: "user", content: text }] });
      expect(usage.inputTokens.total).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["nothing", ""],
  ["lone surrogates and NUL", "\ud800\0 \udc00."],
])("%s is answered with text", async (_, text) => {
  expect((await ask(text)).finishReason.unified).toBe("stop");
});

test.each([
  ["one unbroken word", "a".repeat(1_000_000)],
  ["full stops", ". ".repeat(200_000)],
  ["spaces", `a${" ".repeat(1_000_000)}b`],
])("a long text of %s takes well under a second", async (_, text) => {
  const start = performance.now();
  await ask(text);
  expect(performance.now() - start).toBeLessThan(1_500);
});

test("serves the AI SDK itself, whole and streamed", async () => {
  const request = { model: extractModel(), prompt: filing, maxRetries: 0 };
  const { text, usage } = await generateText(request);
  expect(text).toBe(await textOf(filing));
  expect(usage.outputTokens).toBe(offlineTokens(text));
  let streamed = "";
  for await (const part of streamText(request).textStream) streamed += part;
  expect(streamed).toBe(text);
});
