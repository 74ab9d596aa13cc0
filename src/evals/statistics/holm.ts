/**
 * Probabilities of several looks at once, corrected so that all of them together err as seldom as one look would (Holm,
 * 1979): twenty slices show a "significant" difference somewhere, by chance, more often than not.
 *
 * ```ts
 * holm([0.01, 0.04, 0.03]); // [0.03, 0.06, 0.06]
 * ```
 *
 * @returns in the order given, each from 0 to 1.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const corrected: number[] = new Array(ps.length);
  let highest = 0;
  for (const [rank, i] of order.entries()) {
    highest = Math.min(1, Math.max(highest, (ps.length - rank) * (ps[i] as number))); // i is within the list
    corrected[i] = highest;
  }
  return corrected;
}
