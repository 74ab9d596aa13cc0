import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { InvalidOptionError } from "../core/errors.ts";
import { importPackage } from "../ports/optional-package.ts";
import { openaiServer } from "../testing/openai-server.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { testContext } from "../testing/test-context.ts";
import { callError } from "./call.ts";
import { models } from "./models.ts";

afterEach(() => vi.unstubAllEnvs());

describe("examining a model before anything runs", () => {
  const examine = (model: string, price = false) => models().examine(model, { price });

  test("an unknown provider is refused with the known ones", async () => {
    expect(await examine("opnai:gpt-4o")).toMatchObject({
      code: "unknown-model",
      message: 'unknown model "opnai:gpt-4o": there is no provider "opnai"',
      hint: expect.stringContaining(
        "openai:, openai.chat:, anthropic:, google:, vertex:, ollama:, compatible:, offline:.",
      ),
    });
  });

  test.each(["gpt-4o", "openai:", ":", "", "constructor:x", "offline:gpt"])(
    "%o is refused",
    async (model) => {
      expect(await examine(model)).toMatchObject({ code: "unknown-model" });
    },
  );

  test.each([
    ["openai:gpt-4o-mini", "OPENAI_API_KEY"],
    ["openai.chat:gpt-4o-mini", "OPENAI_API_KEY"],
    ["anthropic:claude-sonnet-5", "ANTHROPIC_API_KEY"],
    ["google:gemini-2.5-flash", "GOOGLE_GENERATIVE_AI_API_KEY"],
    ["vertex:gemini-2.5-flash", "GOOGLE_VERTEX_API_KEY, or GOOGLE_VERTEX_PROJECT and GOOGLE_VERTEX_LOCATION"],
    ["compatible:llama", "OPENAI_COMPATIBLE_BASE_URL"],
  ])("what %s lacks is named by its variable", async (model, variables) => {
    for (const name of variables.match(/[A-Z_]{9,}/g) ?? []) vi.stubEnv(name, " ");
    expect(await examine(model)).toMatchObject({
      code: "missing-key",
      hint: expect.stringContaining(`Set the environment variable ${variables}`),
    });
  });

  test("a project of Google Cloud stands for the key of Vertex", async () => {
    vi.stubEnv("GOOGLE_VERTEX_API_KEY", "");
    vi.stubEnv("GOOGLE_VERTEX_PROJECT", "p");
    expect(await examine("vertex:gemini-2.5-flash")).toMatchObject({ code: "missing-key" });
    vi.stubEnv("GOOGLE_VERTEX_LOCATION", "europe-west1");
    expect(await examine("vertex:gemini-2.5-flash", true)).toBeUndefined();
  });

  test("an address that is none is shown", async () => {
    vi.stubEnv("OPENAI_COMPATIBLE_BASE_URL", "localhost");
    vi.stubEnv("OLLAMA_BASE_URL", "nowhere");
    for (const [model, url] of [
      ["compatible:llama", "localhost"],
      ["ollama:llama3.2:3b", "nowhere"],
    ] as const) {
      expect(await examine(model)).toMatchObject({
        code: "invalid-option",
        message: expect.stringContaining(`is "${url}", which is not a URL`),
      });
    }
  });

  test("an unknown price matters only under a cost limit, and says how to declare one", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-x");
    expect(await examine("openai:gpt-99")).toBeUndefined();
    expect(await examine("openai:gpt-99", true)).toMatchObject({
      code: "unpriced-model",
      message: expect.stringContaining("openai:gpt-99"),
      hint: expect.stringContaining("models({ prices:"),
    });
    const priced = models({ prices: { "openai:gpt-99": { input: "$1", output: "$2" } } });
    expect(await priced.examine("openai:gpt-99", { price: true })).toBeUndefined();
  });

  test("known models with a key and a price pass, without a network", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-x");
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    expect(await examine("openai:gpt-4o-mini", true)).toBeUndefined();
    expect(await examine("openai.chat:gpt-4o-mini", true)).toBeUndefined();
    expect(await examine("offline:extract", true)).toBeUndefined();
  });
});

test("providers of one's own come first; what they throw or wrongly return is a clear error", async () => {
  const model = scriptedModel({ replies: ["mine"] });
  const own = models({
    providers: {
      my: () => model,
      openai: () => model,
      // @ts-expect-error no language model
      odd: () => ({}),
      bad: () => {
        throw new RangeError("no");
      },
    },
  });
  expect((await own.find("my:any")).model).toBe(model);
  expect((await own.find("openai:gpt-4o-mini")).model).toBe(model);
  expect(await own.examine("odd:x", { price: false })).toMatchObject({ code: "unknown-model" });
  expect(await own.examine("bad:x", { price: false })).toMatchObject({
    code: "unknown-model",
    message: expect.stringContaining("RangeError: no"),
  });
});

test("OPENAI_BASE_URL is honoured, in both wire formats", async () => {
  await using server = await openaiServer({ reply: ({ api }) => api });
  vi.stubEnv("OPENAI_API_KEY", "sk-x");
  vi.stubEnv("OPENAI_BASE_URL", server.url);
  const source = models();
  const context = testContext();
  expect(await source.generate(context, "a", { model: "openai:gpt-4o-mini", prompt: "P" })).toBe("responses");
  expect(await source.generate(context, "b", { model: "openai.chat:gpt-4o-mini", prompt: "P" })).toBe("chat");
  expect([...context.recorded.keys()]).toEqual(["/test/body:a#0", "/test/body:b#0"]);
});

test("generate() makes, checks and repairs values under the name it is given", async () => {
  const model = scriptedModel({ replies: ["{}", '{"n":1}'] });
  const context = testContext();
  const output = z.object({ n: z.number() });
  const request = { model, prompt: "P", system: "S", temperature: 0, maxOutputTokens: 9, output };
  expect(await models().generate(context, "ask", request)).toEqual({ n: 1 });
  expect([...context.recorded.keys()]).toEqual(["/test/body:ask#0", "/test/body:ask#1"]);
  expect(model.calls[0]?.options).toMatchObject({ maxOutputTokens: 9, temperature: 0 });
  await expect(models().generate(context, "odd", { model: {}, prompt: "P" })).rejects.toThrow(
    InvalidOptionError,
  );
});

test("a price with a surcharge the price book does not know is no price, unless it was declared", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-x");
  const published = await models().find("openai:gpt-4o-mini");
  expect(published.rates({ openai: { serviceTier: "flex" } })).toMatchObject({
    input: 150_000n,
    output: 600_000n,
    source: expect.stringContaining("genai-prices"),
    date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
  expect(published.rates({ openai: { serviceTier: "priority" } })).toBeUndefined();
  const declared = models({ prices: { "openai:gpt-4o-mini": { input: "$9", output: "$9" } } });
  expect(
    (await declared.find("openai:gpt-4o-mini")).rates({ openai: { serviceTier: "priority" } }),
  ).toBeDefined();
});

describe("an optional package", () => {
  test("is found in the user's folder when it is not beside Flujo; missing and broken ones are told apart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flujo-package-"));
    try {
      const place = join(folder, "node_modules", "only-here");
      await mkdir(place, { recursive: true });
      await writeFile(
        join(place, "package.json"),
        '{"name":"only-here","type":"module","exports":"./index.js"}',
      );
      await writeFile(join(place, "index.js"), "export const here = true;");
      expect(await importPackage("only-here", folder)).toMatchObject({ here: true });
      await writeFile(join(place, "broken.js"), 'import "not-there-at-all";');
      await writeFile(
        join(place, "package.json"),
        '{"name":"only-here","type":"module","exports":{"./*":"./*.js"}}',
      );
      await expect(importPackage("only-here/broken", folder)).rejects.toThrow(
        "is installed but does not load",
      );
      await expect(importPackage("not-here", folder)).rejects.toThrow(
        "the package not-here is not installed",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("no key reaches a message", () => {
  const signal = new AbortController().signal;
  const message = (reason: string) =>
    callError(Object.assign(new Error(reason), { statusCode: 401 }), "m", signal).message;

  test.each([
    ["Incorrect API key provided: sk-proj-abc***********wxyz. Find it at https://x.", "sk-proj"],
    ["bad key AIzaSyA1234567890abcdef", "AIza"],
    ["bad token ya29.a0AfH6-SMB_x.y", "ya29"],
    ["Authorization: Bearer abcdef1234567890", "abcdef"],
  ])("%s", (reason, secret) => {
    expect(message(reason)).toContain("[key]");
    expect(message(reason)).not.toContain(secret);
  });

  test("and ordinary words stay", () => {
    expect(message("Incorrect API key provided: sk-abcdefgh; skip keyboards")).toBe(
      "m answered 401: Incorrect API key provided: [key]; skip keyboards",
    );
  });

  test("nor the value of any variable that is named as a secret", () => {
    vi.stubEnv("MY_PROVIDER_TOKEN", "plain words as a token");
    expect(message("you sent: plain words as a token")).not.toContain("plain words");
  });
});

describe("waiting as a provider asks", () => {
  const wait = (responseHeaders: object) =>
    callError(
      Object.assign(new Error("slow"), { statusCode: 429, responseHeaders }),
      "m",
      new AbortController().signal,
    );

  test.each([
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": "Fri, 20 Nov 2026 12:00:30 GMT", date: "Fri, 20 Nov 2026 12:00:00 GMT" }, 30_000],
    [{ "retry-after": "99999999" }, 86_400_000],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("%o is %s ms", (headers, expected) => {
    expect(wait(headers)).toMatchObject({ charge: "none", retryable: true, retryAfterMs: expected });
  });
});
