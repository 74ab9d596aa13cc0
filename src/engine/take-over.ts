import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** The runs of a pipeline that nobody advances and that have not come to stand. */
export async function abandonedRuns(
  store: Store,
  world: World,
  pipeline: string,
  mine: { has(runId: string): boolean },
): Promise<string[]> {
  const runs = await store.list({ pipeline, leaseEndsBefore: Number.MAX_SAFE_INTEGER, limit: 1_000 });
  const now = world.now();
  return runs
    .filter(({ lease }) => lease === undefined || lease.expiresAt <= now || world.isGone(lease.owner))
    .map(({ runId }) => runId)
    .filter((runId) => !mine.has(runId));
}

/** Looks for runs whose owner has died, and has them resumed: every lease time, while this process has runs of its own. */
export class TakeOver {
  readonly #store: Store;
  readonly #world: World;
  readonly #pipeline: string;
  readonly #everyMs: number;
  readonly #resume: (runId: string) => void;
  readonly #alsoLook: () => Promise<void>;
  #off: (() => void) | undefined;
  #ended = false;

  constructor(
    store: Store,
    world: World,
    pipeline: string,
    everyMs: number,
    resume: (runId: string) => void,
    alsoLook: () => Promise<void>,
  ) {
    this.#store = store;
    this.#world = world;
    this.#pipeline = pipeline;
    this.#everyMs = everyMs;
    this.#resume = resume;
    this.#alsoLook = alsoLook;
  }

  watch(mine: { has(runId: string): boolean }): void {
    if (this.#ended || this.#off !== undefined) return;
    const look = async (): Promise<void> => {
      const watch = this.#off;
      try {
        const abandoned = await abandonedRuns(this.#store, this.#world, this.#pipeline, mine);
        for (const runId of abandoned) if (!this.#ended) this.#resume(runId);
        if (!this.#ended) await this.#alsoLook();
      } catch {
        // A store that does not answer now is asked again next time.
      }
      if (!this.#ended && this.#off === watch)
        this.#off = this.#world.timer(this.#everyMs, look, { background: true });
    };
    this.#off = this.#world.timer(this.#everyMs, look, { background: true });
  }

  /** Pauses: this process has nothing to do. */
  rest(): void {
    this.#off?.();
    this.#off = undefined;
  }

  end(): void {
    this.#ended = true;
    this.rest();
  }
}
