import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Choices that can be had again: the same seed makes the same ones. */
export interface Chance {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** One of several. @throws RangeError when there is none. */
  pick<T>(among: readonly T[]): T;
  /** One of several, each as probable as its weight, from 0, says. @throws RangeError when none has any. */
  weighted<T>(among: readonly (readonly [one: T, weight: number])[]): T;
  /** All of them, in another order. */
  shuffled<T>(list: readonly T[]): T[];
}

/** Of seeds that are near each other the first numbers are alike. */
const alike = 64;

export function chanceOf(seed: number): Chance {
  const generator = xoroshiro128plus(seed);
  for (let i = 0; i < alike; i += 1) generator.next();
  const next = (): number => (generator.next() >>> 0) / 2 ** 32;
  return {
    next,
    pick<T>(among: readonly T[]): T {
      if (among.length === 0) throw new RangeError("there is nothing to pick from");
      return among[Math.floor(next() * among.length)] as T; // within the list
    },
    weighted<T>(among: readonly (readonly [one: T, weight: number])[]): T {
      const able = among.filter(([, weight]) => weight > 0);
      const last = able.at(-1);
      if (last === undefined) throw new RangeError("there is nothing to pick from");
      let left = next() * able.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [one, weight] of able) {
        left -= weight;
        if (left < 0) return one;
      }
      return last[0]; // what rounding has left over
    },
    shuffled<T>(list: readonly T[]): T[] {
      const all = [...list];
      for (let i = all.length - 1; i > 0; i -= 1) {
        const j = Math.floor(next() * (i + 1));
        [all[i], all[j]] = [all[j] as T, all[i] as T]; // both within the list
      }
      return all;
    },
  };
}
