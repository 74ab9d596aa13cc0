import type { BudgetExceededError, FlujoError } from "../core/errors.ts";
import type { Wait } from "../core/waiting.ts";

/**
 * Why work stops that has not failed. It passes through every container untouched: nothing retries it, collects it,
 * falls back from it, or records it as a failure, so a resumed run does that work again.
 *
 * - `halted`: the budget does not allow the next call.
 * - `suspended`: it waits for what `waiting` lists; with nothing there, it is left to the next owner of the run.
 * - `cancelled`: somebody asked.
 * - `sibling`: another branch has failed, and the whole with it.
 * - `lost`: this process may not advance the run any more: its lease is gone, its store does not answer, or it shuts down.
 */
export class Interruption extends Error {
  readonly why: "halted" | "suspended" | "cancelled" | "sibling" | "lost";
  readonly error: FlujoError | undefined;
  readonly waiting: readonly Wait[];

  private constructor(
    why: Interruption["why"],
    error: FlujoError | undefined,
    waiting: readonly Wait[] = [],
  ) {
    super(error?.message ?? why, error === undefined ? undefined : { cause: error });
    this.name = "Interruption";
    this.why = why;
    this.error = error;
    this.waiting = waiting;
  }

  static halted(error: BudgetExceededError): Interruption {
    return new Interruption("halted", error);
  }
  static suspended(waiting: readonly Wait[]): Interruption {
    return new Interruption("suspended", undefined, waiting);
  }
  static cancelled(error: FlujoError): Interruption {
    return new Interruption("cancelled", error);
  }
  static sibling(): Interruption {
    return new Interruption("sibling", undefined);
  }
  static lost(error: FlujoError): Interruption {
    return new Interruption("lost", error);
  }
}
