/** Runs that are advanced for a limited time: how much of it is for what, and which of them get it. */
import { milliseconds } from "../core/duration.ts";
import { FlujoError, InvalidOptionError, LeaseHeldError } from "../core/errors.ts";
import type { Entrance } from "./enter.ts";
import { examine } from "./examine.ts";
import type { Advanced, AdvanceOptions, SweepOptions, Swept } from "./options.ts";
import type { Roster } from "./roster.ts";
import type { StintTerms } from "./stint.ts";
import { abandonedRuns } from "./take-over.ts";

/** The time that was given, from a moment on. */
export interface Allotment {
  /** When it began, and when what is under way is cut off, in milliseconds since 1970. */
  readonly began: number;
  readonly endsAt: number;
  readonly lastWordMs: number;
  readonly leastMs: number;
}

/** The shortest time, and the longest part of it that giving a run up may take, in milliseconds. */
const shortestMs = 1_000;
const longestHandOverMs = 1_000;

/** @throws InvalidOptionError for a time that is too short, or shorter than the least. */
export function allotted({ within, least }: AdvanceOptions, began: number): Allotment {
  const ms = milliseconds(within);
  if (ms < shortestMs) {
    throw new InvalidOptionError(`${within} is too short a time to advance runs in`, {
      hint: 'It takes at least "1s".',
    });
  }
  const leastMs = least === undefined ? ms / 2 : milliseconds(least);
  if (leastMs > ms) {
    throw new InvalidOptionError(`least is ${least}, and within is ${within}: nothing would ever begin`, {
      hint: "Leave it out: then it is half the time.",
    });
  }
  const handOverMs = Math.min(longestHandOverMs, ms / 10);
  return { began, endsAt: began + ms - handOverMs, lastWordMs: handOverMs / 2, leastMs };
}

/** What a run gets of it that is entered now. One that comes late may have better luck another time. */
export function stintOf({ began, endsAt, lastWordMs, leastMs }: Allotment, now: number): StintTerms {
  const wholeMs = endsAt - began;
  return { endsAt, lastWordMs, wholeMs, leastMs, isAll: now - began <= wholeMs / 10 };
}

/**
 * Advances one run for the time that is left of it.
 *
 * @throws LeaseHeldError while somebody else has it, this very process included; what the run cannot be advanced for.
 */
export async function advanceWithin<Out, State>(
  roster: Roster<Out, State>,
  runId: string,
  time: Allotment,
): Promise<Advanced<Out>> {
  const { world, version } = roster.setting.options;
  if (roster.get(runId) !== undefined) {
    throw new LeaseHeldError(`run ${runId} is being advanced by this process already`, {
      ...{ runId, retryable: true },
      hint: "Wait for its result.",
    });
  }
  const entrance = async (): Promise<Entrance> => {
    await examine(roster.setting, undefined);
    return { runId, why: "advanced", onlyOpen: true, ...(version === undefined ? {} : { version }) };
  };
  const run = roster.activate(runId, undefined, entrance, stintOf(time, world.now()));
  try {
    return { ...(await run.result()), more: false };
  } catch (error) {
    const left = run.letGo(error);
    if (left === undefined) throw error;
    const { spent, resumesAt = 0 } = left;
    const until = resumesAt > world.now() ? { until: new Date(resumesAt) } : {};
    return { status: "running", runId, more: true, spent, ...until };
  }
}

/**
 * Advances what nobody attends to, each run once, for as long as there is time to begin something.
 *
 * @throws InvalidOptionError
 */
export async function sweep<Out, State>(
  roster: Roster<Out, State>,
  { most = 10, ...given }: SweepOptions,
): Promise<Swept<Out>> {
  if (!Number.isSafeInteger(most) || most < 1)
    throw new InvalidOptionError(`most is ${most}; it takes a whole number from 1`);
  const { root, options } = roster.setting;
  const { store, world } = options;
  const pipeline = root.pipeline.name;
  const time = allotted(given, world.now());
  const runs: Advanced<Out>[] = [];
  const refused: Swept<Out>["refused"][number][] = [];
  const seen = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const open = async (): Promise<string[]> => {
    const due = { status: ["waiting"], pipeline, dueBefore: world.now(), limit: 1_000 } as const;
    const waiting = (await store.list(due)).map(({ runId }) => runId);
    return [...(await abandonedRuns(store, world, pipeline, seen)), ...waiting.filter((id) => !seen.has(id))];
  };
  const take = async (runId: string): Promise<void> => {
    try {
      runs.push(await advanceWithin(roster, runId, time));
    } catch (error) {
      if (!FlujoError.isInstance(error)) throw error;
      if (!LeaseHeldError.isInstance(error)) refused.push({ runId, error }); // else somebody is about it
    }
  };
  for (;;) {
    const isLate = time.endsAt - world.now() < time.leastMs;
    const next = isLate ? [] : (await open()).slice(0, most - underWay.size);
    for (const runId of next) {
      seen.add(runId);
      const taken = take(runId).finally(() => underWay.delete(taken));
      underWay.add(taken);
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay);
  }
  const now = world.now();
  const isOpen = ({ more, until }: Advanced<Out>): boolean => more && (until?.getTime() ?? now) <= now;
  return { runs, refused, more: runs.some(isOpen) || (await open()).length > 0 };
}
