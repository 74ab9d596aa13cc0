/** Workers that hear the same: for each piece of news they look in turn. */

/** A worker says that it is there, and for which queues; for none when it leaves. */
export interface Presence {
  readonly worker: string;
  readonly queues: readonly string[];
}

/** Of whom nothing was heard for so many milliseconds is gone. */
const goneMs = 25_000;

export class Crew {
  readonly #self: Presence;
  readonly #others = new Map<string, { readonly queues: ReadonlySet<string>; readonly until: number }>();

  constructor(self: Presence) {
    this.#self = self;
  }

  /** @param now as `performance.now()` has it. */
  hear({ worker, queues }: Presence, now: number): void {
    if (worker === this.#self.worker) return;
    if (queues.length === 0) this.#others.delete(worker);
    else this.#others.set(worker, { queues: new Set(queues), until: now + goneMs });
  }

  /** How many look before this worker does. All that know of the same workers agree. @param ticket any whole number from 0. */
  placeOf(queue: string, ticket: number, now: number): number {
    for (const [worker, { until }] of this.#others) if (until <= now) this.#others.delete(worker);
    const others = [...this.#others].filter(([, { queues }]) => queues.has(queue)).map(([worker]) => worker);
    const all = [this.#self.worker, ...others].toSorted();
    const { length } = all;
    return (all.indexOf(this.#self.worker) - (ticket % length) + length) % length;
  }
}
