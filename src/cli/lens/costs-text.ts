/** What runs cost, as text for people. Sums are exact here: what stands in a column adds up to what is under it. */
import { addSpent, nothingSpent, picoUsd, type Spent } from "../../core/limits.ts";
import type { Costs } from "../../lens/costs.ts";
import { type SpentView, spentView } from "../../lens/readable.ts";
import { count, tableText } from "../format.ts";
import { redact } from "../terminal.ts";

/** By what costs can be listed. */
export const groups = ["pipeline", "step", "model", "day", "account"] as const;
export type Group = (typeof groups)[number];

/** Rows of one table beyond this many are summed up in one. */
const mostRows = 30;

/** @param by which tables; all of them when empty. */
export function costsText(costs: Costs, by: readonly Group[]): string {
  const tables = (by.length === 0 ? groups : by)
    .map((group) => table(costs, group))
    .filter((text) => text !== "");
  return redact([headText(costs), ...tables].join("\n\n"));
}

function headText({ runs, total, held, inDoubt }: Costs): string {
  const marks = [
    ...(held.costUsd === "0" ? [] : [`$${held.costUsd} of it is held for calls under way`]),
    ...(inDoubt.costUsd === "0" ? [] : [`$${inDoubt.costUsd} of it counts in doubt`]),
  ];
  return [`${count(runs, "run")}, ${usd(total)}, ${count(total.calls, "call")}`, ...marks].join("; ");
}

type Row = readonly [name: string, spent: SpentView, ...more: string[]];

function table(costs: Costs, group: Group): string {
  const rows = rowsOf(costs, group);
  if (rows.length === 0) return "";
  const shown = rows.slice(0, mostRows);
  const rest = rows.slice(mostRows);
  const others: Row[] =
    rest.length === 0 ? [] : [[`(${count(rest.length, "other")})`, sumOf(rest.map(([, spent]) => spent))]];
  const more = group === "account" ? ["BY ALL RUNS"] : [];
  const head = [group.toUpperCase(), "COST", "CALLS", "TOOL CALLS", "TOKENS IN", "TOKENS OUT", ...more];
  return tableText([head, ...[...shown, ...others].map(cells)]);
}

function rowsOf(costs: Costs, group: Group): readonly Row[] {
  const { pipelines, steps, models, days, accounts } = costs;
  switch (group) {
    case "pipeline":
      return pipelines.map(({ pipeline, spent }) => [pipeline, spent]);
    case "step":
      return steps.map(({ step, spent }) => [step, spent]);
    case "model":
      return models.map(({ model, spent }) => [model, spent]);
    case "day":
      return days.map(({ day, spent }) => [day, spent]);
    case "account":
      return accounts.map(({ scope, spent, all }) => [scope, spent, all === null ? "(gone)" : usd(all)]);
  }
}

function cells([name, spent, ...more]: Row): string[] {
  const { calls, toolCalls = 0, inputTokens, outputTokens } = spent;
  const counts = [calls, toolCalls, inputTokens, outputTokens].map((n) => n.toLocaleString("en"));
  return [name, usd(spent), ...counts, ...more];
}

const usd = ({ costUsd }: SpentView): string => `$${costUsd}`;

function sumOf(views: readonly SpentView[]): SpentView {
  const spents = views.map(
    ({ costUsd, toolCalls = 0, ...rest }): Spent => ({ ...rest, toolCalls, picoUsd: picoOf(costUsd) }),
  );
  return spentView(spents.reduce(addSpent, nothingSpent));
}

const picoOf = (usd: string): bigint => picoUsd(`$${usd}`);
