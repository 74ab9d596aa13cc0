import { normalQuantile } from "./quantiles.ts";

export interface NeededOptions {
  /** How surely a difference that is there is to be seen. Default 0.8. */
  readonly power?: number;
  /** Default 0.95. */
  readonly confidence?: number;
}

/**
 * How many cases an experiment would need to tell a difference of this size from none, when its cases are like those of
 * one that has been made: as much alike, and scattered as far (Miller 2024, section 5).
 *
 * ```ts
 * const { standardError, cases } = { standardError: 0.03, cases: 200 };
 * casesNeeded({ standardError, cases }, 0.05); // 566
 * ```
 *
 * @param difference from 0 to 1; its sign does not matter.
 * @returns undefined where that cannot be known: the scores did not differ at all, or the difference is none.
 */
export function casesNeeded(
  { standardError, cases }: { readonly standardError: number; readonly cases: number },
  difference: number,
  { power = 0.8, confidence = 0.95 }: NeededOptions = {},
): number | undefined {
  if (!(standardError > 0) || difference === 0) return undefined;
  const deviations = normalQuantile((1 + confidence) / 2) + normalQuantile(power);
  return Math.ceil(cases * ((deviations * standardError) / difference) ** 2);
}
