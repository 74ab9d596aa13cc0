import { expect, test } from "vitest";
import { duration } from "../../../src/cli/format.ts";
import { agoText, countOf, durationText } from "./time.ts";

test("a duration says the same on screen as in the terminal, and speaks of days from two on", () => {
  for (const ms of [0, 12, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 100_000_000])
    expect(durationText(ms)).toBe(duration(ms));
  expect(durationText(50 * 3_600_000)).toBe("2 d 02 h");
});

test("a moment is told by its largest unit", () => {
  const now = 1_000_000_000;
  expect(agoText(now - 2_000, now)).toBe("now");
  expect(agoText(now - 59_000, now)).toBe("59 s ago");
  expect(agoText(now - 3_700_000, now)).toBe("1 h ago");
  expect(agoText(now + 180_000, now)).toBe("in 3 min");
});

test("one is singular, a thousand has its comma", () => {
  expect([countOf(1, "call"), countOf(0, "call"), countOf(1_000, "call")]).toEqual([
    "1 call",
    "0 calls",
    "1,000 calls",
  ]);
});
