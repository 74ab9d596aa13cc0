/**
 * What every provider must do, proved on the wire: real agents, the provider's real package, a real HTTP server that
 * speaks its format and meters its own bill. The table in docs/providers.md is made of these claims.
 */

import { tool } from "flujo";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { at } from "../../src/testing/wire/format.ts";
import { wirePrice } from "../../src/testing/wire/meter.ts";
import type { WireServerOptions } from "../../src/testing/wire/server.ts";
import { type Claim, expectExact, first, outputOf } from "./claim.ts";
import { embeddings } from "./embedding-claims.ts";
import { handClock } from "./hand-clock.ts";
import { images } from "./image-claims.ts";
import { inDoubt, type Played, type Stage, stage } from "./stage.ts";
import { type Subject, secret } from "./subjects.ts";

/** Proves every claim for a provider but those about what it lacks. */
export function contract(subject: Subject): void {
  const own = claims.filter(({ capability }) => subject.lacks[capability] === undefined);
  describe(subject.name, () => {
    afterEach(() => vi.unstubAllEnvs());
    test.each(own)("$capability: $title", async ({ server, prove }) => {
      await using on = await stage(subject, server);
      await prove(on);
    });
  });
}

/** The first call goes wrong in a way that may have cost: it counts in full, and a second one answers. */
async function proveDoubt(on: Stage): Promise<void> {
  const clock = handClock();
  const played = await clock.play(on.play(on.agent({ maxOutputTokens: 50 }), { clock }));
  expect(outputOf(played)).toBe("ok");
  expect(on.server.requests).toHaveLength(2);
  const second = on.server.billedPicoUsd / 2n; // two equal requests, both billed
  expect(inDoubt(played.journal)).toBeGreaterThan(second);
  expect(played.result.spent.picoUsd).toBe(inDoubt(played.journal) + second);
}

const weather = tool("weather", {
  description: "The weather of a city",
  input: z.object({ city: z.string() }),
  execute: ({ city }) => `${city} is sunny`,
});

/** Calls a tool twice in its first answer, and tells the results in its second. */
const callsTools: WireServerOptions = {
  reply: ({ index, text }) =>
    index === 0
      ? {
          toolCalls: [
            { name: "weather", input: { city: "Rome" } },
            { name: "weather", input: { city: "Oslo" } },
          ],
        }
      : `told: ${text.split("\n").slice(-2).join(", ")}`,
};

/** The same for one run after the other. */
const turnByTurn: WireServerOptions["reply"] = (request) =>
  callsTools.reply?.({ ...request, index: request.index % 2 }) ?? "";

const usageAtEnd = (parts: Awaited<ReturnType<Stage["stream"]>>) =>
  parts.flatMap((part) => (part.type === "finish" ? part.usage : []))[0];

/** What a usage costs at the server's rates. */
function costOf(usage: ReturnType<typeof usageAtEnd>): bigint {
  const { total: input = 0, cacheRead = 0 } = usage?.inputTokens ?? {};
  const { total: output = 0 } = usage?.outputTokens ?? {};
  return (
    BigInt(input - cacheRead) * wirePrice.input +
    BigInt(cacheRead) * wirePrice.cacheRead +
    BigInt(output) * wirePrice.output
  );
}

export const claims: readonly Claim[] = [
  {
    capability: "text",
    title: "a question is answered, and the account is the server's bill",
    server: { reply: ({ text }) => `heard: ${text}` },
    async prove(on) {
      const played = await on.play(on.agent());
      expect(outputOf(played)).toBe("heard: Be brief.\nHello");
      const [request] = on.server.requests;
      expect(`${on.subject.name}:${request?.model}`).toBe(on.subject.model);
      expect(request?.format).toBe(on.subject.format);
      expectExact(played, on);
    },
  },
  {
    capability: "structured output",
    title: "the schema is on the wire in the provider's own form, and the answer is its value",
    server: { reply: () => JSON.stringify({ city: "Rome", people: 3 }) },
    async prove(on) {
      const output = z.object({ city: z.string(), people: z.number() });
      const played = await on.play(on.asking(output));
      expect(outputOf(played)).toEqual({ city: "Rome", people: 3 });
      const [request] = on.server.requests;
      expect(at(request?.body, ...on.subject.schema)).toMatchObject({
        type: "object",
        properties: { city: { type: "string" }, people: { type: "number" } },
        required: ["city", "people"],
      });
      expectExact(played, on);
    },
  },
  {
    capability: "tools",
    title: "two calls of one answer are made, their results told, and the final answer taken",
    server: callsTools,
    async prove(on) {
      const played = await on.play(on.agent({ tools: [weather] }));
      expect(outputOf(played)).toBe("told: Rome is sunny, Oslo is sunny");
      expect(on.server.requests.map(({ tools }) => tools)).toEqual([["weather"], ["weather"]]);
      expectExact(played, on);
    },
  },
  {
    capability: "thoughts given back",
    title: "what the provider signed comes back to it with the results of tools",
    server: { ...callsTools, reasoningTokens: 20 },
    async prove(on) {
      const played = await on.play(on.agent({ tools: [weather] }));
      expect(outputOf(played)).toBe("told: Rome is sunny, Oslo is sunny");
      expect(JSON.stringify(on.server.requests[0]?.body)).not.toContain("signed-0");
      expect(JSON.stringify(on.server.requests[1]?.body)).toContain('"signed-0"');
      expectExact(played, on);
    },
  },
  {
    capability: "cached tokens",
    title: "input read from a cache is charged at its own rate",
    server: { cacheReadPercent: 60 },
    async prove(on) {
      const played = await on.play(on.agent({ system: "Be brief. ".repeat(50) }));
      expectExact(played, on);
      expect(played.result.spent.inputTokens).toBeGreaterThan(100);
    },
  },
  {
    capability: "cache writes",
    title: "input written to a cache is charged at its own rate",
    server: { cacheReadPercent: 30, cacheWritePercent: 50 },
    async prove(on) {
      expectExact(await on.play(on.agent({ system: "Be brief. ".repeat(50) })), on);
    },
  },
  {
    capability: "reasoning tokens",
    title: "thoughts count as output, once",
    server: { reasoningTokens: 30 },
    async prove(on) {
      const played = await on.play(on.agent());
      expectExact(played, on);
      expect(played.result.spent.outputTokens).toBe(31);
    },
  },
  {
    capability: "output cap",
    title: "the request bears what the budget granted, in the field the provider enforces",
    server: { reply: () => "x".repeat(100_000) },
    async prove(on) {
      const asked = await on.play(on.agent({ maxOutputTokens: 123 }));
      expect(outputOf(asked)).toHaveLength(123 * 4);
      expect(at(on.server.requests[0]?.body, ...on.subject.cap)).toBe(123);
      expectExact(asked, on);

      const before = on.server.billedPicoUsd;
      const tight = await on.play(on.agent(), { budget: "$0.003" });
      const reserved = tight.journal.find((entry) => entry.type === "budget-reserved");
      expect(tight.result.status).toBe("halted"); // the answer was cut, and there is no money for a longer one
      expect(at(on.server.requests[1]?.body, ...on.subject.cap)).toBe(reserved?.amount.outputTokens);
      expect(reserved?.amount.outputTokens).toBeLessThan(4_096);
      expect(on.server.billedPicoUsd - before).toBe(tight.result.spent.picoUsd);
      expect(tight.result.spent.picoUsd).toBeLessThan(3_000_000_000n);
    },
  },
  {
    capability: "429, retry-after",
    title: "the wait it asks for is kept, and it costs nothing",
    server: { fault: first("rate-limit"), retryAfterSeconds: 77 },
    async prove(on) {
      const clock = handClock();
      const played = await clock.play(on.play(on.agent(), { clock }));
      expect(outputOf(played)).toBe("ok");
      expect(clock.waits).toEqual([77_000]);
      expect(on.server.requests).toHaveLength(2);
      expect(inDoubt(played.journal)).toBe(0n);
      expectExact(played, on);
    },
  },
  {
    capability: "500",
    title: "it is asked again, and the failed call counts in full",
    server: { fault: first("server-error") },
    prove: proveDoubt,
  },
  {
    capability: "malformed JSON",
    title: "it is asked again, and the unreadable answer counts in full",
    server: { fault: first("malformed") },
    prove: proveDoubt,
  },
  {
    capability: "dropped connection",
    title: "it is asked again, and the broken answer counts in full",
    server: { fault: first("drop") },
    prove: proveDoubt,
  },
  {
    capability: "slow first byte",
    title: "an answer that comes late is taken, and charged as what it is",
    async prove(on) {
      const release = on.server.hold();
      const playing = on.play(on.agent().timeout("90s"), { clock: handClock() });
      await on.server.arrived(1);
      release();
      const played = await playing;
      expect(outputOf(played)).toBe("ok");
      expectExact(played, on);
    },
  },
  {
    capability: "slow first byte",
    title: "a timeout hangs up on a silent server, and the call counts in full",
    async prove(on) {
      on.server.hold();
      const clock = handClock();
      const playing = on.play(on.agent({ maxOutputTokens: 50 }).timeout("90s"), { clock });
      await on.server.arrived(1);
      await clock.pass();
      const { result, journal } = await playing;
      expect(clock.waits).toEqual([90_000]);
      expect(result).toMatchObject({ status: "failed", error: { code: "timeout" } });
      expect(await on.server.requests[0]?.over).toBe("hung-up");
      expect(on.server.requests).toHaveLength(1);
      expect(result.spent.picoUsd).toBe(inDoubt(journal));
      expect(result.spent.picoUsd).toBeGreaterThan(on.server.billedPicoUsd);
    },
  },
  {
    capability: "no usage",
    title: "an answer that does not say what it cost counts as all that was reserved",
    server: { fault: () => "no-usage" },
    async prove(on) {
      const played = await on.play(on.agent({ maxOutputTokens: 50 }));
      expect(outputOf(played)).toBe("ok");
      const reserved = played.journal.find((entry) => entry.type === "budget-reserved");
      expect(played.result.spent.picoUsd).toBe(BigInt(reserved?.amount.picoUsd ?? 0));
      expect(played.result.spent.picoUsd).toBeGreaterThan(on.server.billedPicoUsd);
    },
  },
  {
    capability: "more than the cap",
    title: "a bill above what was allowed is recorded as it is, and called a breach",
    server: { fault: () => "overbill" },
    async prove(on) {
      const played = await on.play(on.agent({ maxOutputTokens: 50 }));
      expectExact(played, on);
      expect(played.result.spent.outputTokens).toBe(1_050);
      expect(played.journal.map(({ type }) => type)).toContain("budget-breached");
    },
  },
  {
    capability: "secrets",
    title: "the key goes to the server in its header, and into no error and no journal",
    server: {
      fault: () => "unauthorised",
      message: ({ headers }) => `no access with ${JSON.stringify(headers)}`,
    },
    async prove(on) {
      const { result, journal } = await on.play(on.agent());
      expect([secret, `Bearer ${secret}`]).toContain(on.server.requests[0]?.headers[on.subject.keyHeader]);
      expect(on.server.requests).toHaveLength(1);
      expect(result).toMatchObject({ status: "failed", error: { message: expect.stringContaining("401") } });
      const told = result.status === "failed" ? [result.error.message, result.error.hint] : [];
      expect(JSON.stringify([journal, told])).not.toContain(secret);
      expect(result.spent.picoUsd).toBe(0n);
    },
  },
  {
    capability: "streaming",
    title: "a text comes in pieces, the cost at the end, thoughts and cached tokens told apart",
    server: { reply: () => "one, two, three, four", reasoningTokens: 30, cacheReadPercent: 60 },
    async prove(on) {
      const parts = await on.stream();
      const deltas = parts.flatMap((part) => (part.type === "text-delta" && part.delta ? part.delta : []));
      expect(deltas.join("")).toBe("one, two, three, four");
      expect(deltas.length).toBeGreaterThan(2);
      expect(on.server.requests).toMatchObject([{ stream: true, cap: 100 }]);
      expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "stop" } });
      const usage = usageAtEnd(parts);
      expect(usage?.outputTokens).toMatchObject({ total: 36, reasoning: 30 });
      expect(costOf(usage)).toBe(on.server.billedPicoUsd);
    },
  },
  {
    capability: "streaming",
    title: "calls of tools come whole",
    server: callsTools,
    async prove(on) {
      const inputSchema = { type: "object", properties: { city: { type: "string" } } } as const;
      const parts = await on.stream({ tools: [{ type: "function", name: "weather", inputSchema }] });
      const calls = parts.flatMap((part) => (part.type === "tool-call" ? [[part.toolName, part.input]] : []));
      expect(calls.map(([name, input = ""]) => [name, JSON.parse(input)])).toEqual([
        ["weather", { city: "Rome" }],
        ["weather", { city: "Oslo" }],
      ]);
      expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "tool-calls" } });
    },
  },
  ...(["drop", "malformed"] as const).map(
    (fault): Claim => ({
      capability: "streaming",
      title: fault === "drop" ? "one that is cut rejects" : "one that breaks off inside a frame rejects",
      server: { reply: () => "one, two, three, four", fault: () => fault },
      async prove(on) {
        await expect(on.stream()).rejects.toThrow();
      },
    }),
  ),
  {
    capability: "streaming agents",
    title: "pieces are events as they come, and the account is the server's bill",
    server: { reply: () => "one, two, three, four", reasoningTokens: 30, cacheReadPercent: 60 },
    async prove(on) {
      const played = await on.play(on.agent({ stream: true }));
      expect(outputOf(played)).toBe("one, two, three, four");
      expect(said(played).join("")).toBe("one, two, three, four");
      expect(said(played).length).toBeGreaterThan(2);
      expectExact(played, on);
    },
  },
  {
    capability: "streaming agents",
    title: "a conversation with tools goes on as one in whole answers does",
    server: { ...callsTools, reply: turnByTurn, reasoningTokens: 20 },
    async prove(on) {
      for (const stream of [false, true]) {
        const played = await on.play(on.agent({ tools: [weather], stream }));
        expect(outputOf(played)).toBe("told: Rome is sunny, Oslo is sunny");
      }
      const [, whole, , streamed] = on.server.requests.map(({ body }) => unstreamed(body));
      expect(streamed).toEqual(whole);
    },
  },
  {
    capability: "streaming agents",
    title: "a cut answer keeps its pieces, counts in full, and is asked for again",
    server: { reply: () => "one, two, three, four", fault: first("drop") },
    async prove(on) {
      const clock = handClock();
      const played = await clock.play(on.play(on.agent({ stream: true }), { clock }));
      expect(outputOf(played)).toBe("one, two, three, four");
      expect(said(played).join("")).toMatch(/^one.*one, two, three, four$/);
      expect(inDoubt(played.journal)).toBeGreaterThan(on.server.billedPicoUsd / 2n);
    },
  },
  ...embeddings,
  ...images,
];

/** The pieces of all answers, in order. */
const said = ({ journal }: Played<unknown>): readonly string[] =>
  journal.flatMap((entry) =>
    entry.type === "text-streamed" && entry.kind === undefined ? entry.chunks : [],
  );

/** A request without what asks for pieces, nor the names that servers and packages make up for each call. */
function unstreamed(body: unknown): object {
  const { stream: _, stream_options: __, ...rest } = body as { [field: string]: unknown }; // JSON of a request
  const text = JSON.stringify(rest)
    .replace(/\b(signed-|call_|toolu_)\d+/g, "$1n")
    .replace(/"id":"\w{16}"/g, '"id":"made up"')
    .replace(/"eager_input_streaming":true,?/g, ""); // Anthropic's package asks for the arguments of tools in pieces
  return JSON.parse(text.replace(/,}/g, "}"));
}
