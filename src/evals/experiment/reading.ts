import { record } from "../../core/fold.ts";
import { addSpent, nothingSpent, type Spent } from "../../core/limits.ts";
import { emptyRecord, type RunRecord, type RunStatus } from "../../core/run-record.ts";
import { open } from "../../engine/values.ts";
import type { Store } from "../../ports/store.ts";
import type { Case } from "../dataset/case.ts";
import { partRunId } from "./parts.ts";
import { experimentPipeline, partPipeline } from "./pipelines.ts";
import type { ExperimentInput, TrialRecord } from "./record.ts";

/** Entries that are in memory at once. */
const page = 2_000;

/** How an experiment stands, without what it has tried. */
export interface Standing {
  readonly name: string;
  /** Of the part that is under way; `completed` when all are. */
  readonly status: RunStatus;
  readonly input: Omit<ExperimentInput, "cases">;
  /** What judges cost; the trials' own runs are in their records. */
  readonly judged: Spent;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
}

/** Some of what is new of an experiment, in the order it was recorded. */
export interface News {
  /** Cases that are tried: each is told once. */
  readonly cases: readonly Case[];
  /** Trials that are over. */
  readonly records: readonly TrialRecord[];
}

/** An experiment as its journals tell it, read once, and then only where it goes on. What it has told it does not keep. */
export class Reading {
  readonly #store: Store;
  readonly #name: string;
  readonly #parts: PartReading[] = [];

  constructor(store: Store, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /** When its run was made: one that was removed and made again is another one. */
  get madeAt(): number | undefined {
    return this.#parts[0]?.run.created?.at;
  }

  /** As far as it has been read; undefined when there is no run of that name, or it is none of an experiment. */
  get standing(): Standing | undefined {
    const [first] = this.#parts;
    const current = this.#parts.at(-1);
    if (first?.input === undefined || current === undefined) return undefined;
    return {
      name: this.#name,
      status: current.run.status, // of a part that has not begun: running, for whoever goes on
      input: first.input,
      judged: this.#parts.reduce((sum, { run }) => addSpent(sum, run.spent), nothingSpent),
      at: first.run.created?.at ?? 0, // it has an input
    };
  }

  /** What is new, page by page. */
  async *news(): AsyncGenerator<News> {
    for (let number = Math.max(1, this.#parts.length); ; number += 1) {
      const part = this.#part(number);
      yield* part.news();
      const of = this.#parts[0]?.input?.part?.of ?? 1;
      if (part.input === undefined || part.run.status !== "completed" || number === of) return;
    }
  }

  /** Reads what is new for how it stands alone. */
  async toNow(): Promise<Standing | undefined> {
    for await (const _ of this.news());
    return this.standing;
  }

  #part(number: number): PartReading {
    const known = this.#parts[number - 1];
    if (known !== undefined) return known;
    const pipeline = number === 1 ? experimentPipeline : partPipeline;
    const part = new PartReading(this.#store, partRunId(this.#name, number), pipeline);
    this.#parts.push(part);
    return part;
  }
}

/** One run of an experiment. */
class PartReading {
  readonly run: RunRecord = emptyRecord();
  /** Undefined while there is no such run. */
  input: Standing["input"] | undefined;
  readonly #store: Store;
  readonly #runId: string;
  readonly #pipeline: string;

  constructor(store: Store, runId: string, pipeline: string) {
    this.#store = store;
    this.#runId = runId;
    this.#pipeline = pipeline;
  }

  async *news(): AsyncGenerator<News> {
    for (;;) {
      const entries = (await this.#store.read(this.#runId, this.run.next, page)) ?? [];
      const records: TrialRecord[] = [];
      let begun: readonly Case[] = [];
      for (const entry of entries) {
        record(this.run, entry);
        if (this.run.created?.pipeline !== this.#pipeline) return;
        if (entry.type === "run-created") {
          const { cases, ...input } = (await open(entry.input, this.#store)) as ExperimentInput; // as it was begun with
          this.input = input;
          if ((input.part?.first ?? 1) === 1) begun = cases;
        } else if (entry.type === "step-completed")
          records.push((await open(entry.output, this.#store)) as TrialRecord); // its only step returns them
      }
      // What operations returned, and the items, are told, or of no concern.
      this.run.completed.clear();
      this.run.maps.clear();
      if (begun.length + records.length > 0) yield { cases: begun, records };
      if (entries.length < page) return;
    }
  }
}
