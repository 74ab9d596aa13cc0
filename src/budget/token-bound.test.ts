import { expect, test } from "vitest";
import {
  tokenBound,
  tokensForInstructions,
  tokensPerMessage,
  tokensPerRequest,
  utf8Bytes,
} from "./token-bound.ts";

const say = (text: string) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }] });

test("every UTF-8 byte of a message counts as a token, beside the fixed overhead", () => {
  expect(tokenBound(say("häuser 家"))).toBe(tokensPerRequest + tokensPerMessage + 4 + 11);
});

test("a lone surrogate counts three bytes", () => {
  expect(utf8Bytes("\ud800")).toBe(3);
  expect(utf8Bytes("a\udc00b")).toBe(5);
});

test("tools, answer schema, options and calls are counted, each at least by the bytes of its texts", () => {
  const plain = tokenBound(say("x"));
  const schema = { type: "object", properties: { naïve: { type: "string" } } };
  const tool = { type: "function", name: "look", description: "Looks.", inputSchema: schema };
  const bytes = (value: object) => utf8Bytes(JSON.stringify(value));
  expect(tokenBound({ ...say("x"), schema })).toBe(plain + tokensForInstructions + bytes(schema));
  expect(tokenBound({ ...say("x"), tools: [tool] })).toBeGreaterThan(
    plain + tokensForInstructions + bytes(tool),
  );
  expect(tokenBound({ ...say("x"), options: { a: { b: "cd" } } })).toBe(plain + bytes({ a: { b: "cd" } }));
  const call = { type: "tool-call", toolCallId: "1", toolName: "look", input: { q: "\n\n" } };
  expect(tokenBound({ messages: [{ role: "assistant", content: [call] }] })).toBeGreaterThan(bytes(call));
});

test.each([
  ["unbroken text", "a".repeat(1_000_000)],
  ["lone surrogates", "\ud800".repeat(500_000)],
  ["quotes and backslashes", '\\"'.repeat(500_000)],
  ["spaces", " ".repeat(1_000_000)],
])("a megabyte of %s is bounded at once", (_, text) => {
  const start = performance.now();
  expect(tokenBound(say(text))).toBeGreaterThanOrEqual(1_000_000);
  expect(performance.now() - start).toBeLessThan(50);
});
