import { mayPass } from "../core/errors.ts";
import type { RunListing, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** So many runs are asked for at first, and four times as many each time that they are not all. */
const firstFew = 16;

/**
 * Goes on with runs whose time has come, or that were sent something while nobody advanced them. However many sleep,
 * there is one timer: for the earliest of them. Nothing looks into the store before that, unless it is told to.
 */
export class Alarm {
  readonly #store: Store;
  readonly #world: World;
  readonly #pipeline: string;
  /** After so many milliseconds a run that could not be had is asked for again. */
  readonly #againMs: number;
  readonly #wake: (runId: string) => Promise<unknown>;
  /** Runs that were woken for what is noted here: under way, or refused for good. */
  readonly #woken = new Map<string, string>();
  #at = Number.POSITIVE_INFINITY;
  #off: (() => void) | undefined;
  #ended = false;

  constructor(
    store: Store,
    world: World,
    pipeline: string,
    againMs: number,
    wake: (runId: string) => Promise<unknown>,
  ) {
    this.#store = store;
    this.#world = world;
    this.#pipeline = pipeline;
    this.#againMs = againMs;
    this.#wake = wake;
  }

  /** Rings at this moment, or before. */
  set(at: number): void {
    if (this.#ended || at >= this.#at) return;
    this.#off?.();
    this.#at = at;
    const ms = Math.max(0, at - this.#world.now());
    this.#off = this.#world.timer(ms, () => void this.#ring(), { background: true });
  }

  /** Wakes what is due, and sets itself for what is due next. @throws what the store throws. */
  async look(): Promise<void> {
    for (let limit = firstFew; !this.#ended; limit *= 4) {
      const sleeping = await this.#sleeping(limit);
      const now = this.#world.now();
      for (const run of sleeping) {
        if (this.#woken.get(run.runId) === callOf(run)) continue;
        const due = run.unheard === undefined ? (run.wakeAt ?? 0) : 0;
        if (due > now) return this.set(due);
        if (!this.#ended) this.#wakeOne(run);
      }
      if (sleeping.length < limit) return;
    }
  }

  end(): void {
    this.#ended = true;
    this.#off?.();
  }

  /** Runs that will be due, those first that are due first; those that were woken are among them until they go on. */
  #sleeping(limit: number): Promise<readonly RunListing[]> {
    const { MAX_SAFE_INTEGER: dueBefore } = Number;
    return this.#store.list({ status: ["waiting"], pipeline: this.#pipeline, dueBefore, limit });
  }

  async #ring(): Promise<void> {
    this.#at = Number.POSITIVE_INFINITY;
    try {
      await this.look();
    } catch {
      this.set(this.#world.now() + this.#againMs); // a store that does not answer now is asked again
    }
  }

  #wakeOne(run: RunListing): void {
    const { runId } = run;
    this.#woken.set(runId, callOf(run));
    this.#wake(runId).then(
      () => this.#woken.delete(runId),
      (error: unknown) => {
        if (!mayPass(error)) return; // its pipeline has changed, say: not by itself
        this.#world.timer(
          this.#againMs,
          () => {
            this.#woken.delete(runId);
            this.set(this.#world.now());
          },
          { background: true },
        );
      },
    );
  }
}

/** What a standing run is woken for: another one is another reason to try. */
const callOf = ({ wakeAt, unheard }: RunListing): string => `${wakeAt} ${unheard}`;
