import { emptyRecord, type RunRecord, record } from "../../core/fold.ts";
import { open } from "../../engine/values.ts";
import type { Store } from "../../ports/store.ts";
import { experimentPipeline } from "./experiment.ts";
import type { ExperimentInput, TrialRecord } from "./record.ts";
import type { Experiment } from "./results.ts";

const page = 10_000;

/** An experiment as its journal tells it, read once, and then only where it goes on. */
export class Reading {
  readonly #store: Store;
  readonly #name: string;
  readonly #run: RunRecord = emptyRecord();
  readonly #records: TrialRecord[] = [];
  #input: ExperimentInput | undefined;

  constructor(store: Store, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /** When its run was made: one that was removed and made again is another one. */
  get madeAt(): number | undefined {
    return this.#run.created?.at;
  }

  /** Trials that are over, as far as it has been read. */
  get trials(): number {
    return this.#records.length;
  }

  /**
   * Reads what is new.
   *
   * @returns undefined when there is no run of that name, or it is none of an experiment.
   */
  async toNow(): Promise<Experiment | undefined> {
    for (;;) {
      const entries = (await this.#store.read(this.#name, this.#run.next, page)) ?? [];
      for (const entry of entries) {
        record(this.#run, entry);
        if (this.#run.created?.pipeline !== experimentPipeline) return undefined;
        if (entry.type === "step-completed")
          this.#records.push((await open(entry.output, this.#store)) as TrialRecord); // its only step returns them
      }
      this.#run.completed.clear(); // what operations returned is in the records, or of no concern
      if (entries.length < page) break;
    }
    const { created, status, spent } = this.#run;
    if (created === undefined) return undefined;
    this.#input ??= (await open(created.input, this.#store)) as ExperimentInput; // as it was begun with
    const { at } = created;
    const records = [...this.#records]; // they grow when it is read again
    return { name: this.#name, status, input: this.#input, records, judged: spent, at };
  }
}
