import { expect, test } from "vitest";
import { around, nameAt, operationAt } from "./place.ts";

test("the places around one are those with a name of their own, without the pipeline", () => {
  expect(around("/q3/fetch")).toEqual([]);
  expect(around("/q3/each[a]/inner/fetch")).toEqual(["/q3/each", "/q3/each[a]/inner"]);
  expect(around("/q3/each[a]")).toEqual(["/q3/each"]);
  expect(around("")).toEqual([]);
});

test("an operation belongs to its step, whichever attempt it is of", () => {
  expect(operationAt("/q3/ask@2:tool%3Aweather#1")).toEqual({ owner: "/q3/ask", name: "tool:weather" });
  expect(operationAt("/q3/each[a%3Ab]/fetch:get#0")).toEqual({ owner: "/q3/each[a%3Ab]/fetch", name: "get" });
  expect(operationAt("/q3/fetch")).toBeUndefined();
});

test("names are told as they were given", () => {
  expect(nameAt("/q3/a%2Fb")).toBe("a/b");
  expect(nameAt("/q3/half%ud83d")).toBe("half%ud83d");
});
