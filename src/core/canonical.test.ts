import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical } from "./canonical.ts";
import type { Json } from "./json.ts";

describe("the canonical text of a value", () => {
  it("orders fields by their UTF-16 code units, at every depth, and leaves lists as they are", () => {
    expect(
      canonical({ b: [3, 1, { d: null, c: true }], a: "x", "10": 0, "9": 0, "\u20ac": 1e21, é: -0 }),
    ).toBe('{"10":0,"9":0,"a":"x","b":[3,1,{"c":true,"d":null}],"é":0,"€":1e+21}');
  });

  it("is JSON of the same value, and the same whatever the order of the fields", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const text = canonical(value as Json);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonical(backwards(value) as Json)).toBe(text);
      }),
    );
  });

  it("keeps lone surrogates apart, in texts and in names of fields", () => {
    const values = ["\ud800", "\udc00", "\ufffd", "\\ud800", { "\ud800": 1 }, { "\ufffd": 1 }];
    expect(new Set(values.map(canonical)).size).toBe(values.length);
  });
});

/** The same value, its fields in the opposite order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, backwards(part)]),
  );
}
