import type { World } from "../ports/world.ts";

/** How often somebody may ask. */
export interface Rate {
  /** Requests a second, in the long run. */
  readonly perSecond: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

/** In thousandths of a request: what comes in a millisecond is a whole number of them. */
interface Bucket {
  readonly level: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const oneRequest = 1_000;

/** Callers that are remembered; those that have not asked for long are forgotten first. */
const maxCallers = 10_000;

/** A bucket of requests for each caller, filled at a steady rate. */
export class Buckets {
  readonly #rate: Rate;
  readonly #world: World;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, world: World) {
    this.#rate = rate;
    this.#world = world;
  }

  /** Takes one request; returns 0, or after how many milliseconds there is one again. */
  take(caller: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#world.now();
    const full = burst * oneRequest;
    const { level, at } = this.#buckets.get(caller) ?? { level: full, at: now };
    const there = Math.min(full, level + Math.max(0, now - at) * perSecond);
    const left = there < oneRequest ? there : there - oneRequest;
    this.#buckets.delete(caller); // the order of the map is that of the last requests
    this.#buckets.set(caller, { level: left, at: now });
    if (this.#buckets.size > maxCallers) this.#buckets.delete(this.#buckets.keys().next().value as string); // there is one
    return there < oneRequest ? Math.ceil((oneRequest - there) / perSecond) : 0;
  }
}
