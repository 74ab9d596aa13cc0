import { tickRunId } from "./ids.ts";
import type { Refusal, Schedule } from "./schedule.ts";
import type { Ticks } from "./ticks.ts";

/** A tick that is dealt with so late is missed. */
export const timelyMs = 60_000;
/** Missed ticks that get a run each under `missed: "all"`: the newest. */
const mostMissed = 100;
/** Ticks that wait for their run: when starting fails for so long, the oldest are given up. */
const mostDue = 200;
/** Ticks looked back at. Of more, the rest is not even counted. */
const mostCounted = 1_000;
/** A plan that is decided for longer ahead than this was decided by a clock that was wrong. */
const wrongClockMs = 86_400_000;

/** Ticks whose moment has come, of which nothing is decided yet. */
export interface DueTicks {
  /** Up to where, and including it, they are all that there are. */
  readonly through: number;
  /** Those that shall have a run, the earliest first. */
  readonly wanted: readonly number[];
  /** How many shall have none. */
  readonly missed: number;
}

/** What a decision has changed, and the schedule with it. */
export interface Decision {
  readonly schedule: Schedule;
  readonly missed: number;
  readonly overlapping: number;
}

/** Up to where a schedule's ticks are decided. After a wrong clock it goes on at the ticks of the last minute. */
export const decidedThrough = ({ through }: Schedule, now: number): number =>
  through > now + wrongClockMs ? now - timelyMs : through;

/**
 * What is due by now, under the schedule's policy for missed ticks: `skip` and `last` want those of the last minute; when
 * there are none, `last` wants the newest missed one. `all` wants the newest hundred missed ones as well.
 */
export function dueTicks(schedule: Schedule, ticks: Ticks, now: number): DueTicks | undefined {
  const from = decidedThrough(schedule, now);
  const first = ticks.after(from);
  if (first === undefined || first > now) return undefined;
  const all: number[] = [];
  for (
    let tick = ticks.before(now + 1);
    tick !== undefined && tick > from && all.length < mostCounted;
    tick = ticks.before(tick)
  ) {
    all.push(tick);
  }
  const timely = all.filter((tick) => tick >= now - timelyMs).length;
  const wanted = { skip: timely, last: Math.max(1, timely), all: timely + mostMissed }[schedule.missed];
  return {
    through: all[0] ?? first,
    wanted: all.slice(0, wanted).reverse(),
    missed: Math.max(0, all.length - wanted),
  };
}

/** @param isBusy whether the run of an earlier tick is under way: what that means is the schedule's policy of overlaps. */
export function decide(schedule: Schedule, due: DueTicks, isBusy: boolean, by: string, at: number): Decision {
  const alone = schedule.overlap === "skip";
  const wanted = alone ? (isBusy ? [] : due.wanted.slice(-1)) : due.wanted;
  const all = [...schedule.due, ...wanted];
  const kept = all.slice(-mostDue);
  const missed = due.missed + all.length - kept.length;
  const overlapping = due.wanted.length - wanted.length;
  const { passed } = schedule;
  return {
    schedule: {
      ...schedule,
      through: due.through,
      due: kept,
      decided: { by, at },
      passed: { missed: passed.missed + missed, overlapping: passed.overlapping + overlapping },
    },
    missed,
    overlapping,
  };
}

/** What came of starting ticks that were due: those that have their run now, and those refused for good. */
export interface Outcome {
  readonly done: readonly number[];
  readonly refused: readonly Refusal[];
}

/** A schedule as it stands now, with what came of what was due in it before. One made anew since has nothing to do with that. */
export function withOutcome(now: Schedule, before: Schedule, { done, refused }: Outcome): Schedule {
  if (now.createdAt !== before.createdAt) return now;
  const settled = new Set([...done, ...refused.map(({ tick }) => tick)]);
  if (settled.size === 0) return now;
  const { last, refused: earlier, ...rest } = now;
  const newest = Math.max(last?.tick ?? 0, ...done);
  const refusal = refused.at(-1) ?? earlier;
  return {
    ...rest,
    due: now.due.filter((tick) => !settled.has(tick)),
    ...(newest === 0 ? {} : { last: { tick: newest, runId: tickRunId(now.name, newest) } }),
    ...(refusal === undefined || refusal.tick < newest ? {} : { refused: refusal }), // it starts again
  };
}
