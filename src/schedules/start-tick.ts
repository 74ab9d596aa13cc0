import { decode } from "../core/codec.ts";
import { FlujoError } from "../core/errors.ts";
import type { Budget, Usd } from "../core/limits.ts";
import { tickRunId } from "./ids.ts";
import type { Schedule } from "./schedule.ts";

/** Who can start runs of the schedule's pipeline on its store: a `Flujo` is one. */
export interface Starter {
  start(
    input: unknown,
    options: { readonly runId: string; readonly onlyNew: true; readonly budget?: Usd | Budget },
  ): { begun(): Promise<void>; result(): Promise<unknown> };
}

/**
 * Starts the run of a tick, unless there is one: then it is left as it is, also when it has failed. Resolves when the run's
 * beginning is in the store, so that a tick that is said to be started can get lost no more; the run itself goes on. Of many
 * that start one tick at the same moment, one says "started".
 *
 * @throws what keeps the run from beginning: an input that does not fit, LeaseHeldError while another process begins it.
 */
export async function startTick(
  starter: Starter,
  schedule: Schedule,
  tick: number,
): Promise<"started" | "exists"> {
  const runId = tickRunId(schedule.name, tick);
  const { input, budget } = schedule;
  const options = { runId, onlyNew: true, ...(budget === undefined ? {} : { budget }) } as const;
  const handle = starter.start(decode(input), options);
  handle.result().catch(() => {}); // what becomes of the run later is in its journal
  try {
    await handle.begun();
    return "started";
  } catch (error) {
    if (FlujoError.isInstance(error) && error.code === "run-exists") return "exists";
    throw error;
  }
}
