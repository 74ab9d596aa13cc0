import type { Chance } from "../chance.ts";
import type { CrashPoint } from "../crash-store.ts";

/** What goes wrong while a process advances the run: around one of its commits, or at any moment. */
export type Fault =
  | { readonly kind: "at-commit"; readonly point: CrashPoint }
  | { readonly kind: "at-time"; readonly ms: number; readonly how: "die" | "pause" | "shut-down" };

export function randomFault(chance: Chance): Fault {
  if (chance.flip(0.4)) {
    const ms = chance.whole(0, chance.pick([20, 500, 5_000, 30_000]));
    return { kind: "at-time", ms, how: chance.pick(["die", "die", "pause", "shut-down"]) };
  }
  const point: CrashPoint = {
    commit: chance.whole(1, chance.pick([2, 6, 20])),
    when: chance.pick(["before", "after"]),
    how: chance.pick(["die", "die", "die", "pause", "fail"]),
  };
  return { kind: "at-commit", point };
}
