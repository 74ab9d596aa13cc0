import { expect, test } from "vitest";
import { branchOn, mapOver, pipeline, step } from "./compose.ts";
import { eachPlace, isCompensated, placeAt, undoAt } from "./tree.ts";

const named = (name: string) => step(name, (value: unknown) => value);
const undo = pipeline("undo", named("first").to(named("second")));
const tree = pipeline(
  "p",
  mapOver<unknown, unknown, unknown>(
    "m",
    named("a")
      .compensate(undo)
      .to(
        named("b")
          .to(named("c"))
          .compensate("both", () => {}),
      ),
  ).to(branchOn("r", () => "x", { x: named("d") }, { otherwise: named("e").compensate("back", () => {}) })),
).node;

test("a path leads to its place, in compensations, too", () => {
  const name = (path: string): string | undefined => placeAt(tree, path)?.name;
  expect(name("/p/m[k]/a")).toBe("a");
  expect(name("/p/m[k]/a:call#0")).toBe("a");
  expect(name("/p/m[k]/a@undo/undo/second")).toBe("second");
  expect(name("/p/m[k]/b..c@undo/both@2:call#0")).toBe("both");
  expect(name("/p/r[nowhere]/e@undo/back")).toBe("back");
  expect(name("/p/m[k]/b@undo/both")).toBeUndefined();
  expect(name("/p/m[k]/a/undo")).toBeUndefined();
});

test("a place leads to its compensation, where it has one", () => {
  expect(undoAt(tree, "/p/m[k]/a")).toBe(undo.node);
  expect(undoAt(tree, "/p/m[k]/b..c")).toMatchObject({ name: "both" });
  expect(undoAt(tree, "/p/r[nowhere]/e")).toMatchObject({ name: "back" });
  expect(undoAt(tree, "/p/m[k]/b")).toBeUndefined();
  expect(isCompensated(tree)).toBe(true);
  expect(isCompensated(undo.node)).toBe(false);
});

test("the places of compensations are visited as all others", () => {
  const paths: string[] = [];
  eachPlace(tree, "", (_, path) => paths.push(path));
  expect(paths).toContain("/p/m[]/a@undo/undo/first");
  expect(paths).toContain("/p/m[]/b..c@undo/both");
  expect(new Set(paths).size).toBe(paths.length);
});
