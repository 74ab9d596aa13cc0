/** On paper: what a million runs a day need, from what one of them was measured to cost. */
import { figure } from "./measure.ts";
import { table } from "./tables.ts";

/** What one run of ten steps, five of them model calls, costs. */
export interface RunCost {
  /** Milliseconds of processor. */
  readonly workerMs: number;
  readonly postgresMs: number;
  /** Transactions that wrote; bytes of the server's log. */
  readonly writes: number;
  readonly walBytes: number;
  /** Bytes it takes once it is over. */
  readonly keptBytes: number;
}

/** What it costs to renew the lease of a run once: milliseconds of the server's processor, bytes of its log. */
export interface RenewalCost {
  readonly postgresMs: number;
  readonly walBytes: number;
}

const runsADay = 1_000_000;
const callsARun = 5;
const peakOverAverage = 5;
/** A model answers after so many seconds. */
const callSeconds = 4;
/** A run under way has its lease renewed every so many seconds. */
const renewalSeconds = 5;
/** Runs that `flujo worker` advances at once, and connections it may have, unless told otherwise. */
const concurrency = 100;
const connections = 10;
/** Of a core, so much is to be used at the peak: the rest is for moments. */
const busy = 0.6;
const keptDays = 30;

export function reckoning(run: RunCost, renewal: RenewalCost): string {
  const { workerMs, keptBytes } = run;
  const renewals = (callsARun * callSeconds) / renewalSeconds;
  const postgresMs = run.postgresMs + renewals * renewal.postgresMs;
  const walBytes = run.walBytes + renewals * renewal.walBytes;
  const average = runsADay / 86_400;
  const peak = average * peakOverAverage;
  const underWay = (rate: number): number => rate * callsARun * callSeconds;
  const workersAt = (rate: number): number =>
    Math.ceil(Math.max((rate * workerMs) / 1_000 / busy, underWay(rate) / concurrency));
  const row = (what: string, of: (rate: number) => number, unit: string): string[] => [
    what,
    `${figure(of(average))}${unit}`,
    `${figure(of(peak))}${unit}`,
  ];
  const rows = [
    row("runs a second", (rate) => rate, ""),
    row("model calls a minute", (rate) => rate * callsARun * 60, ""),
    row(`runs under way, where a model takes ${callSeconds} s`, underWay, ""),
    row("workers' processors", (rate) => (rate * workerMs) / 1_000, " cores"),
    row(`workers, ${figure(busy * 100)}% busy, ${concurrency} runs at once in each at most`, workersAt, ""),
    row(`connections, ${connections} a worker`, (rate) => workersAt(rate) * connections, ""),
    row("Postgres: processors", (rate) => (rate * postgresMs) / 1_000, " cores"),
    row("Postgres: writing transactions a second, at most", (rate) => rate * (run.writes + renewals), ""),
    row("... leases renewed among them", (rate) => rate * renewals, ""),
    row("Postgres: its log, a second", (rate) => (rate * walBytes) / 1e6, " MB"),
    ["Postgres: its log, a day", `${figure((runsADay * walBytes) / 1e9)} GB`, ""],
    ["kept of a day", `${figure((runsADay * keptBytes) / 1e9)} GB`, ""],
    [`kept, pruned after ${keptDays} days`, `${figure((runsADay * keptBytes * keptDays) / 1e9)} GB`, ""],
  ];
  return table(["1,000,000 runs a day", "average", `peak, ${peakOverAverage} times that`], rows);
}
