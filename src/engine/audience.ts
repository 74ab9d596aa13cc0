/** Who hears of a run while this process advances it. */
import type { Entry } from "../core/entries.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import type { EngineOptions } from "./options.ts";

/**
 * Tells what is in the store now to whoever listens.
 *
 * @param stop cancels the run, for listeners that want no more of it.
 */
export function tellAudience(
  { onEvent, listeners = [] }: Pick<EngineOptions, "onEvent" | "listeners">,
  runId: string,
  entries: readonly Entry[],
  stop: (reason: string) => void,
): void {
  if (onEvent !== undefined) for (const entry of entries) tell(onEvent, eventOf(entry), runId);
  for (const listener of listeners) listener.hear(runId, entries, stop);
}

/** A listener that throws, or rejects, does not hurt the run. */
function tell(onEvent: NonNullable<EngineOptions["onEvent"]>, event: RunEvent, runId: string): void {
  try {
    const told: unknown = onEvent(event, runId);
    if (told instanceof Promise) told.catch(() => {});
  } catch {
    // as above
  }
}
