import { InvalidOptionError } from "./errors.ts";

/** A span of time with its unit: `"500ms"`, `"60s"`, `"5m"`, `"3h"`, `"1d"`. Decimals are fine: `"1.5s"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds in a duration, rounded to a whole one.
 *
 * @throws InvalidOptionError when the text is no duration, is negative, or is over 100 years.
 */
export function milliseconds(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  const value = match ? Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]) : Number.NaN;
  if (!Number.isFinite(value) || value > 36_525 * unitMs.d) {
    throw new InvalidOptionError(`"${duration}" is not a duration`, {
      hint: 'Write a number and a unit: "500ms", "60s", "5m", "3h", "1d".',
    });
  }
  return value;
}
