import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "./json.ts";
import { applyPatch, diff, equal, merge } from "./state.ts";

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe("diff and applyPatch", () => {
  it("lead from any value to any other, and leave the first as it was", () => {
    fc.assert(
      fc.property(json, json, (from, to) => {
        const before = JSON.stringify(from);
        expect(equal(applyPatch(from, diff(from, to)), JSON.parse(JSON.stringify(to)))).toBe(true);
        expect(JSON.stringify(from)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  it("write down only what changed", () => {
    const from = { big: "x".repeat(1_000), log: ["a"], findings: { Alpha: 1 } };
    const to = { ...from, log: ["a", "b"], findings: { Alpha: 1, "B/~": 2 } };
    expect(diff(from, to)).toEqual([
      { op: "add", path: "/log/1", value: "b" },
      { op: "add", path: "/findings/B~1~0", value: 2 },
    ]);
  });

  it("compare tagged values whole", () => {
    const date = (value: string): Json => ({ $type: "date", value });
    expect(diff({ at: date("a") }, { at: date("b") })).toEqual([
      { op: "replace", path: "/at", value: date("b") },
    ]);
  });
});

describe("merge", () => {
  const base = { findings: {}, total: 0, log: ["start"] };
  const branch = (name: string, change: object) => ({ name, state: { ...base, ...change } });

  it("takes changes of different places, in declared order", () => {
    const merged = merge(
      base,
      [branch("a", { findings: { x: 1 } }), branch("b", { findings: { y: 2 } }), branch("c", { total: 3 })],
      {},
      "/p/both",
    );
    expect(merged).toEqual({ findings: { x: 1, y: 2 }, total: 3, log: ["start"] });
  });

  it("names field and branches when two set one field to different values", () => {
    expect(() => merge(base, [branch("a", { total: 1 }), branch("b", { total: 2 })], {}, "/p/both")).toThrow(
      /branches "a" and "b" of \/p\/both both changed the state field "total"/,
    );
  });

  it("finds a conflict between a whole and a part of it, in either order", () => {
    const whole = branch("whole", { findings: "none" });
    const part = branch("part", { findings: { x: 1 } });
    expect(() => merge(base, [whole, part], {}, "/p")).toThrow(/"findings/);
    expect(() => merge(base, [part, whole], {}, "/p")).toThrow(/"findings/);
  });

  it("finds a conflict between two changes of one list, wherever in it they are", () => {
    const shorter = { name: "a", state: { list: [1] } };
    const longer = { name: "b", state: { list: [1, 2, 3, 4] } };
    expect(() => merge({ list: [1, 2, 3] }, [shorter, longer], {}, "/p/x")).toThrow('"list"');
    expect(merge({ list: [1, 2, 3] }, [longer], {}, "/p/x")).toEqual(longer.state);
  });

  it("accepts two branches that agree", () => {
    expect(merge(base, [branch("a", { total: 1 }), branch("b", { total: 1 })], {}, "/p")).toEqual({
      ...base,
      total: 1,
    });
  });

  it("hands a field with a reducer to it, in declared order", () => {
    const concat = (current?: Json, incoming?: Json, from?: Json): Json => [
      ...(current as Json[]),
      ...(incoming as Json[]).slice((from as Json[]).length),
    ];
    const merged = merge(
      base,
      [branch("a", { log: ["start", "a"] }), branch("b", { log: ["start", "b"] })],
      { log: concat },
      "/p",
    );
    expect(merged).toEqual({ ...base, log: ["start", "a", "b"] });
  });

  it("merges 20,000 items in time linear in them", () => {
    const items = Array.from({ length: 20_000 }, (_, i) => branch(String(i), { findings: { [`k${i}`]: i } }));
    expect(Object.keys((merge(base, items, {}, "/p") as { findings: object }).findings)).toHaveLength(20_000);
  });
});
