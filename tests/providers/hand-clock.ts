import { setImmediate as soon } from "node:timers/promises";
import { nodeWorld } from "../../src/node-world.ts";
import type { World } from "../../src/ports/world.ts";

/** The real world, but for its clock: it stands still until a hand moves it. */
export interface HandClock {
  readonly world: World;
  /** The milliseconds of each wait that has passed. */
  readonly waits: readonly number[];
  /** Lets the next wait pass, once there is one. */
  pass(): Promise<void>;
  /** Lets every wait pass as it comes, until the promise settles. */
  play<T>(promise: Promise<T>): Promise<T>;
}

export function handClock(): HandClock {
  const real = nodeWorld();
  const pending = new Set<{ readonly due: number; readonly ms: number; readonly callback: () => void }>();
  const waits: number[] = [];
  let now = Date.parse("2026-11-25T12:00:00Z");

  function passOne(): boolean {
    const [next] = [...pending].sort((a, b) => a.due - b.due);
    if (next === undefined) return false;
    pending.delete(next);
    waits.push(next.ms);
    now = Math.max(now, next.due);
    next.callback();
    return true;
  }

  return {
    world: {
      ...real,
      now: () => now,
      timer(ms, callback, options) {
        // Leases are renewed by the real clock; no test runs long enough to see it.
        if (options?.background) return real.timer(ms, callback, options);
        const wait = { due: now + ms, ms, callback };
        pending.add(wait);
        return () => void pending.delete(wait);
      },
    },
    waits,
    async pass() {
      while (!passOne()) await soon();
    },
    async play(promise) {
      let settled = false;
      const end = () => {
        settled = true;
      };
      promise.then(end, end);
      while (!settled) {
        await soon();
        passOne();
      }
      return promise;
    },
  };
}
