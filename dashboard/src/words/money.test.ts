import fc from "fast-check";
import { expect, test } from "vitest";
import { money } from "../../../src/cli/format.ts";
import { decimalUsd } from "../../../src/core/limits.ts";
import { decimalOf, moneyText, partOf, picoOf, sumUsd } from "./money.ts";

const pico = fc.bigInt({ min: 0n, max: 10n ** 18n });

/** `$0.5` is `$0.50` on screen. */
const withCents = (text: string): string => text.replace(/\.\d$/, "$&0");

test("an amount says the same on screen as in the terminal", () => {
  fc.assert(
    fc.property(pico, (amount) => {
      expect(moneyText(decimalUsd(amount))).toBe(withCents(money(amount)));
    }),
  );
  for (const amount of [0n, 1n, 9_999_999_999n, 10_000_000_000n, 10n ** 12n])
    expect(moneyText(decimalUsd(amount))).toBe(withCents(money(amount)));
});

test("nothing is lost between text and integer, below zero neither", () => {
  fc.assert(
    fc.property(pico, (amount) => {
      expect(picoOf(decimalUsd(amount))).toBe(amount);
      expect(picoOf(decimalOf(-amount))).toBe(-amount);
    }),
  );
});

test("sums are exact where floats are not", () => {
  expect(sumUsd(["0.1", "0.2"])).toBe("0.3");
  expect(sumUsd(["1000000", "0.000000000001"])).toBe("1000000.000000000001");
  expect(sumUsd([])).toBe("0");
});

test("a part of a whole stays between none and all", () => {
  expect(partOf("0.25", "1")).toBe(0.25);
  expect(partOf("2", "1")).toBe(1);
  expect(partOf("-1", "1")).toBe(0);
  expect(partOf("1", "0")).toBe(0);
});
