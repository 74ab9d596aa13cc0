import type { RunStatus } from "../../core/fold.ts";
import type { Spent } from "../../core/limits.ts";
import type { Store } from "../../ports/store.ts";
import { Reading } from "./reading.ts";
import type { ExperimentInput, TrialRecord } from "./record.ts";

/** An experiment as the store has it. */
export interface Experiment {
  readonly name: string;
  readonly status: RunStatus;
  readonly input: ExperimentInput;
  /** Of all trials that are over, in the order they were. */
  readonly records: readonly TrialRecord[];
  /** What judges cost; the trials' own runs are in their records. */
  readonly judged: Spent;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Finds an experiment by its name, also one that is not over.
 *
 * ```ts
 * const found = await readExperiment(sqlite(".flujo/flujo.db"), "baseline");
 * if (found !== undefined) console.log(summaryOf(found.records).score.mean);
 * ```
 *
 * @returns undefined when there is no run of that name, or it is none of an experiment.
 */
export function readExperiment(store: Store, name: string): Promise<Experiment | undefined> {
  return new Reading(store, name).toNow();
}
