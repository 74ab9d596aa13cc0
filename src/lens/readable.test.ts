import { expect, test } from "vitest";
import { encode } from "../core/codec.ts";
import { readable, readableJson, spentView } from "./readable.ts";

test("what JSON has no form for is written as people would", () => {
  const value = {
    at: new Date(0),
    big: 10n ** 20n,
    map: new Map([["a", new Set([1])]]),
    pairs: new Map([[1, "one"]]),
    bytes: Uint8Array.of(1, 2),
    gone: undefined,
    list: [undefined],
  };
  const expected = {
    at: "1970-01-01T00:00:00.000Z",
    big: "100000000000000000000",
    map: { a: [1] },
    pairs: [[1, "one"]],
    bytes: "AQI=",
    list: [null],
  };
  expect(readable(value)).toEqual(expected);
  expect(readableJson(encode(value, "it").json)).toEqual(expected);
});

test("a value kept aside says how large it is; data that only looks like one stays data", () => {
  const aside = { $type: "blob", hash: "h", size: 12_345 };
  expect(readableJson([aside])).toEqual(["(12,345 characters, kept aside)"]);
  expect(readableJson(encode({ inner: aside }, "it").json)).toEqual({ inner: aside });
});

test("nothing is null, and a hostile key stays a key", () => {
  expect(readableJson(undefined)).toBeNull();
  const hostile = JSON.parse('{ "__proto__": { "a": 1 } }');
  expect(JSON.stringify(readable(hostile))).toBe('{"__proto__":{"a":1}}');
});

test("money is an exact decimal", () => {
  const spent = { picoUsd: 1_500_000_000_001n, inputTokens: 1, outputTokens: 2, calls: 3, toolCalls: 0 };
  const view = { costUsd: "1.500000000001", inputTokens: 1, outputTokens: 2, calls: 3 };
  expect(spentView(spent)).toEqual(view);
  expect(spentView({ ...spent, toolCalls: 4 })).toEqual({ ...view, toolCalls: 4 });
});
