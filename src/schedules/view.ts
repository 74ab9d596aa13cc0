import type { Budget, Usd } from "../core/limits.ts";
import type { RunStatus, Store } from "../ports/store.ts";
import { decidedThrough, timelyMs } from "./decision.ts";
import { schedulesIn } from "./plan.ts";
import type { MissedPolicy, OverlapPolicy, Schedule } from "./schedule.ts";
import { ticksOf } from "./ticks.ts";

/** A schedule as `flujo schedule list --json` prints it. Moments are ISO dates. */
export interface ScheduleView {
  readonly name: string;
  readonly pipeline: string;
  /** The file the pipeline is loaded from. Null: a program started with it. */
  readonly file: string | null;
  readonly export: string | null;
  readonly cron: string;
  readonly timeZone: string;
  readonly budget: Usd | Budget | null;
  readonly missed: MissedPolicy;
  readonly overlap: OverlapPolicy;
  readonly paused: boolean;
  readonly createdAt: string;
  readonly by: string | null;
  /** Null: it is paused, or has no tick any more, or the expression cannot be read here. */
  readonly next: string | null;
  /** The first tick that nobody has dealt with, though it is a minute past: no process fires this schedule. */
  readonly overdueSince: string | null;
  /** The last tick that has its run. `status` is null when the store does not list that run. */
  readonly last: { readonly tick: string; readonly runId: string; readonly status: RunStatus | null } | null;
  /** Ticks whose run is to be started, and may not be yet. */
  readonly due: readonly string[];
  /** How many ticks have had no run. */
  readonly passedOver: { readonly missed: number; readonly overlapping: number };
  /** Why the last tick could not be started, while none has been since. */
  readonly lastError: { readonly tick: string; readonly code: string; readonly message: string } | null;
}

/** The schedules of a store, by name. @param now milliseconds since 1970. */
export async function scheduleViews(store: Store, now: number): Promise<ScheduleView[]> {
  const views: ScheduleView[] = [];
  for await (const { schedule } of schedulesIn(store)) {
    views.push(scheduleView(schedule, now, await statusOf(store, schedule)));
  }
  return views;
}

/** @param status how the run of the last tick stands. */
export function scheduleView(schedule: Schedule, now: number, status: RunStatus | undefined): ScheduleView {
  const { name, pipeline, origin, cron, timeZone, budget, missed, overlap, paused } = schedule;
  const { createdAt, by, last, due, passed, refused } = schedule;
  return {
    name,
    pipeline,
    file: origin?.file ?? null,
    export: origin?.export ?? null,
    cron,
    timeZone,
    budget: budget ?? null,
    missed,
    overlap,
    paused,
    createdAt: iso(createdAt),
    by: by ?? null,
    ...ahead(schedule, now),
    last: last === undefined ? null : { tick: iso(last.tick), runId: last.runId, status: status ?? null },
    due: due.map(iso),
    passedOver: passed,
    lastError:
      refused === undefined
        ? null
        : { tick: iso(refused.tick), code: refused.code, message: refused.message },
  };
}

/** The next tick, and the first one that was left. */
function ahead(schedule: Schedule, now: number): Pick<ScheduleView, "next" | "overdueSince"> {
  if (schedule.paused) return { next: null, overdueSince: null };
  try {
    const ticks = ticksOf(schedule.cron, schedule.timeZone);
    const through = decidedThrough(schedule, now);
    const first = ticks.after(through);
    const isOverdue = first !== undefined && first < now - timelyMs;
    const next = first === undefined || first > now ? first : ticks.after(now);
    return { next: isoOrNull(next), overdueSince: isOverdue ? iso(first) : null };
  } catch {
    return { next: null, overdueSince: null }; // this machine does not know the zone: whoever fires the schedule tells
  }
}

async function statusOf(store: Store, { last }: Schedule): Promise<RunStatus | undefined> {
  if (last === undefined) return undefined;
  const runs = await store.list({ idPrefix: last.runId });
  return runs.find(({ runId }) => runId === last.runId)?.status;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));
