import { describe, expect, it } from "vitest";
import { type Duration, milliseconds } from "./duration.ts";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["60s", 60_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["0s", 0],
  ] as const)("%s is %i ms", (text, ms) => expect(milliseconds(text)).toBe(ms));

  it.each(["60", "-1s", "1w", "", "Infinitys", "40000d"])("refuses %j", (text) => {
    expect(() => milliseconds(text as Duration)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
