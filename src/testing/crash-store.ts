import { StoreUnavailableError } from "../core/errors.ts";
import type { Store, Watcher } from "../ports/store.ts";
import type { VirtualProcess } from "./virtual-world.ts";

/**
 * What happens around one commit. A commit is atomic, so there is no half of one: either nothing of it is written, or
 * all of it is and nobody hears of it.
 */
export interface CrashPoint {
  /** The number of the commit, from 1, counted by this store. Changes of the shared ledger and of notes count as commits. */
  readonly commit: number;
  /** Before it is written, or after. */
  readonly when: "before" | "after";
  /** `die` (default): the process is killed. `pause`: it stands still until woken. `fail`: the commit throws. */
  readonly how?: "die" | "pause" | "fail";
}

export interface CrashingStoreOptions {
  /** Whose store it is: what dies, and whose clock answers take their time on. */
  readonly process: VirtualProcess;
  readonly crash?: CrashPoint | undefined;
  /** Called when the crash point is reached, just before what it says happens. */
  readonly onCrash?: (() => void) | undefined;
  /** The longest way there, and back, of any call, in virtual milliseconds. Default 0. */
  readonly latencyMs?: number;
}

/** A store as one process sees it, until that process dies. */
export interface CrashingStore extends Store {
  /** Commits that arrived so far, changes of the shared ledger and of notes included. */
  readonly commits: number;
}

/**
 * A store with a point at which its process crashes, over a store that survives. Once the process is dead, every call
 * it made or makes stays pending for ever, as its memory is gone.
 *
 *     const kept = memory();
 *     const first = world.process("first");
 *     const store = crashingStore(kept, { process: first, crash: { commit: 3, when: "after" } });
 */
export function crashingStore(inner: Store, options: CrashingStoreOptions): CrashingStore {
  const { process, crash, onCrash, latencyMs = 0 } = options;
  let commits = 0;

  /** One way of a call. It is the process that waits: paused it waits longer, dead for ever. */
  const way = (): Promise<void> =>
    new Promise((resolve) => {
      const ms = Math.floor(process.random() * (latencyMs + 1));
      if (ms === 0) process.soon(resolve);
      else process.timer(ms, resolve);
    });

  async function call<T>(work: () => Promise<T>): Promise<T> {
    await way();
    try {
      const answer = await work();
      await way();
      return answer;
    } catch (error) {
      await way();
      throw error;
    }
  }

  async function reach(when: CrashPoint["when"]): Promise<void> {
    if (crash?.when !== when || crash.commit !== commits) return;
    onCrash?.();
    if (crash.how === "fail") {
      throw new StoreUnavailableError(`commit ${commits} failed, as it was told to ${when} it was written`, {
        retryable: true,
      });
    }
    if (crash.how === "pause") process.pause();
    else process.kill();
    await way();
  }

  async function struck<T>(write: () => Promise<T>): Promise<T> {
    commits++;
    await reach("before");
    const answer = await write();
    await reach("after");
    return answer;
  }

  return {
    name: inner.name,
    durability: "synced", // it survives whoever uses it
    get commits() {
      return commits;
    },
    commit: (appends) => call(() => struck(() => inner.commit(appends))),
    read: (runId, from, limit) => call(() => inner.read(runId, from, limit)),
    blob: (hash) => call(() => inner.blob(hash)),
    acquire: (request) => call(() => inner.acquire(request)),
    renew: (lease, expiresAt) => call(() => inner.renew(lease, expiresAt)),
    release: (lease) => call(() => inner.release(lease)),
    list: (filter) => call(() => inner.list(filter)),
    send: (runId, signal) => call(() => inner.send(runId, signal)),
    signals: (runId) => call(() => inner.signals(runId)),
    cacheGet: (key, now) => call(() => inner.cacheGet(key, now)),
    cachePut: (key, record) => call(() => inner.cachePut(key, record)),
    ledger: (request) => call(() => struck(() => inner.ledger(request))),
    accounts: (filter) => call(() => inner.accounts(filter)),
    notes: (filter) => call(() => inner.notes(filter)),
    putNote: (key, value, seen) => call(() => struck(() => inner.putNote(key, value, seen))),
    dropNote: (key, seen) => call(() => struck(() => inner.dropNote(key, seen))),
    drop: (lease, heard) => call(() => struck(() => inner.drop(lease, heard))),
    sweep: (hashes, used) => call(() => struck(() => inner.sweep(hashes, used))),
    close: () => call(() => inner.close()),
    ...(inner.watch === undefined
      ? {}
      : { watch: (watcher) => inner.watch?.(heardBy(watcher, process)) ?? (() => {}) }),
  };
}

/** What is told to a process that is dead, nobody hears. */
const heardBy = (watcher: Watcher, process: VirtualProcess): Watcher => ({
  news: (runId) => process.timer(0, () => watcher.news(runId), { background: true }),
  live: (isLive) => process.timer(0, () => watcher.live(isLive), { background: true }),
});
