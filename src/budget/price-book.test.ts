import { readFileSync } from "node:fs";
import { join } from "node:path";
import { calcPrice, findProvider } from "@pydantic/genai-prices";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidOptionError } from "../core/errors.ts";
import { type Price, priceBook } from "./price-book.ts";
import { edition, publishers } from "./published-prices.ts";
import { costOf, rate } from "./rates.ts";

const now = Date.parse("2026-11-20T12:00:00Z");
const day = 86_400_000;

async function priceOf(model: string): Promise<Price> {
  const price = await priceBook().find(model);
  if (price === undefined) throw new Error(`no price of ${model}`);
  return price;
}

describe("published prices", () => {
  test("become whole pico-dollars a token, with their source", async () => {
    const price = await priceOf("openai:gpt-4o-mini");
    expect(price.worst(now)).toEqual({ input: 150_000n, output: 600_000n });
    expect(price).toMatchObject({
      source: "@pydantic/genai-prices 0.1.8",
      date: "2026-09-23",
      origin: "published",
    });
  });

  test("a wire format after the dot changes nothing", async () => {
    expect((await priceOf("openai.chat:gpt-4o-mini")).worst(now)).toEqual(
      (await priceOf("openai:gpt-4o-mini")).worst(now),
    );
  });

  test("cached input costs less than fresh input, and never more than the worst case", async () => {
    const price = await priceOf("openai:gpt-4o-mini");
    expect(price.cost({ inputTokens: 100, outputTokens: 10 }, now)).toBe(21_000_000n);
    expect(price.cost({ inputTokens: 100, cacheReadTokens: 100, outputTokens: 10 }, now)).toBe(13_500_000n);
  });

  test("the worst case takes the long-context tier and the dearest cache write", async () => {
    expect((await priceOf("openai:gpt-5.4")).worst(now)).toEqual({ input: 5_000_000n, output: 22_500_000n });
    expect((await priceOf("anthropic:claude-sonnet-5")).worst(now).input).toBe(4_000_000n);
  });

  test("a tier applies to the whole request once its input is long", async () => {
    const price = await priceOf("openai:gpt-5.4");
    expect(price.cost({ inputTokens: 271_999, outputTokens: 1 }, now)).toBe(
      271_999n * 2_500_000n + 15_000_000n,
    );
    expect(price.cost({ inputTokens: 272_000, outputTokens: 1 }, now)).toBe(
      272_000n * 5_000_000n + 22_500_000n,
    );
  });

  test("a price cut holds from its day, and the worst case follows a day later", async () => {
    const price = await priceOf("openai:o3");
    const cut = Date.parse("2025-06-10");
    expect(price.cost({ inputTokens: 1, outputTokens: 0 }, cut - 1)).toBe(10_000_000n);
    expect(price.cost({ inputTokens: 1, outputTokens: 0 }, cut)).toBe(2_000_000n);
    expect(price.worst(cut).input).toBe(10_000_000n);
    expect(price.worst(cut + day).input).toBe(2_000_000n);
  });

  test("of a cache entry depends on how long it is kept; untold, it counts as the longer", async () => {
    const price = await priceBook().find("anthropic:claude-sonnet-4-5");
    const write = { inputTokens: 10, cacheWriteTokens: 10, outputTokens: 0 };
    const costs = [0, 4, 10, undefined, 11].map((longCacheWriteTokens) =>
      price?.cost({ ...write, longCacheWriteTokens }, now),
    );
    expect(costs).toEqual([37_500_000n, 46_500_000n, 60_000_000n, 60_000_000n, undefined]);
    expect(price?.worst(now).input).toBe(12_000_000n);
  });

  test("of a model that can answer in pictures counts every answer as one", async () => {
    const painter = await priceBook().find("google:gemini-2.5-flash-image");
    const writer = await priceBook().find("google:gemini-2.5-flash");
    const answer = { inputTokens: 0, outputTokens: 1 };
    expect(painter?.worst(now).output).toBe(30_000_000n);
    expect(painter?.cost(answer, now)).toBe(30_000_000n);
    expect(writer?.worst(now).output).toBe(2_500_000n);
  });

  test.each([
    "openai:no-such-model",
    "nobody:gpt-4o",
    "my-openai-proxy:gpt-4o",
    "gpt-4o",
    ":gpt-4o",
    "openai:gpt-4o-search-preview",
    "openai:text-embedding-3-small",
  ])("%s has none", async (model) => {
    expect(await priceBook().find(model)).toBeUndefined();
  });
});

test("the edition is the one that is installed, and installed is exactly that one", () => {
  const textOf = (file: string): string => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
  const installed = JSON.parse(textOf("node_modules/@pydantic/genai-prices/package.json")).version;
  expect(edition.source).toBe(`@pydantic/genai-prices ${installed}`);
  expect(JSON.parse(textOf("package.json")).dependencies["@pydantic/genai-prices"]).toBe(installed);
});

test("the book lists models of every provider it knows, with their own prices first", async () => {
  const models = await priceBook({ "my:own": { input: "$1", output: "$2" } }).models();
  const providers = new Set(models.map((model) => model.split(":")[0]));
  expect([...providers]).toEqual(expect.arrayContaining(["my", ...publishers]));
  expect(models).toEqual(models.toSorted());
});

test("a price of a file comes after the code's, before the published one, and its options must be ordinary", async () => {
  const price = { input: "$1", output: "$2" } as const;
  const book = priceBook({ "openai:gpt-4o": price }, async () => ({
    "openai:gpt-4o": { ...price, output: "$3" },
    "openai:o3": { ...price, output: "$4", reasoning: "$5", date: "2026-11-02" },
  }));
  expect((await book.find("openai:gpt-4o"))?.origin).toBe("code");
  const filed = await book.find("openai.chat:o3");
  expect(filed).toMatchObject({ origin: "file", date: "2026-11-02" });
  expect(filed?.worst(now).output).toBe(5_000_000n);
  expect((await book.find("openai:gpt-4o-mini"))?.origin).toBe("published");
});

test("a card shows what is in force, exactly, tier by tier", async () => {
  expect((await priceOf("openai:gpt-5.4")).card(now)).toMatchObject([
    { above: 0, input: "2.5", output: "15", cacheRead: "0.25" },
    { above: 271_999, input: "5", output: "22.5" },
  ]);
  expect((await priceOf("openai:o3")).card(Date.parse("2025-06-09"))).toMatchObject([{ input: "10" }]);
  expect((await priceOf("openai:o3")).card(Date.parse("2025-06-11"))).toMatchObject([{ input: "2" }]);
});

describe("the user's own prices", () => {
  const book = priceBook({
    "openai:gpt-4o-mini": { input: "$1", output: "$2", source: "contract", date: "2026-11-01" },
    "local:llama": { input: "$0", output: "$0.000000000001" },
    "odd:cache": { input: "$1", output: "$2", cacheRead: "$0.1", cacheWrite: "$3" },
  });

  test("come before published ones", async () => {
    const price = await book.find("openai:gpt-4o-mini");
    expect(price?.worst(now)).toEqual({ input: 1_000_000n, output: 2_000_000n });
    expect(price).toMatchObject({ source: "contract", date: "2026-11-01", origin: "code" });
  });

  test("are rounded up to a whole pico-dollar, once a call", async () => {
    const price = await book.find("local:llama");
    expect(price?.cost({ inputTokens: 5, outputTokens: 5 }, now)).toBe(1n);
    expect(price?.cost({ inputTokens: 5, outputTokens: 0 }, now)).toBe(0n);
  });

  test("the worst case counts cache writes", async () => {
    expect((await book.find("odd:cache"))?.worst(now)).toEqual({ input: 3_000_000n, output: 2_000_000n });
  });

  describe("with tiers for long inputs", () => {
    const tiered = priceBook({
      "a:b": {
        ...{ input: "$1", output: "$10", cacheWrite: "$2" },
        // In any order. A tier is as the one below in what it does not name.
        tiers: [
          { above: 400, output: "$30", cacheRead: "$0.5" },
          { above: 200, input: "$3" },
        ],
      },
    });

    test.each([
      [{ inputTokens: 200, outputTokens: 1 }, 200n * 1n + 10n],
      [{ inputTokens: 201, outputTokens: 1 }, 201n * 3n + 10n],
      [
        { inputTokens: 201, cacheReadTokens: 200, cacheWriteTokens: 1, outputTokens: 1 },
        200n * 3n + 2n + 10n,
      ],
      [{ inputTokens: 401, outputTokens: 2, reasoningTokens: 1 }, 401n * 3n + 60n],
    ])("%j costs $%o a million of it", async (usage, dollars) => {
      expect((await tiered.find("a:b"))?.cost(usage, now)).toBe(dollars * 1_000_000n);
    });

    test("a cached token has the tier's own rate", async () => {
      const usage = { inputTokens: 401, cacheReadTokens: 401, outputTokens: 0 };
      expect((await tiered.find("a:b"))?.cost(usage, now)).toBe(401n * 500_000n);
    });

    test("the worst case is that of the dearest, and the card shows each", async () => {
      const price = await tiered.find("a:b");
      expect(price?.worst(now)).toEqual({ input: 3_000_000n, output: 30_000_000n });
      expect(price?.card(now)).toEqual([
        { above: 0, input: "1", output: "10", cacheRead: "1", cacheWrite: "2" },
        { above: 200, input: "3", output: "10", cacheRead: "3", cacheWrite: "2" },
        { above: 400, input: "3", output: "30", cacheRead: "0.5", cacheWrite: "2" },
      ]);
    });

    test.each([0, -1, 1.5, Number.NaN])("one above %d is refused", (above) => {
      const price = { input: "$1", output: "$2", tiers: [{ above, input: "$2" }] } as const;
      expect(() => priceBook({ "a:b": price })).toThrow(`a price tier of a:b is above ${above}`);
    });

    test("two above the same, and amounts that are none, are refused", () => {
      const twice = { input: "$1", output: "$2", tiers: [{ above: 5 }, { above: 5 }] } as const;
      expect(() => priceBook({ "a:b": twice })).toThrow("a price tier of a:b is above 5");
      const tiers = [{ above: 5, input: "5" }];
      // @ts-expect-error money carries its unit
      expect(() => priceBook({ "a:b": { input: "$1", output: "$2", tiers } })).toThrow(
        'the input price of a:b is "5"',
      );
    });
  });

  test("that are no amounts of money are refused, naming model and field", () => {
    // @ts-expect-error money carries its unit
    expect(() => priceBook({ "a:b": { input: "1", output: "$2" } })).toThrow('the input price of a:b is "1"');
    // @ts-expect-error there is no price without that of the input
    expect(() => priceBook({ "a:b": { output: "$1" } })).toThrow(InvalidOptionError);
  });
});

describe("a price of input alone", () => {
  const usage = { inputTokens: 1_000, outputTokens: 0 };

  test("is that of an embedding model, and of no model that writes", async () => {
    const book = priceBook({ "my:reader": { input: "$0.02" } });
    expect((await book.find("my:reader", { embedding: true }))?.cost(usage, now)).toBe(20_000_000n);
    expect(await book.find("my:reader")).toBeUndefined();
  });

  test("has tiers, and is none beside a price of thoughts or a tier's output", async () => {
    const book = priceBook({ "my:reader": { input: "$1", tiers: [{ above: 100, input: "$2" }] } });
    const price = await book.find("my:reader", { embedding: true });
    expect([price?.cost({ inputTokens: 100, outputTokens: 0 }, now), price?.cost(usage, now)]).toEqual([
      100_000_000n,
      2_000_000_000n,
    ]);
    for (const half of [{ reasoning: "$1" as const }, { tiers: [{ above: 100, output: "$1" as const }] }])
      expect(() => priceBook({ "my:reader": { input: "$1", ...half } })).toThrow('both "input" and "output"');
  });

  test.each([
    ["openai:text-embedding-3-small", 20_000n],
    ["google:gemini-embedding-001", 150_000n],
    ["vertex:gemini-embedding-001", 150_000n],
  ])("is published of %s", async (model, input) => {
    const book = priceBook();
    expect((await book.find(model, { embedding: true }))?.worst(now)).toEqual({ input, output: 0n });
    expect(await book.find(model)).toBeUndefined();
  });
});

test("costs agree with the price library's own, to the last of its digits", async () => {
  const usage = { inputTokens: 300_001, cacheReadTokens: 70_003, outputTokens: 1_237 };
  for (const id of ["gpt-4o-mini", "gpt-5.4", "gpt-5.6-luna", "o3", "gpt-5-nano"]) {
    const told = { input_tokens: 300_001, cache_read_tokens: 70_003, output_tokens: 1_237 };
    const theirs = calcPrice(told, id, { providerId: "openai", timestamp: new Date(now) });
    const ours = (await priceOf(`openai:${id}`)).cost(usage, now);
    expect(Number(ours) / 1e12).toBeCloseTo(theirs?.total_price ?? Number.NaN, 11);
  }
});

describe("usage that cannot be right has no cost", () => {
  test.each([
    { inputTokens: Number.NaN, outputTokens: 1 },
    { inputTokens: -1, outputTokens: 1 },
    { inputTokens: 1.5, outputTokens: 1 },
    { inputTokens: 1, outputTokens: Number.POSITIVE_INFINITY },
    { inputTokens: 1, cacheReadTokens: 2, outputTokens: 1 },
    { inputTokens: 1, outputTokens: 1, reasoningTokens: 2 },
  ])("%o", async (usage) => {
    expect((await priceOf("openai:gpt-4o-mini")).cost(usage, now)).toBeUndefined();
  });
});

test("decimal text is taken exactly, whatever its notation", () => {
  const tariff = (text: string) => ({ input: rate(text) ?? [], output: rate("0") ?? [] });
  expect(costOf(tariff("0.1"), { inputTokens: 3, outputTokens: 0 })).toBe(300_000n);
  expect(costOf(tariff("1e-7"), { inputTokens: 10, outputTokens: 0 })).toBe(1n);
  expect(costOf(tariff("1e+1"), { inputTokens: 1, outputTokens: 0 })).toBe(10_000_000n);
  expect(rate("NaN")).toBeUndefined();
  expect(rate("-1")).toBeUndefined();
});

test("whatever a call uses within its bound, on any published model, it costs no more than the worst case", async () => {
  const providers = ["openai", "anthropic", "google", "mistral", "groq", "deepseek", "x-ai", "openrouter"];
  const models = providers.flatMap((id) =>
    (findProvider({ providerId: id })?.models ?? []).map((m) => `${id}:${m.id}`),
  );
  const book = priceBook();
  const found = await Promise.all(models.map((model) => book.find(model)));
  const prices = found.filter((price) => price !== undefined);
  expect(prices.length).toBeGreaterThan(500);

  const split = fc.tuple(fc.nat(2_000_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000_000), fc.nat(1_000));
  fc.assert(
    fc.property(
      fc.constantFrom(...prices),
      split,
      fc.nat(600 * day),
      fc.nat(day),
      fc.nat(1_000),
      (price, [input, read, write, output, reason], past, took, slack) => {
        const cacheReadTokens = Math.floor((input * read) / 2_000);
        const cacheWriteTokens = Math.floor((input * write) / 2_000);
        const reasoningTokens = Math.floor((output * reason) / 1_000);
        const at = now - past;
        const usage = {
          inputTokens: input,
          cacheReadTokens,
          cacheWriteTokens,
          outputTokens: output,
          reasoningTokens,
        };
        const cost = price.cost(usage, at + took);
        const worst = price.worst(at);
        const reserved = BigInt(input + slack) * worst.input + BigInt(output + slack) * worst.output;
        return cost !== undefined && cost >= 0n && cost <= reserved;
      },
    ),
    { numRuns: 3_000 },
  );
});
