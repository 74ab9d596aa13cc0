import { expect, test } from "vitest";
import { clip, count, duration, money } from "./format.ts";

test("durations in the unit one would say", () => {
  expect([0, 999, 3_440, 302_000, 11_100_000].map(duration)).toEqual([
    "0 ms",
    "999 ms",
    "3.4 s",
    "5 min 02 s",
    "3 h 05 min",
  ]);
});

test("money to the cent where cents matter, finer below, never rounded down", () => {
  const usd = (dollars: number): bigint => BigInt(Math.round(dollars * 1e12));
  expect(money(0n)).toBe("$0");
  expect(money(usd(1.5))).toBe("$1.5");
  expect(money(usd(0.12345678))).toBe("$0.1235");
  expect(money(usd(0.0000029))).toBe("$0.0000029");
  expect(money(1_234_567n)).toBe("$0.00000124");
  expect(money(1n)).toBe("$0.000000000001");
});

test("counts and clipped lines", () => {
  expect([count(1, "call"), count(0, "call"), count(12_345, "token")]).toEqual([
    "1 call",
    "0 calls",
    "12,345 tokens",
  ]);
  expect(clip("a  b\nc", 10)).toBe("a b c");
  expect(clip("abcdef", 4)).toBe("abc…");
});
