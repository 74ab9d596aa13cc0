import { describe, expect, it } from "vitest";
import { step } from "../core/compose.ts";
import { Flujo } from "../flujo.ts";

const half = step("half", (n: number) => n / 2);

describe("a Flujo is refused where it is made", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a function in place of a pipeline",
      () => new Flujo((() => 1) as never),
      "what Flujo was given to run is no step",
    ],
    [
      "a URI in place of a store",
      () => new Flujo(half, { store: "sqlite:x" as never }),
      "the store Flujo was given is none",
    ],
    [
      "money without its unit",
      () => new Flujo(half, { budget: "0.5" as never }),
      '"0.5" is not an amount of money',
    ],
    [
      "a lease too short to be kept",
      () => new Flujo(half, { lease: "10ms" }),
      "lease is 10ms; it takes at least 1s",
    ],
  ])("with %s", (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "invalid-option", message }));
  });
});
