import type { World } from "../../ports/world.ts";
import { Interruption } from "../interruption.ts";
import { Tenure } from "../tenure.ts";

/** A tenure over nothing: no lease is held, and no time passes. */
export class ReplayTenure extends Tenure {
  /** What was rested for is over, or the run had not come so far. */
  override async rest(until: number): Promise<void> {
    if (until > this.world.now()) throw Interruption.suspended([{ path: "", kind: "timer", due: until }]);
  }
}

/** The world as it was when a run's last entry was written: no timer comes any more. */
export function stillWorld(now: number): World {
  return {
    now: () => now,
    random: () => 0.5,
    id: () => "replay",
    timer: () => () => {},
    soon: queueMicrotask,
    owner: "replay",
    isGone: () => false,
  };
}
