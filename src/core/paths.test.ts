import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  attemptPath,
  childPath,
  enclosing,
  isOperationOf,
  isRunId,
  isWithin,
  itemPath,
  operationPath,
  pathSegment,
  undoAround,
  undoPath,
} from "./paths.ts";

describe("paths", () => {
  it("read as in the documentation", () => {
    const step = childPath(itemPath(childPath("/q3", "AnalyseAll"), "Alpha"), "fetch");
    expect(operationPath(step, "revenue", 0)).toBe("/q3/AnalyseAll[Alpha]/fetch:revenue#0");
    expect(attemptPath(step, 1)).toBe(step);
    expect(attemptPath(step, 2)).toBe("/q3/AnalyseAll[Alpha]/fetch@2");
  });

  it("give different names different segments, and keep the structure's characters out of them", () => {
    const name = fc.string({ unit: "binary", maxLength: 8 });
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(pathSegment(a)).not.toMatch(/[/[\]:#@\p{Cc}]/u);
        expect(pathSegment(a) === pathSegment(b)).toBe(a === b);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keep lone surrogates apart", () => {
    expect(pathSegment("\ud800")).not.toBe(pathSegment("\ud801"));
    expect(pathSegment("\ud800").isWellFormed()).toBe(true);
  });

  it("tell an operation by its name, in any attempt of its step", () => {
    for (const path of ["/q/a:tool%3At#0", "/q/a:tool%3At#12", "/q/a@3:tool%3At#0"])
      expect(isOperationOf(path, "/q/a", "tool:t")).toBe(true);
    for (const path of ["/q/a:tool%3At2#0", "/q/ab:tool%3At#0", "/q/a/b:tool%3At#0", "/q/a@3", "/q/a:t#0"])
      expect(isOperationOf(path, "/q/a", "tool:t")).toBe(false);
  });

  it("tell a compensation from a place of such a name", () => {
    expect(undoAround("/q/m[k]/a@undo/b:call#0")).toBe("/q/m[k]/a@undo");
    expect(undoAround(`${undoPath("/q/a")}/b`)).toBe("/q/a@undo");
    expect(undoAround(childPath("/q", "a@undo"))).toBeUndefined();
  });

  it("know what lies inside what", () => {
    for (const inside of ["/q/a", "/q/a/b", "/q/a[k]", "/q/a:x#0", "/q/a@2:x#0"])
      expect(isWithin(inside, "/q/a")).toBe(true);
    for (const outside of ["/q/ab", "/q", "/q/b"]) expect(isWithin(outside, "/q/a")).toBe(false);
  });
});

describe("enclosing places", () => {
  it("are those that a path lies in, and no others", () => {
    const path = "/q3/each[k 1]/fetch@2:call#0";
    const places = ["/q3", "/q3/each", "/q3/each[k 1]", "/q3/each[k 1]/fetch", "/q3/each[k 1]/fetch@2", path];
    expect(enclosing(path)).toEqual(places);
    for (const place of places) expect(isWithin(path, place)).toBe(true);
  });
});

describe("run ids", () => {
  it.each(["q3-2025", "a", "A.b_c-9", "0".repeat(128)])("accept %s", (id) => expect(isRunId(id)).toBe(true));
  it.each(["", "../x", ".hidden", "a/b", "a b", "a\0", "-x", "0".repeat(129), "é"])("refuse %j", (id) =>
    expect(isRunId(id)).toBe(false),
  );
});
