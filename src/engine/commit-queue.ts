import type { Append, AppendOutcome, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** What hands appends to the queue: a journal with entries waiting. */
export interface Source {
  /** All that waits, as one append; undefined when nothing does. */
  take(): Append | undefined;
  settle(outcome: AppendOutcome): void;
  fail(error: unknown): void;
}

/**
 * Group commit: appends that arrive while a commit is under way, from any run on this store, share the next one, and
 * so share its sync.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #world: World;
  readonly #sources = new Set<Source>();
  #busy = false;
  /** When the event loop last turned for a flush, in milliseconds since 1970. */
  #turnedAt = 0;

  constructor(store: Store, world: World) {
    this.#store = store;
    this.#world = world;
  }

  /** Commits the source's entries with the next commit. */
  request(source: Source): void {
    this.#sources.add(source);
    if (this.#busy) return;
    this.#busy = true;
    this.#flushSoon();
  }

  /**
   * Appends gather until the event loop turns, for they share a sync. Where nothing is synced they gain nothing from
   * company: then they go at once, but for one turn each millisecond, which others need.
   */
  #flushSoon(): void {
    const isCheap = this.#store.durability === "volatile" && this.#world.now() === this.#turnedAt;
    if (isCheap) queueMicrotask(this.#flush);
    else this.#world.soon(this.#flushInTurn);
  }

  readonly #flushInTurn = (): void => {
    this.#turnedAt = this.#world.now();
    void this.#flush();
  };

  readonly #flush = async (): Promise<void> => {
    const sources: Source[] = [];
    const appends: Append[] = [];
    for (const source of this.#sources) {
      const append = source.take();
      if (append === undefined) continue;
      sources.push(source);
      appends.push(append);
    }
    this.#sources.clear();
    if (appends.length > 0) await this.#commit(sources, appends);
    if (this.#sources.size > 0) this.#flushSoon();
    else this.#busy = false;
  };

  async #commit(sources: readonly Source[], appends: readonly Append[]): Promise<void> {
    try {
      const outcomes = await this.#store.commit(appends);
      for (const [i, source] of sources.entries()) source.settle(outcomes[i] ?? "fenced");
    } catch (error) {
      for (const source of sources) source.fail(error);
    }
  }
}

const queues = new WeakMap<Store, CommitQueue>();

/** The one queue of a store in this process. */
export function queueOf(store: Store, world: World): CommitQueue {
  const known = queues.get(store);
  if (known) return known;
  const queue = new CommitQueue(store, world);
  queues.set(store, queue);
  return queue;
}
