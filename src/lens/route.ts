/** Where runs are taken, and what comes of each. */
import type { RunStatus } from "../core/run-record.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

export interface Route {
  readonly from: Store;
  readonly to: Store;
  readonly world: Pick<World, "owner" | "now" | "isGone">;
  /** Each run is removed where it was once it is verified where it goes. */
  readonly isMove: boolean;
  /** Awaited before a run is removed where it was: takes along what else belongs to it. */
  readonly onLeave?: ((runId: string) => Promise<void>) | undefined;
}

export type Outcome = Taken | Missed;

/** The run is in the other store, as it is recorded. `there`: it was before. */
interface Taken {
  readonly outcome: "copied" | "there";
  readonly entries: number;
  readonly values: number;
}

/** `left`: it is not in the other store, or not gone where it was. `faulty`: what was read is not what must be there. */
interface Missed {
  readonly outcome: "left" | "faulty";
  readonly why: string;
}

export const left = (why: string): Missed => ({ outcome: "left", why });

/** Nothing more happens in such a run: two stores may have it. */
export const isOver = (status: RunStatus): boolean => ["completed", "failed", "cancelled"].includes(status);
