/** Runs and what is recorded in them, as text for people. */
import type { Json } from "../core/json.ts";
import { picoUsd } from "../core/limits.ts";
import type { ModelCharge } from "../lens/charges.ts";
import type { RunLine } from "../lens/list.ts";
import { modelText, type SpentView } from "../lens/readable.ts";
import type { OperationView, RunReport } from "../lens/show.ts";
import { clip, count, duration, money, sourceText, tableText } from "./format.ts";
import { printable, redact } from "./terminal.ts";

/** Columns: id, status, pipeline, when, cost. */
export function listText(runs: readonly RunLine[]): string {
  const head = ["RUN", "STATUS", "PIPELINE", "CREATED", "COST"];
  const rows = runs.map((run) => [
    run.runId,
    standing(run),
    run.pipeline,
    clock(run.createdAt),
    costOf(run.spent),
  ]);
  return tableText([head, ...rows]);
}

/** A run that should be running, and that nobody advances, wants a word. */
function standing({ status, advancedBy }: RunLine): string {
  return status === "running" && advancedBy === null ? "running (stopped)" : status;
}

/** Operations of one item or turn beyond this many are counted, not listed. */
const mostItems = 20;

export function showText({ run, operations }: RunReport, advancedBy: string | null): string {
  const lines = [...runLines(run, advancedBy), "", ...operationLines(operations)];
  return redact(lines.map(printable).join("\n"));
}

/** What there is to say of the run as a whole. */
export function runLines(run: RunReport["run"], advancedBy: string | null): string[] {
  const lines = [
    `run       ${run.runId}`,
    `pipeline  ${run.pipeline}  ${run.fingerprint}`,
    `status    ${run.status}${run.status === "running" ? owner(run.runId, advancedBy) : ""}`,
    `created   ${clock(run.createdAt)}, last entry after ${duration(run.durationMs)}`,
    `spent     ${spentText(run.spent)}${limitText(run.limits)}`,
    ...run.charges.map((charge) => `  on      ${chargeText(charge)}`),
    ...(run.scopes === undefined ? [] : [`charged   to ${run.scopes.join("; ")} as well`]),
    `input     ${preview(run.input)}`,
  ];
  if (run.status === "completed") lines.push(`output    ${preview(run.output)}`);
  if (run.error !== null) {
    lines.push(`error     ${run.error.message}`);
    if (run.error.hint !== undefined) lines.push(`          ${run.error.hint}`);
  }
  if (run.undone !== undefined) lines.push(`undone    ${pathsText(run.undone.places)}`);
  if (run.undone !== undefined && run.undone.left.length > 0)
    lines.push(`left      ${pathsText(run.undone.left)}`);
  if (run.overlay !== undefined) lines.push(`overlay   ${overlayText(run.overlay)}`);
  if (run.submitted !== undefined) lines.push(`queue     ${submittedText(run.submitted)}`);
  if (run.forkedFrom !== undefined) lines.push(`fork      ${forkText(run.forkedFrom)}`);
  for (const wait of run.waitingFor) lines.push(`waits     ${waitText(wait)}`);
  if (run.origin !== null) lines.push(`from      ${run.origin.file} (${run.origin.export})`);
  return lines;
}

/** So many paths are named. */
const mostPaths = 10;

function pathsText(paths: readonly string[]): string {
  if (paths.length === 0) return "nothing";
  const more = paths.length - mostPaths;
  return `${paths.slice(0, mostPaths).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const overlayText = (changes: NonNullable<RunReport["run"]["overlay"]>): string =>
  pathsText(changes.map(({ path, field }) => `${field} of ${path}`));

function submittedText({
  queue,
  priority,
  tenant,
  notBefore,
}: NonNullable<RunReport["run"]["submitted"]>): string {
  const words = [
    queue,
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(tenant === undefined ? [] : [`for ${tenant}`]),
    ...(notBefore === undefined ? [] : [`not before ${notBefore}`]),
  ];
  return words.join(", ");
}

const forkText = ({ runId, at, sharedUsd }: NonNullable<RunReport["run"]["forkedFrom"]>): string =>
  `of ${runId} at ${at}, shared ${money(picoUsd(`$${sharedUsd}`))}`;

function waitText({ path, kind, prompt, assignees, due }: RunReport["run"]["waitingFor"][number]): string {
  const what = kind === "timer" ? "sleeps" : prompt;
  const who = assignees === undefined ? "" : ` (${assignees.join(", ")})`;
  return `${path}  ${what}${who}${due === undefined ? "" : ` until ${due}`}`;
}

const owner = (runId: string, advancedBy: string | null): string =>
  advancedBy === null ? `, and nobody advances it: flujo resume ${runId}` : `, advanced by ${advancedBy}`;

function operationLines(operations: readonly OperationView[]): string[] {
  const told = operations.filter(({ kind }) => kind !== "decision");
  const { near, hidden } = nearest(told);
  const lines = near.flatMap(operationText);
  if (hidden > 0)
    lines.push(`… and ${count(hidden, "operation")} of further items and turns: --json has them all`);
  return lines;
}

/** Without the operations of one item or turn too many, and how many those are. */
export function nearest<T extends OperationView>(
  operations: readonly T[],
): { readonly near: readonly T[]; readonly hidden: number } {
  const items = new Map<string, Set<string>>();
  const near = operations.filter(({ path }) => !isBeyond(path, items));
  return { near, hidden: operations.length - near.length };
}

/** Whether the path lies in one item too many of a map or loop. */
function isBeyond(path: string, items: Map<string, Set<string>>): boolean {
  for (const { index, 0: whole } of path.matchAll(/\[[^\]]*\]/g)) {
    const container = path.slice(0, index);
    const known = items.get(container) ?? new Set();
    items.set(container, known);
    if (known.has(whole)) continue;
    if (known.size >= mostItems) return true;
    known.add(whole);
  }
  return false;
}

const marks: { readonly [status: string]: string } = {
  completed: "✔",
  failed: "✖",
  running: "…",
  waiting: "?",
  stopped: "■",
};

export const markOf = ({ status }: OperationView): string => marks[status] ?? " ";

/** Kind, model, attempts, time and cost. */
export function operationFacts(operation: OperationView): string {
  const { kind, status, attempts, durationMs, spent, cached, model } = operation;
  return [
    kind,
    ...(model === undefined ? [] : [modelText(model)]),
    ...(status === "completed" || status === "failed" ? [] : [status]),
    ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ...(cached ? ["cached"] : []),
    ...(durationMs === null ? [] : [duration(durationMs)]),
    ...(isNothing(spent) ? [] : [spentText(spent)]),
  ].join(", ");
}

function operationText(operation: OperationView): string[] {
  const lines = [`${markOf(operation)} ${operation.path}  ${operationFacts(operation)}`];
  if (operation.input !== null) lines.push(`    in   ${preview(operation.input)}`);
  if (operation.output !== null) lines.push(`    out  ${preview(operation.output)}`);
  if (operation.partial !== undefined) lines.push(`    said ${preview(operation.partial)}`);
  return [...lines, ...troubleLines(operation).map((line) => `    ${line}`)];
}

/** Attempts that failed, the error it ended with, and notes. */
export function troubleLines({ error, failures = [], notes = [] }: OperationView): string[] {
  const failed = error === null ? failures : failures.slice(0, -1);
  return [
    ...failed.map((one) => `attempt ${one.attempt} failed: ${one.error.message}`),
    ...(error === null ? [] : [`error: ${error.message}`]),
    ...notes,
  ];
}

const isNothing = ({ costUsd, calls, toolCalls }: SpentView): boolean =>
  costUsd === "0" && calls === 0 && toolCalls === undefined;

export function spentText(spent: SpentView): string {
  const { calls, toolCalls = 0 } = spent;
  return [
    costOf(spent),
    ...(calls === 0 ? [] : [count(calls, "call")]),
    ...(toolCalls === 0 ? [] : [count(toolCalls, "tool call")]),
    ...(calls === 0 ? [] : [count(spent.inputTokens + spent.outputTokens, "token")]),
  ].join(", ");
}

/** A model's share of the cost, and the price it was charged by. */
function chargeText({ model, spent, price, earlier = [] }: ModelCharge): string {
  if (price === null)
    return `${model}  ${count(spent.calls, "call")}; no price is known, so they count as $0`;
  const { imageUsd, inputUsdPerMillion: input, outputUsdPerMillion: output } = price;
  const rates =
    imageUsd === undefined
      ? `at most $${input} in, $${output} out a million tokens`
      : `$${imageUsd} an image`;
  const before = earlier.map((one) => `; before by ${sourceText(one)}`);
  return `${model}  ${spentText(spent)}; ${rates}, by ${sourceText(price)}${before.join("")}`;
}

export const costOf = (spent: SpentView): string => money(picoUsd(`$${spent.costUsd}`));

function limitText({ costUsd, tokens, calls, toolCalls, timeMs }: RunReport["run"]["limits"]): string {
  const limits = [
    ...(costUsd === undefined ? [] : [`$${costUsd}`]),
    ...(tokens === undefined ? [] : [count(tokens, "token")]),
    ...(calls === undefined ? [] : [count(calls, "call")]),
    ...(toolCalls === undefined ? [] : [count(toolCalls, "tool call")]),
    ...(timeMs === undefined ? [] : [duration(timeMs)]),
  ];
  return limits.length === 0 ? "" : ` of at most ${limits.join(", ")}`;
}

/** Characters of a value that are shown. */
const previewWidth = 100;

export function preview(value: Json): string {
  const text = typeof value === "string" ? value.slice(0, 4 * previewWidth) : JSON.stringify(value);
  return clip(text, previewWidth);
}

/** `2026-11-22 16:40:05`, in the reader's time zone. */
export function clock(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 19)
    .replace("T", " ");
}
