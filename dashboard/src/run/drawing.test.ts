import { expect, test } from "vitest";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../../../src/core/compose.ts";
import { versionOf } from "../../../src/core/fingerprint.ts";
import { nodeOf } from "../../../src/core/step.ts";
import { graphJson } from "../../../src/lens/graph.ts";
import { type Box, boxesOf, boxesOfPlaces, statusOf } from "./drawing.ts";
import type { PlaceStanding } from "./wire.ts";

const s = (name: string) => step(name, (x: unknown) => x);
const whole = nodeOf(
  pipeline(
    "p",
    s("first")
      .retry({ attempts: 3 })
      .to(mapOver("all", s("get").to(s("put")), { over: () => [1] }))
      .to(parallel("both", { left: s("l"), right: s("r").to(s("rr")) }))
      .to(branchOn("which", () => "a", { a: s("aa") }, { otherwise: s("other") }))
      .to(loopUntil("loop", s("turn"), { until: () => true, maxLoops: 2 }))
      .to(s("risky").fallback(s("safe").fallback(s("safest")))),
  ),
  "the test",
);

/** `a b{left: c, right: d} e?f` */
const text = (boxes: readonly Box[]): string =>
  boxes
    .map(({ name, lines, fallbacks }) => {
      const inside = lines.map((line) =>
        line.name === "" ? text(line.boxes) : `${line.name}: ${text(line.boxes)}`,
      );
      const others = fallbacks.map((line) => `?${text(line)}`).join("");
      return `${name}${inside.length === 0 ? "" : `{${inside.join(", ")}}`}${others}`;
    })
    .join(" ");

const drawn =
  "p{first all{get put} both{left: l, right: r rr} which{a: aa, otherwise: other} loop{turn} risky?safe?safest}";
const places = (
  operations: { readonly [path: string]: PlaceStanding["operations"] } = {},
): readonly PlaceStanding[] =>
  versionOf(whole).manifest.map(([path, , after]) => ({
    path,
    after,
    operations: operations[path] ?? {},
    costUsd: "0",
  }));

test("a pipeline is drawn of its graph: lines, branches, fallbacks", () => {
  expect(text(boxesOf(graphJson(whole)))).toBe(drawn);
  expect(boxesOf(graphJson(whole))[0]?.lines[0]?.boxes[0]).toMatchObject({
    path: "/p/first",
    kind: "step",
    qualifiers: ["retry(3)"],
  });
});

test("a recorded version is drawn the same of its places alone", () => {
  expect(text(boxesOfPlaces(places()))).toBe(drawn);
});

test("a place stands as its operations do; before it has an end, as what is inside it", () => {
  const boxes = boxesOf(graphJson(whole));
  const at = (operations: { readonly [path: string]: PlaceStanding["operations"] }) =>
    statusOf(boxes[0] as Box, new Map(places(operations).map((place) => [place.path, place])));
  expect(at({})).toBeUndefined();
  expect(at({ "/p/first": { completed: 1 } })).toBe("running");
  expect(at({ "/p/first": { completed: 1 }, "/p/all[]/get": { completed: 5, failed: 1 } })).toBe("failed");
  expect(at({ "/p/first": { failed: 1 }, "/p": { completed: 1 } })).toBe("completed");
});
