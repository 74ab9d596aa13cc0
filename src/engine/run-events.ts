import type { Entry } from "../core/entries.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { load, unknownRun } from "./load.ts";

const page = 500;
/** How often a run that another process advances is looked at. */
const lookEveryMs = 100;

/** Wakes readers when a run has new entries, or has ended. */
export class Ticker {
  #waiting: (() => void)[] = [];
  #ended = false;
  readonly #first = Promise.withResolvers<boolean>();

  get ended(): boolean {
    return this.#ended;
  }
  /** True with the first new entries; false when the run has ended without any. */
  get first(): Promise<boolean> {
    return this.#first.promise;
  }
  tick(): void {
    this.#first.resolve(true);
    this.#wake();
  }
  end(): void {
    this.#ended = true;
    this.#first.resolve(false);
    this.#wake();
  }
  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
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

/** Where events are followed: the store, the clock, and who hears of commits while this process advances the run. */
export interface Following {
  readonly store: Store;
  readonly world: World;
  readonly ticker: () => Ticker | undefined;
}

/**
 * The events of a run that any process advances: told at once of a run of this process, else the store is looked at ten
 * times a second. Ends when the run has come to stand, or the signal fires; of a run whose process died it waits for
 * whoever takes it over.
 *
 * @throws UnknownRunError
 */
export async function* followEvents(
  { store, world, ticker }: Following,
  runId: string,
  from: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  let next = from;
  let stands: boolean | undefined;
  while (!signal?.aborted) {
    const here = ticker();
    const tick = here === undefined || here.ended ? undefined : here.next();
    const entries = await store.read(runId, next, page);
    if (entries === undefined) throw unknownRun(runId, store);
    for (const entry of entries) {
      stands = isStill(entry) ?? stands;
      yield eventOf(entry);
    }
    next += entries.length;
    if (entries.length > 0) continue;
    if (stands === true) return;
    if (stands === undefined) stands = (await load(store, runId)).status !== "running";
    else await news(tick, world, signal);
  }
}

/** Whether a run stands still with this entry; undefined when the entry does not say. */
function isStill({ type }: Entry): boolean | undefined {
  if (type === "cancellation-requested") return false;
  return type.startsWith("run-") ? type !== "run-created" && type !== "run-resumed" : undefined;
}

/** The next commit, where it is heard of, or the moment to look again; at once when the signal fires. */
function news(tick: Promise<void> | undefined, world: World, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      off();
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const off = tick === undefined ? world.timer(lookEveryMs, wake) : (): void => {};
    tick?.then(wake);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/** @throws InvalidOptionError for what numbers no event. */
export function firstWanted(seq: number): number {
  if (Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new InvalidOptionError(`events are numbered from 0; there is none with the number ${seq}`);
}
