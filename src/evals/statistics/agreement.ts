import { type MeanEstimate, meanInterval } from "./mean.ts";

/** How far a judge can be trusted: its verdicts beside those of people. */
export interface Agreement {
  /** The share of cases on which both say the same. */
  readonly agreed: MeanEstimate;
  /** Cohen's kappa: 1 always agreed, 0 no more often than by chance, below 0 less. Undefined where all say one thing. */
  readonly kappa: number | undefined;
}

/**
 * Compares verdicts with labels.
 *
 * ```ts
 * const { agreed, kappa } = agreement([
 *   { verdict: "good", label: "good" },
 *   { verdict: "bad", label: "good" },
 *   { verdict: "bad", label: "bad" },
 * ]);
 * ```
 *
 * @throws RangeError when there is none.
 */
export function agreement(
  verdicts: readonly { readonly verdict: string; readonly label: string; readonly cluster?: string }[],
): Agreement {
  const agreed = meanInterval(
    verdicts.map(({ verdict, label, cluster }) => ({ score: verdict === label ? 1 : 0, cluster })),
  );
  const names = new Set(verdicts.flatMap(({ verdict, label }) => [verdict, label]));
  let byChance = 0;
  for (const name of names) {
    const said = verdicts.filter(({ verdict }) => verdict === name).length;
    byChance += (said * verdicts.filter(({ label }) => label === name).length) / verdicts.length ** 2;
  }
  return { agreed, kappa: names.size < 2 ? undefined : (agreed.mean - byChance) / (1 - byChance) };
}
