/** Schedules as text for people. */
import type { ScheduleView } from "../schedules/view.ts";
import { count, duration } from "./format.ts";
import { printable, redact } from "./terminal.ts";

/** One tick a line: by the clock of the zone, and in UTC. */
export function ticksText(ticks: readonly number[], timeZone: string): string {
  return ticks.map((tick) => `  ${zoned(tick, timeZone)}  ${utc(tick)}`).join("\n");
}

export function scheduleListText(schedules: readonly ScheduleView[], now: number): string {
  return redact(printable(schedules.map((one) => scheduleLines(one, now).join("\n")).join("\n")));
}

function scheduleLines(one: ScheduleView, now: number): string[] {
  const { name, pipeline, file, cron, timeZone, last, passedOver, lastError, due } = one;
  const { missed, overlapping } = passedOver;
  return [
    `${name}  ${pipeline}  ${cron}  ${timeZone}${one.paused ? "  paused" : ""}`,
    ...(file === null ? [] : [`  from  ${file}`]),
    ...(one.paused ? [] : [`  next  ${nextText(one, now)}`]),
    ...(one.overdueSince === null
      ? []
      : [`  nobody has fired it since ${momentText(one.overdueSince, timeZone)}: start flujo up`]),
    ...(last === null
      ? []
      : [`  last  ${momentText(last.tick, timeZone)}  ${last.runId}  ${last.status ?? "?"}`]),
    ...(due.length === 0 ? [] : [`  due   ${count(due.length, "run")} to be started`]),
    ...(missed === 0 ? [] : [`  ${count(missed, "missed tick")} without a run`]),
    ...(overlapping === 0 ? [] : [`  ${count(overlapping, "tick")} passed over while a run was under way`]),
    ...(lastError === null
      ? []
      : [`  the tick ${momentText(lastError.tick, timeZone)} could not be run: ${lastError.message}`]),
  ];
}

function nextText({ next, timeZone }: ScheduleView, now: number): string {
  if (next === null) return "none";
  return `${momentText(next, timeZone)}, in ${duration(Date.parse(next) - now)}`;
}

const momentText = (iso: string, timeZone: string): string => {
  try {
    return zoned(Date.parse(iso), timeZone);
  } catch {
    return iso; // this machine does not know the zone
  }
};

/** `Mon 2026-11-30 09:00:00 GMT+1`. */
function zoned(ms: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "shortOffset",
  });
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part.weekday} ${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`;
}

const utc = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
