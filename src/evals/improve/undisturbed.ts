import type { Entry } from "../../core/entries.ts";
import type { PicoUsd } from "../../core/limits.ts";

/** What a run has cost, and the most that was held for one call of it. */
export interface Bill {
  readonly picoUsd: PicoUsd;
  readonly largestHold: PicoUsd;
}

/**
 * What a run would have cost if nothing had disturbed it: calls of which nobody knows what became of them are left out. So it is
 * the same however often the run was killed and gone on with.
 */
export function undisturbed(entries: readonly Entry[]): Bill {
  let [picoUsd, largestHold] = [0n, 0n];
  for (const entry of entries) {
    if (entry.type === "budget-settled" && !entry.doubt) picoUsd += BigInt(entry.amount.picoUsd);
    if (entry.type !== "budget-reserved") continue;
    const held = BigInt(entry.amount.picoUsd);
    if (held > largestHold) largestHold = held;
  }
  return { picoUsd, largestHold };
}
