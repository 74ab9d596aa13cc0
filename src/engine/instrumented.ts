/** How the engine speaks to the instruments that watch its runs. */
import type { Path } from "../core/paths.ts";
import type { Instrument, WatchedCall } from "../ports/instrument.ts";
import type { Stint } from "./stint.ts";
import type { Tenure } from "./tenure.ts";

/**
 * Does work where instruments can see it: what they attach to it reaches everything it calls. Where the time of the
 * tenure has an end, it is known from here how long things take.
 */
export function instrumented<T>(
  { instrument, runId, stint }: Tenure,
  path: Path,
  work: () => T,
  call?: WatchedCall,
): T {
  const timed = stint === undefined ? work : () => timedIn(stint, path, work);
  if (instrument === undefined) return timed();
  return instrument.within({ runId, path, ...(call === undefined ? {} : { call }) }, timed);
}

function timedIn<T>(stint: Stint, path: Path, work: () => T): T {
  const over = stint.begins(path);
  let result: T;
  try {
    result = work();
  } catch (error) {
    over();
    throw error;
  }
  if (result instanceof Promise) result.then(over, over);
  else over();
  return result;
}

/** Several instruments as one; what one of them throws reaches neither the run nor the others. Undefined for none. */
export function oneInstrument(
  instruments: Instrument | readonly Instrument[] | undefined,
): Instrument | undefined {
  if (instruments === undefined) return undefined;
  const all = "within" in instruments ? [instruments] : instruments;
  if (all.length === 0) return undefined;
  const each = (tell: (instrument: Instrument) => void): void => {
    for (const instrument of all) {
      try {
        tell(instrument);
      } catch {
        // It only watches.
      }
    }
  };
  return {
    enter: (run) => each((one) => one.enter(run)),
    committed: (runId, entries) => each((one) => one.committed(runId, entries)),
    leave: (runId) => each((one) => one.leave(runId)),
    within: (where, work) =>
      all.reduceRight((inner: typeof work, one) => () => one.within(where, inner), work)(),
    flush: async () => {
      await Promise.allSettled(all.map(async (one) => one.flush?.()));
    },
  };
}
