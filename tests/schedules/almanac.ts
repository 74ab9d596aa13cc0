/** Ticks worked out another way: by looking at what the clocks of a zone show, minute by minute. */

/** What a cron expression of minutes, hours and days of the week says. */
export interface Saying {
  /** Undefined: `*`. */
  readonly minutes: readonly number[] | undefined;
  readonly hours: readonly number[] | undefined;
  /** Sunday is 0. */
  readonly weekday?: number;
  /** `*` with this step, in the field of minutes. */
  readonly everyMinutes?: number;
}

interface Shown {
  readonly at: number;
  readonly date: string;
  readonly weekday: number;
  readonly minuteOfDay: number;
}

const minuteMs = 60_000;
/** Clocks are set by quarters of an hour, at quarters of an hour, in every zone of this century. */
const quarterMs = 15 * minuteMs;
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Every minute from `from` (a quarter of an hour) until `to`, as the clocks of a zone show it. */
export function almanac(timeZone: string, from: number, to: number): Shown[] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const minutes: Shown[] = [];
  for (let quarter = from; quarter < to; quarter += quarterMs) {
    const part = Object.fromEntries(format.formatToParts(quarter).map(({ type, value }) => [type, value]));
    const date = `${part.year}-${part.month}-${part.day}`;
    const weekday = weekdays.indexOf(part.weekday ?? "");
    const first = Number(part.hour) * 60 + Number(part.minute);
    for (let i = 0; i < 15; i++) {
      minutes.push({ at: quarter + i * minuteMs, date, weekday, minuteOfDay: first + i });
    }
  }
  return minutes;
}

export function cronOf({ minutes, hours, weekday, everyMinutes }: Saying): string {
  const minute = everyMinutes === undefined ? (minutes?.join(",") ?? "*") : `*/${everyMinutes}`;
  return `${minute} ${hours?.join(",") ?? "*"} * * ${weekday ?? "*"}`;
}

/** The ticks among these minutes, which begin and end with whole days of the zone or are far from any change of its clocks. */
export function expectedTicks(minutes: readonly Shown[], saying: Saying): number[] {
  const isTimes =
    saying.everyMinutes === undefined && saying.minutes !== undefined && saying.hours !== undefined;
  return isTimes ? timesOfDay(minutes, saying) : intervals(minutes, saying);
}

function intervals(shown: readonly Shown[], { minutes, hours, weekday, everyMinutes = 1 }: Saying): number[] {
  return shown
    .filter(({ minuteOfDay, weekday: day }) => {
      const minute = minuteOfDay % 60;
      return (
        minute % everyMinutes === 0 &&
        (minutes?.includes(minute) ?? true) &&
        (hours?.includes(Math.floor(minuteOfDay / 60)) ?? true) &&
        (weekday === undefined || weekday === day)
      );
    })
    .map(({ at }) => at);
}

/** Each once a day: the first time it is shown, or the first moment after it when it is not. */
function timesOfDay(shown: readonly Shown[], { minutes = [], hours = [], weekday }: Saying): number[] {
  const days = Map.groupBy(shown, ({ date }) => date);
  const ticks = new Set<number>();
  for (const day of days.values()) {
    if (weekday !== undefined && day[0]?.weekday !== weekday) continue;
    for (const time of hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute))) {
      const exact = day.find(({ minuteOfDay }) => minuteOfDay === time);
      const tick = exact ?? day.find(({ minuteOfDay }) => minuteOfDay > time);
      if (tick !== undefined) ticks.add(tick.at);
    }
  }
  return [...ticks].sort((a, b) => a - b);
}
