import { decode } from "../../core/codec.ts";
import { placed } from "../../core/error-record.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { SleepNode } from "../../core/node.ts";
import { childPath, type Path } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import { fetchJson, type Value } from "../values.ts";
import { closed } from "./closed.ts";

/** A durable sleep: its due time is recorded first. */
export async function advanceSleep(node: SleepNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure } = frame;
  const path = childPath(frame.path, node.name);
  if (tenure.run.containers.has(path)) return input;
  const began = tenure.world.now();
  await slept(path, () => endOf(node, path, input, frame), frame);
  closed(frame, { path, kind: node.kind, in: input.ref, out: input.ref, began }, input.json);
  return input;
}

/**
 * Rests until the moment that was recorded, or now is. Where that is long, the run comes to stand, so that no process
 * waits for it; unless a timeout or a limit of time around the place is over before.
 *
 * @throws Interruption: the run waits.
 */
export async function slept(path: Path, end: () => number | Promise<number>, frame: Frame): Promise<void> {
  const { tenure, stop } = frame;
  let due = tenure.run.timers.get(path);
  if (due === undefined) {
    stop.check();
    tenure.checkStaying();
    due = await end();
    tenure.journal.put({ type: "timer-set", path, due });
    await tenure.journal.sync();
  }
  const isShort = due - tenure.world.now() <= tenure.awakeMs;
  if (isShort || stoppedAt(frame) < due) return tenure.rest(due, stop);
  stop.check();
  throw Interruption.suspended([{ path, kind: "timer", due }]);
}

/** When the time of the place is over, by the timeouts and budgets around it. */
const stoppedAt = ({ deadline = Number.POSITIVE_INFINITY, scopes }: Frame): number =>
  Math.min(
    deadline,
    ...scopes.map(({ since, limits }) => since + (limits.timeMs ?? Number.POSITIVE_INFINITY)),
  );

/** @throws InvalidOptionError for the time of a date that is none. */
export function checkedMoment(time: number): number {
  if (Number.isFinite(time)) return time;
  throw new InvalidOptionError("the moment to sleep until is no date");
}

async function endOf({ ms }: SleepNode, path: Path, input: Value, { tenure }: Frame): Promise<number> {
  if (typeof ms === "number") return tenure.world.now() + ms;
  const given = decode(await fetchJson(input.json, tenure.store));
  try {
    return checkedMoment(ms.until(given as never)); // the builder ties it to the input
  } catch (error) {
    throw placed(error, path);
  }
}
