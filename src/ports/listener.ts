import type { Entry } from "../core/entries.ts";

/** Who hears of runs while this process advances them. It throws nothing, and delays no run that it can help. */
export interface Listener {
  /** Called, and waited for, before this process records anything of a run. */
  enter(runId: string): Promise<void>;
  /** Entries that are in the store now, in order. `stop` cancels the run. */
  hear(runId: string, entries: readonly Entry[], stop: (reason: string) => void): void;
  /** This process will advance no more runs. Returns when what is under way is done, within a bound of its own. */
  leave(): Promise<void>;
}
