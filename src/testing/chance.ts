/** Randomness that can be had again: the same seed makes the same choices, on every machine. */
export interface Chance {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** True with this probability, from 0 to 1. */
  flip(probability?: number): boolean;
  /** One of several. @throws RangeError when there is none. */
  pick<T>(among: readonly T[]): T;
  /** Another sequence of choices, its seed drawn from this one: what is drawn from it moves nothing here. */
  fork(): Chance;
}

/**
 * Makes a chance from a seed, of which the lowest 32 bits count. The generator is mulberry32 (T. Ettinger, 2017, public domain): 32 bits of
 * state, fit for tests and for nothing secret.
 */
export function chance(seed: number): Chance {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    flip: (probability = 0.5) => next() < probability,
    pick<T>(among: readonly T[]): T {
      if (among.length === 0) throw new RangeError("there is nothing to pick from");
      return among[whole(0, among.length - 1)] as T; // the index is within the list
    },
    fork: () => chance(Math.floor(next() * 2 ** 32)),
  };
}
