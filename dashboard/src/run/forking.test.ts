import { expect, test } from "vitest";
import { placeOf, textsOf } from "./forking.ts";

test.each([
  ["/q/report", "/q/report"],
  ["/q/report:call#1", "/q/report"],
  ["/q/report@2:call#1", "/q/report"],
  ["/q/report@2", "/q/report"],
  ["/q/all[a%3Ab]/report", "/q/all[a%3Ab]/report"],
])("%s is forked at %s", (path, place) => {
  expect(placeOf(path)).toBe(place);
});

test("an agent's prompts and model are edited as text, what it has of them as data", () => {
  const of = (values: object | null) =>
    textsOf({ agents: values === null ? {} : { "/a": values as never }, at: "/a", current: true });
  expect(of({ system: "Be brief.", model: "openai:x", temperature: 0 })).toEqual({
    system: "Be brief.",
    model: "openai:x",
  });
  expect(of({ model: ["a", "b"] })).toEqual({});
  expect(of(null)).toEqual({});
  expect(textsOf({ agents: { "/a": { system: "x" } }, at: null, current: true })).toEqual({});
});
