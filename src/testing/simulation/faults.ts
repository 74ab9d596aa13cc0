import { StoreUnavailableError } from "../../core/errors.ts";
import type { Chance } from "../chance.ts";
import type { CrashPoint } from "../crash-store.ts";
import type { Falters } from "../faltering-store.ts";

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

/** What a store throws that does not answer, as it should. */
const away = new StoreUnavailableError("the store is away", { retryable: true });
/** The same, and what nobody knows. */
const outages: readonly Error[] = [away, Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })];

export const isOutage = (error: unknown): boolean => outages.includes(error as Error);

/**
 * One process's store that does not answer now and then, or often, or not for a while; before or after it has done what was asked.
 *
 * @param isKnown whether it always says so as it should. Default: it does not.
 */
export function randomFalters(chance: Chance, isKnown = false): Falters {
  const mostly = chance.pick([0.01, 0.05, 0.3]);
  let leftOfOutage = 0;
  return () => {
    if (leftOfOutage === 0 && !chance.flip(mostly)) return undefined;
    if (leftOfOutage === 0) leftOfOutage = chance.pick([1, 1, 2, 5]);
    leftOfOutage -= 1;
    return { when: chance.pick(["before", "after"]), error: isKnown ? away : chance.pick(outages) };
  };
}
