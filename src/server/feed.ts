import type { RunListing, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** How often the store is asked what has changed, at most; a store that takes long is asked less often. */
const lookEveryMs = 100;
/** Looking takes at most this part of the time. */
const shareOfTime = 8;
/** Processes write what they have changed a little after the moment it says, and by clocks of their own. */
const overlapMs = 5_000;
const page = 1_000;

type Reader = (changed: readonly RunListing[]) => void;

/** Tells of runs that have changed, whichever process advances them. Looks only while somebody reads. */
export class Feed {
  readonly #store: Store;
  readonly #world: World;
  readonly #readers = new Set<Reader>();
  /** What was told of the runs that changed lately. */
  #told = new Map<string, string>();
  #since = 0;
  #looking = false;

  constructor(store: Store, world: World) {
    this.#store = store;
    this.#world = world;
  }

  /**
   * The runs as they change from now on, each as it stands then; first those that have changed since a moment.
   *
   * @param since in milliseconds since 1970. Absent: only what is new.
   */
  async *changes(signal: AbortSignal, since?: number): AsyncGenerator<RunListing> {
    const waiting = new Map<string, RunListing>(); // of a run that changes faster than it is read, the last alone
    let wake = (): void => {};
    const reader: Reader = (changed) => {
      for (const run of changed) waiting.set(run.runId, run);
      wake();
    };
    signal.addEventListener("abort", () => wake(), { once: true });
    this.#readers.add(reader);
    try {
      if (!this.#looking) this.#look(since);
      else if (since !== undefined) reader(await changedSince(this.#store, since - overlapMs));
      while (!signal.aborted) {
        const [next] = waiting.values();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (signal.aborted) resolve();
          });
          continue;
        }
        waiting.delete(next.runId);
        yield next;
      }
    } finally {
      this.#readers.delete(reader);
    }
  }

  /**
   * Looks, and again after a while, as long as there are readers.
   *
   * @param since what has changed since then is news; absent: what changes from now on.
   */
  #look(since?: number): void {
    this.#looking = true;
    this.#since = since ?? this.#world.now();
    this.#told = new Map();
    void this.#go(since === undefined);
  }

  async #go(onlyNew: boolean): Promise<void> {
    if (this.#readers.size === 0) {
      this.#looking = false;
      return;
    }
    const began = this.#world.now();
    try {
      const changed = await changedSince(this.#store, this.#since - overlapMs);
      const fresh = changed.filter((run) => this.#told.get(run.runId) !== imprint(run));
      this.#told = new Map(changed.map((run) => [run.runId, imprint(run)]));
      this.#since = began;
      const news = onlyNew ? fresh.filter(({ updatedAt }) => updatedAt >= began) : fresh;
      if (news.length > 0) for (const tell of this.#readers) tell(news);
    } catch {
      // a store that does not answer is asked again
    }
    const took = this.#world.now() - began;
    this.#world.timer(Math.max(lookEveryMs, took * shareOfTime), () => void this.#go(false), {
      background: true,
    });
  }
}

/** What readers of a list see of a run. */
const imprint = ({ status, updatedAt, picoUsd, calls, lease }: RunListing): string =>
  `${status} ${updatedAt} ${picoUsd} ${calls} ${lease?.owner}`;

/** Those that changed last come last. */
async function changedSince(store: Store, since: number): Promise<readonly RunListing[]> {
  const found: RunListing[] = [];
  for (let after: RunListing | undefined; ; after = found.at(-1)) {
    const runs = await store.list({
      updatedFrom: since,
      limit: page,
      ...(after === undefined ? {} : { after }),
    });
    found.push(...runs);
    if (runs.length < page) break;
  }
  return found.sort((a, b) => a.updatedAt - b.updatedAt);
}
