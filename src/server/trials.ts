import { isRunId } from "../core/paths.ts";
import { experimentPipeline, improvePipeline } from "../evals/experiment/pipelines.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

const pipelines: ReadonlySet<string> = new Set([experimentPipeline, improvePipeline]);
/** Ids that are remembered, at most. */
const mostKnown = 10_000;
/** How long it is believed that there is no experiment of a name. */
const strangerMs = 10_000;

/** Which runs are trials of an experiment or a search, by their ids: `EXPERIMENT.CASE.1`. */
export class Trials {
  readonly #store: Store;
  readonly #world: World;
  readonly #experiments = new Set<string>();
  /** Ids that are of no experiment, and until when that is believed. */
  readonly #strangers = new Map<string, number>();

  constructor(store: Store, world: World) {
    this.#store = store;
    this.#world = world;
  }

  /** The experiment it is a trial of. An id of hashes, as a trial of a long name has, does not say. */
  async experimentOf(runId: string): Promise<string | undefined> {
    for (let dot = runId.indexOf("."); dot > 0; dot = runId.indexOf(".", dot + 1)) {
      const id = runId.slice(0, dot);
      if (await this.#isExperiment(id)) return id;
    }
    return undefined;
  }

  async #isExperiment(id: string): Promise<boolean> {
    if (this.#experiments.has(id)) return true;
    const now = this.#world.now();
    if ((this.#strangers.get(id) ?? 0) > now) return false;
    const [first] = (isRunId(id) ? await this.#store.read(id, 0, 1) : undefined) ?? [];
    const is = first?.type === "run-created" && pipelines.has(first.pipeline);
    if (this.#experiments.size >= mostKnown) this.#experiments.clear();
    if (this.#strangers.size >= mostKnown) this.#strangers.clear();
    if (is) this.#experiments.add(id);
    else this.#strangers.set(id, now + strangerMs);
    return is;
  }
}
