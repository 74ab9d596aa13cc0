import { defaultQueue } from "../core/dispatch.ts";
import type { RunListing, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** The runs of a queue that wait for a process to take them. */
export interface QueueBacklog {
  readonly waiting: number;
  /** How long the one has waited that has waited longest, in milliseconds, as far as that is known. */
  readonly oldestMs: number;
}

/** So many are counted, of each kind: those that were let go of, or abandoned; and those that are due, or were sent something. */
const most = 1_000;
/** What is asked for again within so many milliseconds is answered as before. */
const freshMs = 2_000;
/** Journals that are looked into at once. */
const atOnce = 20;

/** What waits in a store for processes that serve these pipelines: by two indexed lists, and the first entry of each run that is new to it. */
export class Backlog {
  readonly #store: Store;
  readonly #world: World;
  readonly #pipelines: readonly string[];
  readonly #queues = new Map<string, string>();
  #known: Promise<ReadonlyMap<string, QueueBacklog>> | undefined;
  #knownAt = 0;

  constructor(store: Store, world: World, pipelines: readonly string[]) {
    this.#store = store;
    this.#world = world;
    this.#pipelines = pipelines;
  }

  /** By queue; of a queue where nothing waits, nothing is said. */
  byQueue(): Promise<ReadonlyMap<string, QueueBacklog>> {
    const now = this.#world.now();
    if (this.#known !== undefined && now < this.#knownAt + freshMs) return this.#known;
    this.#knownAt = now;
    this.#known = this.#count(now);
    this.#known.catch(() => {
      this.#known = undefined;
    });
    return this.#known;
  }

  async #count(now: number): Promise<ReadonlyMap<string, QueueBacklog>> {
    const pipeline = this.#pipelines;
    const open = await this.#store.list({ pipeline, leaseEndsBefore: now, limit: most });
    const due = await this.#store.list({ pipeline, dueBefore: now, limit: most });
    const isFree = ({ lease }: RunListing): boolean => lease === undefined || lease.expiresAt <= now;
    const waiting = [...open, ...due].filter(isFree);
    await this.#learn(waiting);
    const found = new Map<string, QueueBacklog>();
    for (const run of waiting) {
      const queue = this.#queues.get(run.runId) ?? defaultQueue;
      const before = found.get(queue) ?? { waiting: 0, oldestMs: 0 };
      found.set(queue, {
        waiting: before.waiting + 1,
        oldestMs: Math.max(before.oldestMs, now - since(run, now)),
      });
    }
    return found;
  }

  async #learn(runs: readonly RunListing[]): Promise<void> {
    const standing = new Set(runs.map(({ runId }) => runId));
    for (const runId of this.#queues.keys()) if (!standing.has(runId)) this.#queues.delete(runId);
    const unknown = [...standing].filter((runId) => !this.#queues.has(runId));
    for (let i = 0; i < unknown.length; i += atOnce) {
      await Promise.all(
        unknown.slice(i, i + atOnce).map(async (runId) => {
          const [first] = (await this.#store.read(runId, 0, 1)) ?? [];
          const queue = first?.type === "run-created" ? first.dispatch?.queue : undefined;
          this.#queues.set(runId, queue ?? defaultQueue);
        }),
      );
    }
  }
}

/** Since when it waits for a process. When something was sent to one that stood, the list does not say. */
const since = ({ unheard, wakeAt, updatedAt }: RunListing, now: number): number =>
  unheard === undefined ? (wakeAt ?? updatedAt) : now;
