import type { Entry } from "../core/entries.ts";

/**
 * Who hears of runs while this process advances them. It throws nothing, and delays no run that it can help. It acts: a run
 * does not begin before it stands ready, and it may stop one. What only watches, and works inside of what it watches, is an
 * `Instrument`.
 */
export interface Listener {
  /** Called, and waited for, before this process records anything of a run. */
  enter(runId: string): Promise<void>;
  /** Entries that are in the store now, in order. `stop` cancels the run. */
  hear(runId: string, entries: readonly Entry[], stop: (reason: string) => void): void;
  /** This process will advance no more runs. Returns when what is under way is done, within a bound of its own. */
  leave(): Promise<void>;
}
