import type { Path } from "../../core/paths.ts";
import type { World } from "../../ports/world.ts";

/** The end of an operation of a body, as recorded. */
export interface Delivered {
  readonly path: Path;
  /** It was there before the body ran the last time, and could be had whenever it was asked for. */
  readonly isEarlier: boolean;
  /** It belongs to a try that was given up: the body may do without it. */
  readonly isOptional: boolean;
}

/** A body that waits for what never comes. */
export interface Stuck {
  /** Operations it waits for that have no record. */
  readonly missing: readonly Path[];
  /** Those whose end is recorded, but came too late for the body the first time. */
  readonly late: readonly Path[];
}

/** With nothing to deliver for so long, a body is taken to wait for something else. */
const patienceMs = 500;
/** A body that asks for nothing may take so long over its own work. */
const bodyMs = 30_000;

/**
 * Hands a body the ends of its operations in the order in which they came the first time, so that code which lets
 * operations run beside one another takes the same course. What it asks for in another order shows.
 */
export class Delivery {
  /** Settles when the body waits for what never comes. */
  readonly stuck: Promise<Stuck>;
  readonly #order: readonly Delivered[];
  readonly #late: ReadonlySet<Path>;
  readonly #world: Pick<World, "timer">;
  readonly #onOvertaken: (path: Path) => void;
  readonly #waiting = new Map<Path, () => void>();
  readonly #taken = new Set<Path>();
  #passed = 0;
  #timer: (() => void) | undefined;
  readonly #giveUp: (stuck: Stuck) => void;

  /**
   * @param order the ends, as they came.
   * @param late operations whose end came when the body was over.
   * @param onOvertaken an operation is asked for only after one that had ended later.
   */
  constructor(
    order: readonly Delivered[],
    late: ReadonlySet<Path>,
    world: Pick<World, "timer">,
    onOvertaken: (path: Path) => void,
  ) {
    this.#order = order;
    this.#late = late;
    this.#world = world;
    this.#onOvertaken = onOvertaken;
    const { promise, resolve } = Promise.withResolvers<Stuck>();
    this.stuck = promise;
    this.#giveUp = resolve;
    this.#arm();
  }

  /** Resolves when it is the operation's turn. */
  take(path: Path): Promise<void> {
    const index = this.#order.findIndex((one) => one.path === path);
    if (index >= 0 && index < this.#passed) {
      if (this.#order[index]?.isEarlier === false) this.#onOvertaken(path);
      this.#taken.add(path);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.set(path, resolve);
      this.#deliver();
      this.#arm();
    });
  }

  /** Ends that nobody asked for. */
  get left(): readonly Path[] {
    return this.#order
      .filter(({ path, isOptional }) => !isOptional && !this.#taken.has(path))
      .map(({ path }) => path);
  }

  end(): void {
    this.#timer?.();
  }

  #deliver(): void {
    for (;;) {
      const next = this.#order[this.#passed];
      if (next === undefined) return;
      const hand = this.#waiting.get(next.path);
      if (hand === undefined && !next.isEarlier) return;
      this.#passed += 1;
      if (hand !== undefined) this.#hand(next.path, hand);
    }
  }

  #hand(path: Path, hand: () => void): void {
    this.#waiting.delete(path);
    this.#taken.add(path);
    hand();
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = this.#world.timer(this.#waiting.size > 0 ? patienceMs : bodyMs, () => this.#lookOn());
  }

  /** Nothing has moved: the next one waited for is handed out before its turn, or there is none. */
  #lookOn(): void {
    const next = this.#order.findIndex(({ path }, i) => i >= this.#passed && this.#waiting.has(path));
    if (next < 0) {
      const waiting = [...this.#waiting.keys()];
      const late = waiting.filter((path) => this.#late.has(path));
      this.#giveUp({ missing: waiting.filter((path) => !this.#late.has(path)), late });
      return;
    }
    this.#passed = next;
    this.#deliver();
    this.#arm();
  }
}
