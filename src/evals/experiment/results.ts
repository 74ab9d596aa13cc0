import type { Store } from "../../ports/store.ts";
import type { Case } from "../dataset/case.ts";
import { Reading, type Standing } from "./reading.ts";
import type { ExperimentInput, TrialRecord } from "./record.ts";
import type { SummaryOptions } from "./summary.ts";
import { Tally } from "./tally.ts";

/** An experiment as the store has it. */
export interface Experiment extends Standing {
  readonly input: ExperimentInput;
  /** Of all trials that are over, in the order they were. */
  readonly records: readonly TrialRecord[];
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
  return new WholeReading(store, name).toNow();
}

/** A reading that keeps what it has read. */
export class WholeReading {
  readonly #reading: Reading;
  readonly #cases: Case[] = [];
  readonly #records: TrialRecord[] = [];

  constructor(store: Store, name: string) {
    this.#reading = new Reading(store, name);
  }

  get madeAt(): number | undefined {
    return this.#reading.madeAt;
  }

  /** Trials that are over, as far as it has been read. */
  get trials(): number {
    return this.#records.length;
  }

  async toNow(): Promise<Experiment | undefined> {
    for await (const { cases, records } of this.#reading.news()) {
      for (const one of cases) this.#cases.push(one);
      for (const one of records) this.#records.push(one);
    }
    const { standing } = this.#reading;
    if (standing === undefined) return undefined;
    // They grow when it is read again.
    return {
      ...standing,
      input: { ...standing.input, cases: [...this.#cases] },
      records: [...this.#records],
    };
  }
}

/** An experiment summed up as it is read: however many trials it has, few are in memory at once. */
export async function readTally(
  store: Store,
  name: string,
  options: SummaryOptions = {},
): Promise<{ readonly standing: Standing; readonly tally: Tally } | undefined> {
  const [reading, tally] = [new Reading(store, name), new Tally(options)];
  for await (const { records } of reading.news()) for (const one of records) tally.add(one);
  return reading.standing && { standing: reading.standing, tally };
}

/** The records of an experiment, page by page, for whoever writes them down one after the other. */
export async function* recordsOf(store: Store, name: string): AsyncGenerator<TrialRecord> {
  for await (const { records } of new Reading(store, name).news()) yield* records;
}
