import { decode } from "../../core/codec.ts";
import { fold, type RunStatus } from "../../core/fold.ts";
import type { Spent } from "../../core/limits.ts";
import { Values } from "../../core/resolve.ts";
import type { Store } from "../../ports/store.ts";
import { experimentPipeline } from "./experiment.ts";
import { journalOf } from "./journal.ts";
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
export async function readExperiment(store: Store, name: string): Promise<Experiment | undefined> {
  const entries = await journalOf(store, name);
  const { created, status, spent } = fold(entries);
  if (created?.pipeline !== experimentPipeline) return undefined;
  const values = new Values(entries, ({ hash }) => store.blob(hash));
  const records: TrialRecord[] = [];
  for (const entry of entries) {
    if (entry.type !== "step-completed") continue;
    records.push(decode(await values.fetch(entry.output)) as TrialRecord); // its only step returns them
  }
  const input = decode(await values.fetch(created.input)) as ExperimentInput; // as it was begun with
  return { name, status, input, records, judged: spent, at: created.at };
}
