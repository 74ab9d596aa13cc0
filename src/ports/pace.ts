import type { Quote } from "../core/context.ts";
import type { World } from "./world.ts";

/** How fast models may be called: what the engine asks before each call, money aside. */
export interface Pace {
  /**
   * Leave to make one call: at once, or when its turn has come; first come, first served. Rejects with the reason when
   * `stop` fires first.
   */
  turn(quote: Quote, world: Pick<World, "now" | "timer">, stop: Stoppable): Turn | Promise<Turn>;
}

/** Calls back once when it fires, at once if it has; the returned function calls it off. */
export interface Stoppable {
  onFire(listener: (reason: Error) => void): () => void;
}

/** Leave to make one call. It takes up room until the call is sent, and for a minute from then on. */
export interface Turn {
  /** The request leaves now. */
  sent(): void;
  /** The call is over, or nobody waits for it any more. Only the first word counts. */
  ended(outcome: Outcome): void;
  /** Nothing was sent: the next one may have the turn. */
  back(): void;
}

export interface Outcome {
  /** What the provider counted, in and out. Absent: nobody knows, and all that the call might have used counts. */
  readonly tokens?: number;
  /** The provider answered. */
  readonly ok?: boolean;
  /** The provider wants no call of this model for so long, in milliseconds. */
  readonly pauseMs?: number;
}
