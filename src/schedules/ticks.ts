import { Cron } from "croner";
import { InvalidOptionError } from "../core/errors.ts";

/** The moments of a cron expression in a time zone, in milliseconds since 1970, each a whole second. */
export interface Ticks {
  /** The first tick after this moment, which itself does not count. Undefined: there is none any more. */
  after(ms: number): number | undefined;
  /** The last tick before this moment, which itself does not count. Undefined: there is none. */
  before(ms: number): number | undefined;
}

/**
 * Works out the ticks of an expression: five fields, six with seconds in front, seven with years behind, or `@hourly`,
 * `@daily`, `@weekly`, `@monthly`, `@yearly`; with `L`, `W` and `#` as in croner. On days when clocks change:
 *
 * - An expression whose seconds, minutes and hours have no `*`, `?` or step means times of the day, each once a day: one that is
 *   skipped comes the moment the clock has jumped, one that comes twice is taken the first time. A day that a zone
 *   skips altogether has none.
 * - Any other means an interval: it goes by what the clock shows, so an hour that comes twice has its ticks twice, and
 *   one that is skipped has none.
 *
 * @throws InvalidOptionError naming the field that cannot be read, or the zone.
 */
export function ticksOf(cron: string, timeZone: string): Ticks {
  refuseUnknownZone(timeZone);
  const parsed = parse(cron, timeZone);
  return {
    after: (ms) => parsed.nextRun(new Date(ms))?.getTime(),
    // Of a moment within a second, croner takes the tick of that second to be before it: so it is.
    before: (ms) => parsed.previousRuns(1, new Date(ms))[0]?.getTime(),
  };
}

/** The next ticks, at most so many. */
export function nextTicks(ticks: Ticks, after: number, most: number): number[] {
  const next: number[] = [];
  for (let tick = ticks.after(after); tick !== undefined && next.length < most; tick = ticks.after(tick)) {
    next.push(tick);
  }
  return next;
}

function parse(cron: string, timeZone: string): Cron {
  try {
    const parsed = new Cron(cron, options(timeZone));
    if (parsed.getOnce() === null) return parsed; // croner takes a date, too, as an expression of one tick
  } catch (error) {
    throw unreadable(cron, (error as Error).message); // croner throws TypeError and RangeError
  }
  throw unreadable(cron, "it is a date");
}

const options = (timeZone: string) => ({
  timezone: timeZone,
  paused: true,
  fixedTimeRule: "no-wildcard" as const, // `30 2,14 * * *` are two times of the day, as `30 2 * * *` is one
});

const fieldNames = ["second", "minute", "hour", "day of the month", "month", "day of the week", "year"];

function unreadable(cron: string, why: string): InvalidOptionError {
  const culprit = culpritOf(cron.trim().split(/\s+/));
  const what =
    culprit === undefined
      ? why.replace(/^CronPattern: /, "")
      : `its ${culprit.field} is ${JSON.stringify(culprit.text)}`;
  return new InvalidOptionError(`the cron expression "${cron}" cannot be read: ${what}`, {
    hint: 'Write minute, hour, day of the month, month, day of the week: "0 9 * * 1" is Mondays at nine. Or @daily.',
  });
}

/** The field that cannot be read even when it stands alone. */
function culpritOf(fields: readonly string[]): { readonly field: string; readonly text: string } | undefined {
  if (fields.length < 5 || fields.length > 7) return undefined;
  const names = fields.length === 5 ? fieldNames.slice(1) : fieldNames;
  for (const [i, text] of fields.entries()) {
    const alone = fields.map((_, at) => (at === i ? text : "*")).join(" ");
    try {
      new Cron(alone, options("UTC"));
    } catch {
      return { field: names[i] as string, text }; // there are as many names as fields
    }
  }
  return undefined;
}

/** Zones that were found to exist: asking takes longer than everything else that is done for a tick. */
const knownZones = new Set<string>();

function refuseUnknownZone(timeZone: string): void {
  if (knownZones.has(timeZone)) return;
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    knownZones.add(timeZone);
  } catch {
    throw new InvalidOptionError(`there is no time zone "${timeZone}"`, {
      hint: 'Write a name of the IANA list: "Europe/Madrid", "America/New_York", "UTC".',
    });
  }
}
