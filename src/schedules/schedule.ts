/**
 * A schedule: a note in the store, `schedule/NAME`, with its terms and with how far its ticks have been dealt with.
 * Processes change it by compare-and-swap.
 */
import { encode } from "../core/codec.ts";
import { InvalidOptionError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { type Budget, limitsOf, type Usd } from "../core/limits.ts";
import { checkedName } from "./ids.ts";
import { ticksOf } from "./ticks.ts";

/** What becomes of ticks that nobody has dealt with within a minute: nothing, one run for the newest, a run for each. */
export type MissedPolicy = "skip" | "last" | "all";
/** What becomes of a tick while the run of an earlier one is running or waiting: its run starts, or it is passed over. */
export type OverlapPolicy = "allow" | "skip";

/** What a schedule says, as whoever makes it writes it. */
export interface ScheduleTerms {
  /** Five fields, six with seconds in front, or `@daily` and its like: see `ticksOf`. */
  readonly cron: string;
  /** A name of the IANA list. Default `"UTC"`. */
  readonly timeZone?: string;
  /** The limit of each run. Default: that of whoever starts it. */
  readonly budget?: Usd | Budget;
  /** Default `"last"`. */
  readonly missed?: MissedPolicy;
  /** Default `"allow"`. */
  readonly overlap?: OverlapPolicy;
}

/** Which pipeline a schedule runs, and who wants it. */
export interface ScheduleSubject {
  readonly name: string;
  /** The pipeline's name. */
  readonly pipeline: string;
  /** The file it is loaded from, and its export there, where it comes from a file. */
  readonly origin?: { readonly file: string; readonly export: string };
  /** The input of each run. */
  readonly input: unknown;
  /** Who made the schedule, as they say. */
  readonly by?: string;
}

/** A tick whose run could not be started, for good. */
export interface Refusal {
  readonly tick: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

/** A schedule as it stands in the store. Moments are in milliseconds since 1970. */
export interface Schedule {
  readonly name: string;
  readonly pipeline: string;
  readonly origin?: { readonly file: string; readonly export: string };
  readonly cron: string;
  readonly timeZone: string;
  /** In stored form. */
  readonly input: Json;
  readonly budget?: Usd | Budget;
  readonly missed: MissedPolicy;
  readonly overlap: OverlapPolicy;
  readonly paused: boolean;
  readonly createdAt: number;
  readonly by?: string;
  /** What becomes of the ticks up to this moment, and at it, is decided. */
  readonly through: number;
  /** Ticks that shall have a run, and may not have it yet: the earliest first. */
  readonly due: readonly number[];
  /** Who decided so, and when: it is theirs to start these, and everybody's when they are gone or slow. */
  readonly decided?: { readonly by: string; readonly at: number };
  /** The last tick that has its run. */
  readonly last?: { readonly tick: number; readonly runId: string };
  /** Ticks without a run, since the schedule was made: missed ones, and those that met a run under way. */
  readonly passed: { readonly missed: number; readonly overlapping: number };
  /** The last tick that was refused. */
  readonly refused?: Refusal;
}

/** Characters of stored input. The schedule is read every few seconds. */
const mostInput = 100_000;

/**
 * A schedule that begins now: its first tick is the first one after this moment.
 *
 * @throws InvalidOptionError; UnstorableValueError for an input that cannot be stored.
 */
export function newSchedule(subject: ScheduleSubject, terms: ScheduleTerms, now: number): Schedule {
  const { name, pipeline, origin, input, by } = subject;
  const { cron, timeZone = "UTC", budget, missed = "last", overlap = "allow" } = terms;
  if (ticksOf(cron, timeZone).after(now) === undefined) {
    throw new InvalidOptionError(`"${cron}" has no tick any more`, {
      hint: "No such day exists, as the 31st of February, or its years are over.",
    });
  }
  if (!["skip", "last", "all"].includes(missed)) throw noPolicy("missed", missed, "skip, last or all");
  if (!["allow", "skip"].includes(overlap)) throw noPolicy("overlap", overlap, "allow or skip");
  if (budget !== undefined) limitsOf(budget);
  return {
    name: checkedName(name),
    pipeline,
    ...(origin === undefined ? {} : { origin }),
    cron,
    timeZone,
    input: storedInput(input, name),
    ...(budget === undefined ? {} : { budget }),
    missed,
    overlap,
    paused: false,
    createdAt: now,
    ...(by === undefined ? {} : { by }),
    through: now,
    due: [],
    passed: { missed: 0, overlapping: 0 },
  };
}

/**
 * A schedule under new terms: what is decided stays decided. New ticks count from now on, not from the last one of the
 * old plan: nobody has missed them.
 */
export function withTerms(before: Schedule, terms: Schedule): Schedule {
  const { paused, createdAt, due, decided, last, passed } = before;
  const isSamePlan = before.cron === terms.cron && before.timeZone === terms.timeZone;
  return {
    ...terms,
    paused,
    createdAt,
    through: isSamePlan ? before.through : Math.max(before.through, terms.through),
    due,
    ...(decided === undefined ? {} : { decided }),
    ...(last === undefined ? {} : { last }),
    passed,
  };
}

export const paused = (schedule: Schedule): Schedule => ({ ...schedule, paused: true });

/** Ticks of the time in which it was paused are not missed: they were not wanted. */
export function unpaused(schedule: Schedule, now: number): Schedule {
  if (!schedule.paused) return schedule;
  return { ...schedule, paused: false, through: Math.max(schedule.through, now), due: [] };
}

function storedInput(input: unknown, name: string): Json {
  const { json, size } = encode(input, `input of schedule ${name}`);
  if (size <= mostInput) return json;
  throw new InvalidOptionError(
    `the input of schedule ${name} is too large: ${size.toLocaleString("en")} characters`,
    {
      hint: `It may have ${mostInput.toLocaleString("en")}: let a step fetch the rest.`,
    },
  );
}

const noPolicy = (what: string, value: string, known: string): InvalidOptionError =>
  new InvalidOptionError(`${what} is "${value}"; it takes ${known}`);
