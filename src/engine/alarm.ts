import { FlujoError } from "../core/errors.ts";
import type { RunListing, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** Runs started from one look into the store. */
const mostAtOnce = 1_000;

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
    for (let full = true; full; ) {
      const due = await this.#sleeping(this.#world.now(), mostAtOnce);
      for (const run of due) if (!this.#ended) this.#wakeOne(run);
      full = due.length >= mostAtOnce && !this.#ended;
    }
    const [next] = await this.#sleeping(Number.MAX_SAFE_INTEGER, 1);
    if (next !== undefined) this.set(next.unheard === undefined ? (next.wakeAt ?? 0) : 0);
  }

  end(): void {
    this.#ended = true;
    this.#off?.();
  }

  /** Runs that are due by then, those first that are due first; without those that were woken. */
  async #sleeping(dueBefore: number, most: number): Promise<RunListing[]> {
    const limit = most + this.#woken.size;
    const filter = { status: ["waiting"] as const, pipeline: this.#pipeline, dueBefore, limit };
    const runs = await this.#store.list(filter);
    return runs.filter((run) => this.#woken.get(run.runId) !== callOf(run));
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
        if (!FlujoError.isInstance(error) || !error.retryable) return; // its pipeline has changed, say: not by itself
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
