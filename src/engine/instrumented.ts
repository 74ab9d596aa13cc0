/** How the engine speaks to the instruments that watch its runs. */
import type { Path } from "../core/paths.ts";
import type { Instrument, WatchedCall } from "../ports/instrument.ts";
import type { Tenure } from "./tenure.ts";

/** Does work where instruments can see it: what they attach to it reaches everything it calls. */
export function instrumented<T>(
  { instrument, runId }: Tenure,
  path: Path,
  work: () => T,
  call?: WatchedCall,
): T {
  if (instrument === undefined) return work();
  return instrument.within({ runId, path, ...(call === undefined ? {} : { call }) }, work);
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
