import { eventOf, type RunEvent } from "../core/events.ts";
import type { Store } from "../ports/store.ts";

const page = 500;

/** Wakes readers when a run has new entries, or has ended. */
export class Ticker {
  #waiting: (() => void)[] = [];
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }
  tick(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
  end(): void {
    this.#ended = true;
    this.tick();
  }
  next(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A run's events, read from the store page by page, then as they are committed: nothing is held for slow readers. */
export async function* readEvents(
  store: Store,
  runId: string,
  ticker: Ticker,
  from = 0,
): AsyncGenerator<RunEvent> {
  let next = from;
  for (;;) {
    const last = ticker.ended;
    const tick = ticker.next();
    const entries = (await store.read(runId, next, page)) ?? [];
    for (const entry of entries) yield eventOf(entry);
    next += entries.length;
    if (entries.length > 0) continue;
    if (last) return;
    await tick;
  }
}
