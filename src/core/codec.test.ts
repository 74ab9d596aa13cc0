import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode, sizeOf } from "./codec.ts";

const there = (value: unknown): unknown => JSON.parse(JSON.stringify(encode(value, "value").json));
const roundTrip = (value: unknown): unknown => decode(there(value) as never);

describe("codec", () => {
  it("brings back JSON, Date, Map, Set, bigint, bytes and undefined, nested in one another", () => {
    const value = {
      when: new Date(1),
      map: new Map<unknown, unknown>([["a", new Set([1n, undefined])]]),
      bytes: new Uint8Array([0, 255]),
      gone: undefined,
      list: [null, true, "x", 1.5],
    };
    expect(roundTrip(value)).toEqual(value);
    expect(Object.hasOwn(roundTrip(value) as object, "gone")).toBe(true);
  });

  it("brings back any JSON value unchanged", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(roundTrip(value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("keeps data that looks like a tag as data", () => {
    for (const value of [{ $type: "date", value: "1970" }, { $type: "blob", hash: "x" }, { $type: 1 }]) {
      expect(roundTrip(value)).toEqual(value);
    }
  });

  it("keeps NUL bytes, lone surrogates and __proto__ keys, and pollutes nothing", () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
    const back = roundTrip({ hostile, text: "a\u0000b\ud800c" }) as { hostile: object; text: string };
    expect(back.text).toBe("a\u0000b\ud800c");
    expect(Object.hasOwn(back.hostile, "__proto__")).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("hands out copies: changing one changes no other", () => {
    const { json } = encode({ list: [1] }, "value");
    (decode(json) as { list: number[] }).list.push(2);
    expect(decode(json)).toEqual({ list: [1] });
  });

  const cycle: { self?: object } = {};
  cycle.self = { cycle };
  class Account {}
  it.each([
    ["a function", { a: { b: () => 1 } }, "a.b", "a function"],
    ["a symbol", [Symbol("s")], "0", "a symbol"],
    ["a class instance", { account: new Account() }, "account", "an instance of Account"],
    ["NaN", { score: Number.NaN }, "score", "NaN"],
    ["an infinite number", [1, Number.POSITIVE_INFINITY], "1", "Infinity"],
    ["an invalid date", { at: new Date("never") }, "at", "an invalid Date"],
    ["a cycle", cycle, "self.cycle", "a cycle"],
    ["a value in a map", new Map([["k", () => 1]]), "k", "a function"],
    ["an Error", { error: new Error("x") }, "error", "an instance of Error"],
    ["a symbol key", { [Symbol("k")]: 1 }, "the value", "a symbol key"],
  ])("refuses %s, naming the field", (_, value, field, why) => {
    expect(() => encode(value, "output of /p/s", "/p/s")).toThrow(
      expect.objectContaining({
        code: "unstorable-value",
        path: "/p/s",
        message: expect.stringContaining(`output of /p/s cannot be stored: ${field} is ${why}`),
      }),
    );
  });

  it("refuses what is nested too deep, instead of running out of stack", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(() => encode(deep, "value")).toThrow(/nested more than 1000 levels/);
  });

  it("tells a size that grows with the text", () => {
    const { size, json } = encode({ text: "x".repeat(10_000) }, "value");
    expect(size).toBeGreaterThan(10_000);
    expect(size).toBeLessThan(10_100);
    expect(sizeOf(json)).toBe(size);
  });

  it("stops counting where it has seen enough", () => {
    const { json, size } = encode(
      { list: Array.from({ length: 100 }, (_, n) => [n, { text: "word" }]) },
      "value",
    );
    expect(sizeOf(json, size)).toBe(size);
    for (const enough of [0, 10, size / 2, size - 1]) {
      expect(sizeOf(json, enough)).toBeGreaterThan(enough);
      expect(sizeOf(json, enough)).toBeLessThanOrEqual(size);
    }
  });

  it("refuses a tag it does not know", () => {
    expect(() => decode({ $type: "tensor", value: [] })).toThrow(/unknown tag "tensor"/);
  });
});
