import type { RunListing, Store } from "../../ports/store.ts";
import { experimentPipeline } from "../experiment/pipelines.ts";
import { type Experiment, WholeReading } from "../experiment/results.ts";
import { lineOf } from "./line.ts";
import type { ExperimentLine, ExperimentPage } from "./view.ts";

/** Trials kept in memory, of all experiments together; the one looked at last is kept whatever it has. */
const mostTrials = 100_000;
/** Experiments whose line in the list is kept. */
const mostLines = 2_000;
/** Experiments that one page is looked for among, so that a filter that lets few through does not read all there are. */
const mostLooked = 200;

export interface ShelfFilter {
  /** Only experiments with this pipeline; on the dataset of this name. */
  readonly pipeline?: string;
  readonly dataset?: string;
  readonly limit: number;
  /** Where the page begins: after this one. */
  readonly after?: Pick<RunListing, "createdAt" | "runId">;
}

/** The experiments of a store, for whoever looks at them again and again: each is read once, and then only where it goes on. */
export class Shelf {
  readonly #store: Store;
  readonly #pause: () => Promise<void>;
  readonly #readings = new Map<string, WholeReading>();
  readonly #underWay = new Map<string, Promise<Experiment | undefined>>();
  readonly #lines = new Map<string, { readonly updatedAt: number; readonly line: ExperimentLine }>();

  /** @param pause awaited before each is read: a store that answers at once would let nobody else come to a word. */
  constructor(store: Store, pause: () => Promise<void>) {
    this.#store = store;
    this.#pause = pause;
  }

  /** An experiment as it stands now; undefined when there is none of that name. */
  of(name: string): Promise<Experiment | undefined> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const read = this.#read(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, read);
    return read;
  }

  /** The newest first. */
  async list({ pipeline, dataset, limit, after }: ShelfFilter): Promise<ExperimentPage> {
    const experiments: ExperimentLine[] = [];
    const listed = await this.#store.list({
      pipeline: experimentPipeline,
      limit: mostLooked,
      ...(after === undefined ? {} : { after }),
    });
    let looked = 0;
    for (const listing of listed) {
      if (experiments.length === limit) break;
      looked += 1;
      const line = await this.#line(listing);
      if (line === undefined || (pipeline !== undefined && line.pipeline !== pipeline)) continue;
      if (dataset === undefined || line.dataset.name === dataset) experiments.push(line);
    }
    const last = looked < listed.length || listed.length === mostLooked ? listed[looked - 1] : undefined;
    return { experiments, next: last === undefined ? null : `${last.createdAt}.${last.runId}` };
  }

  async #line({ runId, updatedAt }: RunListing): Promise<ExperimentLine | undefined> {
    const known = this.#lines.get(runId);
    if (known?.updatedAt === updatedAt && known.line.status !== "running") return known.line;
    await this.#pause();
    const experiment = await this.of(runId);
    if (experiment === undefined) return undefined;
    const line = lineOf(experiment);
    this.#lines.delete(runId);
    // Of one in parts the listing tells the first: that another goes on it does not say.
    if (experiment.input.part !== undefined && line.status !== "completed") return line;
    this.#lines.set(runId, { updatedAt, line });
    if (this.#lines.size > mostLines) this.#lines.delete(this.#lines.keys().next().value as string); // there is one
    return line;
  }

  async #read(name: string): Promise<Experiment | undefined> {
    const [first] = (await this.#store.read(name, 0, 1)) ?? [];
    const known = this.#readings.get(name);
    const reading =
      known?.madeAt === first?.at && known !== undefined ? known : new WholeReading(this.#store, name);
    this.#readings.delete(name); // the order of the map is that of the last looks
    const experiment = await reading.toNow();
    if (experiment === undefined) return undefined;
    this.#readings.set(name, reading);
    this.#forget();
    return experiment;
  }

  #forget(): void {
    let kept = 0;
    for (const { trials } of this.#readings.values()) kept += trials;
    for (const [name, { trials }] of this.#readings) {
      if (kept <= mostTrials || this.#readings.size === 1) return;
      kept -= trials;
      this.#readings.delete(name);
    }
  }
}
