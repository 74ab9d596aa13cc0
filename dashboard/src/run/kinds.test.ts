import { expect, test } from "vitest";
import { itemPath, operationPath } from "../../../src/core/paths.ts";
import { partText, toneOf } from "./kinds.ts";

test("the parts of a path read as words", () => {
  expect(["/summarise", "[Alpha]", ":call#0", ":call#1", "@2"].map(partText)).toEqual([
    "summarise",
    "Alpha",
    "call",
    "call 2",
    "attempt 2",
  ]);
});

test("names with characters that structure paths come back as they were", () => {
  for (const name of ["a/b", "50% [x]", "a:b#c@d", "<script>alert(1)</script>", "línea\nnueva"]) {
    expect(partText(itemPath("", name))).toBe(name);
    expect(partText(operationPath("", name, 0))).toBe(name);
  }
  expect(partText(itemPath("", "\ud800"))).toBe("\ufffd");
  expect(partText("[100%]")).toBe("100%");
});

test("what failed looks failed, whatever it is", () => {
  expect(toneOf({ kind: "model-call", status: "failed" })).toBe("bar-failed");
  expect(toneOf({ kind: "model-call", status: "completed" })).toBe("bar-model");
  expect(toneOf({ kind: "mapOver", status: "running" })).toBe("bar-group");
});
