/** Which runs a look is about, by the flags that several looks share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Duration, milliseconds } from "../../core/duration.ts";
import type { RunStatus } from "../../core/run-record.ts";
import type { Selection } from "../../lens/every-run.ts";
import { pipelineOption } from "../options.ts";

export const statuses: readonly RunStatus[] = [
  "running",
  "completed",
  "failed",
  "halted",
  "waiting",
  "cancelled",
];

export interface SelectionFlags {
  readonly status?: RunStatus;
  readonly pipeline?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
}

/** Adds the options that say which runs are meant. */
export const selecting = (command: Command): Command =>
  command
    .addOption(new Option("--status <status>", "only runs that stand so").choices(statuses))
    .addOption(pipelineOption())
    .addOption(
      new Option("--since <moment>", "only runs made since: 2026-11-01, or 7d, 12h ago").argParser(moment),
    )
    .addOption(new Option("--until <moment>", "only runs made before").argParser(moment));

export function selectionOf({ status, pipeline, since, until }: SelectionFlags): Selection {
  return {
    ...(status === undefined ? {} : { status: [status] }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(since === undefined ? {} : { createdFrom: since }),
    ...(until === undefined ? {} : { createdBefore: until }),
  };
}

/** Which runs were meant, for a sentence: `failed runs of q3 since …`. */
export function selectionText({ status, pipeline, since, until }: SelectionFlags): string {
  return [
    ...(status === undefined ? [] : [status]),
    "runs",
    ...(pipeline === undefined ? [] : [`of ${pipeline}`]),
    ...(since === undefined ? [] : [`since ${new Date(since).toISOString()}`]),
    ...(until === undefined ? [] : [`before ${new Date(until).toISOString()}`]),
  ].join(" ");
}

/** Adds whose days are meant. */
export const inTimeZone = (command: Command): Command =>
  command.addOption(
    new Option("--time-zone <name>", "whose days: Europe/Madrid").default("UTC").argParser(timeZone),
  );

/** A date, or how long ago, in milliseconds since 1970. */
function moment(text: string): number {
  const at = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(at)) return at;
  try {
    return Date.now() - milliseconds(text as Duration); // it is looked at there
  } catch {
    throw new InvalidArgumentError(
      "Write a date, as 2026-11-01 or 2026-11-01T12:00Z, or how long ago: 30m, 12h, 7d.",
    );
  }
}

function timeZone(name: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    throw new InvalidArgumentError("Write an IANA name: UTC, Europe/Madrid, America/New_York.");
  }
}
