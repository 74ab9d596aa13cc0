import { addSpent, nothingSpent, type Spent } from "../core/limits.ts";

/** Sums by a key, exact: money is integers. */
export class Totals {
  readonly #sums = new Map<string, Spent>();

  add(key: string, spent: Spent): void {
    this.#sums.set(key, addSpent(this.#sums.get(key) ?? nothingSpent, spent));
  }

  of(key: string): Spent {
    return this.#sums.get(key) ?? nothingSpent;
  }

  /** The dearest first, equal ones by key. */
  get dearest(): [string, Spent][] {
    return [...this.#sums].sort(([a, x], [b, y]) => compare(y.picoUsd, x.picoUsd) || (a < b ? -1 : 1));
  }

  get byKey(): [string, Spent][] {
    return [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
