import type { World } from "../ports/world.ts";

/** How often somebody may ask. */
export interface Rate {
  /** Requests a second, in the long run. */
  readonly perSecond: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

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
    const before = this.#buckets.get(caller) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, before.tokens + (Math.max(0, now - before.at) * perSecond) / 1_000);
    const left = tokens < 1 ? tokens : tokens - 1;
    this.#buckets.delete(caller); // the order of the map is that of the last requests
    this.#buckets.set(caller, { tokens: left, at: now });
    if (this.#buckets.size > maxCallers) this.#buckets.delete(this.#buckets.keys().next().value as string); // there is one
    return tokens < 1 ? Math.ceil(((1 - tokens) * 1_000) / perSecond) : 0;
  }
}
