/** Values below this are counted one by one; larger ones with those that share their first eight binary digits. */
const exactBelow = 256;

/**
 * Percentiles of whole numbers, such as milliseconds, without keeping the numbers: at most about 6,000 counts, however many
 * come. Exact below 256; above, never too low, and less than 0.8 % too high.
 */
export class Quantiles {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #max = 0;

  /** @param value a whole number from 0; anything else is taken as the nearest. */
  add(value: number): void {
    const whole = Math.max(0, Math.round(value));
    const bucket = ceilingOf(whole);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#max = Math.max(this.#max, whole);
  }

  get count(): number {
    return this.#count;
  }

  /** The largest; undefined of none. */
  get max(): number | undefined {
    return this.#count === 0 ? undefined : this.#max;
  }

  /**
   * The smallest value that this share of all does not exceed; undefined of none.
   *
   * @param share above 0, up to 1: 0.95 for p95.
   */
  at(share: number): number | undefined {
    let left = Math.ceil(this.#count * share);
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.min(bucket, this.#max);
    }
    return undefined;
  }
}

/** The largest value that is counted with this one. */
function ceilingOf(value: number): number {
  if (value < exactBelow) return value;
  const step = 2 ** (Math.floor(Math.log2(value)) - 7);
  return Math.floor(value / step) * step + step - 1;
}
