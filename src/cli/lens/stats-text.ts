/** How runs go, as tables for people. */
import type { LatencyView, Stats, StatusCounts } from "../../lens/stats.ts";
import { count, duration, tableText } from "../format.ts";
import { costOf } from "../report.ts";
import { redact } from "../terminal.ts";

/** Rows of one table that are shown. */
const mostRows = 30;

export function statsText({ runs, pipelines, steps, models, days }: Stats): string {
  const tables = [
    table(
      ["PIPELINE", "RUNS", "COMPLETED", "OTHERS", "P50", "P95", "LONGEST", "COST"],
      pipelines.map(({ pipeline, runs: all, statuses, completedShare, durationMs, spent }) => [
        pipeline,
        number(all),
        completedShare === null ? "" : percent(completedShare),
        othersText(statuses),
        ...latencyText(durationMs),
        costOf(spent),
      ]),
    ),
    table(
      ["STEP", "KIND", "DONE", "CACHED", "FAILED", "P50", "P95", "LONGEST", "COST"],
      steps.map(({ step, kind, completed, cached, failed, durationMs, spent }) => [
        step,
        kind,
        ...[completed, cached, failed].map(number),
        ...latencyText(durationMs),
        costOf(spent),
      ]),
    ),
    table(
      ["MODEL", "CALLS", "IN DOUBT", "NEVER MADE", "P50", "P95", "LONGEST", "TOKENS", "COST"],
      models.map(({ model, calls, inDoubt, released, durationMs, spent }) => [
        model,
        ...[calls, inDoubt, released].map(number),
        ...latencyText(durationMs),
        number(spent.inputTokens + spent.outputTokens),
        costOf(spent),
      ]),
    ),
    table(
      ["DAY", "RUNS", "COMPLETED", "OTHERS", "COST"],
      days
        .slice(-mostRows)
        .map(({ day, runs: all, statuses, spent }) => [
          day,
          number(all),
          number(statuses.completed),
          othersText(statuses),
          costOf(spent),
        ]),
    ),
  ];
  const shown = tables.filter((text) => text !== "");
  return redact([count(runs, "run"), ...shown].join("\n\n"));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const text = tableText([head, ...rows.slice(0, mostRows)]);
  return rows.length > mostRows
    ? `${text}\n… and ${number(rows.length - mostRows)} more: --json has them all`
    : text;
}

const number = (n: number): string => n.toLocaleString("en");
const percent = (share: number): string => `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;

function othersText({ completed: _, ...others }: StatusCounts): string {
  const some = Object.entries(others).filter(([, n]) => n > 0);
  return some.map(([status, n]) => `${number(n)} ${status}`).join(", ");
}

const latencyText = ({ p50, p95, max }: LatencyView): string[] =>
  [p50, p95, max].map((ms) => (ms === null ? "" : duration(ms)));
