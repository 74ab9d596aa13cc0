import { type Duration, milliseconds } from "../../core/duration.ts";
import { picoUsd, type Usd } from "../../core/limits.ts";
import { type Scorer, scorer, verdict } from "./scorer.ts";

const picoPerUsd = 1e12;

/**
 * Right when the run took no longer than this.
 *
 * ```ts
 * const scorers = [latency("5s")];
 * ```
 *
 * Of a run that was interrupted and gone on with nobody knows: that is a failure of the scorer, which says so.
 */
export function latency(most: Duration): Scorer {
  const limit = milliseconds(most);
  return scorer(
    "latency",
    ({ durationMs }) => {
      if (durationMs === undefined)
        throw new Error("the run was interrupted, so nobody knows how long it would have taken");
      return verdict(durationMs <= limit, `${durationMs} ms`, `it took ${durationMs} ms, more than ${limit}`);
    },
    { version: limit },
  );
}

/**
 * Right when the run cost no more than this.
 *
 * ```ts
 * const scorers = [cost("$0.01")];
 * ```
 */
export function cost(most: Usd): Scorer {
  const limit = Number(picoUsd(most)) / picoPerUsd;
  return scorer(
    "cost",
    ({ costUsd }) => verdict(costUsd <= limit, `$${costUsd}`, `it cost $${costUsd}, more than $${limit}`),
    { version: limit },
  );
}
