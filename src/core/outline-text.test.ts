import { expect, test } from "vitest";
import type { Outline } from "./outline.ts";
import { outlineFrom, outlineText } from "./outline-text.ts";

const settings = [{ kind: "retry", attempts: 3 }];
const one = { kind: "step", facts: { code: "c1", input: null } };
const outline: Outline = {
  pipeline: "p",
  places: [
    { path: "/p", kind: "pipeline", facts: { input: null } },
    { path: "/p/a", ...one },
    { path: "/p/b", ...one },
    { path: "/p/c", ...one, settings },
    { path: "/p/d", ...one },
  ],
  release: { commit: "abc" },
};

test("what is written is read: all places in their order, with their facts and settings", () => {
  expect(outlineFrom(outlineText(outline))).toEqual(outline);
  expect(outlineFrom(outlineText({ pipeline: "p", places: [] }))).toEqual({ pipeline: "p", places: [] });
});

test("places that are alike cost their paths", () => {
  const places = Array.from({ length: 1_000 }, (_, n) => ({ path: `/p/s${n}`, ...one }));
  const paths = places.reduce((sum, { path }) => sum + path.length, 0);
  expect(outlineText({ pipeline: "p", places }).length).toBeLessThan(paths + 4 * 1_000);
});

test("what was written with every place in full is read as well", () => {
  expect(outlineFrom(JSON.stringify(outline))).toEqual(outline);
});
