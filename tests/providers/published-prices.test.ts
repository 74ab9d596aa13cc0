/** Flujo's account by published prices is the bill of a server that charges what the providers' price lists say. */
import { afterEach, expect, test, vi } from "vitest";
import { at } from "../../src/testing/wire/format.ts";
import type { WirePrice } from "../../src/testing/wire/meter.ts";
import { stage } from "./stage.ts";
import { anthropic, google, openai, openaiChat, type Subject, vertex } from "./subjects.ts";

afterEach(() => vi.unstubAllEnvs());

/** Pico-dollars a token: a price of $1 a million tokens is 1,000,000. */
const gpt5Mini = { input: 250_000n, cacheRead: 25_000n, cacheWrite: 250_000n, output: 2_000_000n };
const sonnet45 = { input: 3_000_000n, cacheRead: 300_000n, cacheWrite: 3_750_000n, output: 15_000_000n };
const flash25 = { input: 300_000n, cacheRead: 30_000n, cacheWrite: 300_000n, output: 2_500_000n };
const habits = { cacheReadPercent: 30, cacheWritePercent: 20, reasoningTokens: 30 };

test.each<[string, Subject, WirePrice]>([
  ["openai", openai, gpt5Mini],
  ["openai.chat", openaiChat, gpt5Mini],
  ["anthropic", anthropic, sonnet45],
  ["google", google, flash25],
  ["vertex", vertex, flash25],
])("%s", async (_, subject, price) => {
  await using on = await stage(subject, { ...habits, price }, "published");
  const { result } = await on.play(on.agent({ system: "Be brief. ".repeat(50) }));
  expect(result).toMatchObject({ output: "ok", spent: { picoUsd: on.server.billedPicoUsd } });
});

test("anthropic, writing to a cache for an hour", async () => {
  await using on = await stage(
    anthropic,
    {
      ...habits,
      price: { ...sonnet45, cacheWrite: 6_000_000n },
      rewrite(document) {
        const usage = at(document, "usage") as { readonly cache_creation_input_tokens: number } | undefined; // of this format
        if (usage === undefined) return document;
        const cache_creation = { ephemeral_1h_input_tokens: usage.cache_creation_input_tokens };
        return { ...document, usage: { ...usage, cache_creation } };
      },
    },
    "published",
  );
  const { result } = await on.play(on.agent({ system: "Be brief. ".repeat(50) }));
  expect(result.spent.picoUsd).toBe(on.server.billedPicoUsd);
});
