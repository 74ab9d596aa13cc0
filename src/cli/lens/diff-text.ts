/** Two runs, or two versions, beside one another, as text for people. */
import type { Json } from "../../core/json.ts";
import { picoUsd } from "../../core/limits.ts";
import type { ValueChange } from "../../lens/compare-values.ts";
import type { Both, OperationDiff, RunBrief, RunDiff } from "../../lens/diff.ts";
import type { PlaceDiff, StepFigures, VersionDiff, VersionView } from "../../lens/versions.ts";
import { clip, count, duration, money, tableText } from "../format.ts";
import { costOf } from "../report.ts";
import { printable, redact } from "../terminal.ts";

export function runDiffText({ a, b, input, output, same, operations }: RunDiff): string {
  const lines = [
    `a  ${briefText(a)}`,
    `b  ${briefText(b)}`,
    ...named("input", changeLines(input)),
    ...named("output", changeLines(output)),
    "",
    ...operations.flatMap(operationLines),
    operations.length === 0
      ? `Every operation is the same: ${count(same, "operation")}.`
      : `Different: ${count(operations.length, "operation")}. The same: ${same.toLocaleString("en")}.`,
  ];
  return redact(lines.map(printable).join("\n"));
}

function briefText({ runId, pipeline, fingerprint, status, durationMs, spent }: RunBrief): string {
  return `${runId}  ${pipeline} ${fingerprint}  ${status}, ${duration(durationMs)}, ${costOf(spent)}`;
}

function operationLines(operation: OperationDiff): string[] {
  const { path, kind, only, status, attempts, model, error, costUsd, durationMs } = operation;
  if (only !== undefined) return [`${only === "a" ? "-" : "+"} ${path}  ${kind}, in ${only} only`];
  const facts = [
    ...(status === undefined ? [] : [`${status.a} → ${status.b}`]),
    ...(attempts === undefined ? [] : [`${count(attempts.a, "attempt")} → ${attempts.b}`]),
    ...(model === undefined ? [] : [`${model.a ?? "no model"} → ${model.b ?? "no model"}`]),
    ...(costUsd === undefined ? [] : [`${usd(costUsd.a)} → ${usd(costUsd.b)}`]),
    ...(durationMs.a === null || durationMs.b === null
      ? []
      : [`${duration(durationMs.a)} → ${duration(durationMs.b)}`]),
  ];
  return [
    `~ ${path}  ${[kind, ...facts].join(", ")}`,
    ...named("  input", changeLines(operation.input)),
    ...(operation.messages === undefined
      ? named("  output", changeLines(operation.output))
      : named("  messages", operation.messages)), // the answer stands among them
    ...(error === undefined ? [] : errorLines(error)),
  ];
}

const errorLines = ({ a, b }: Both<string | null>): string[] => [
  ...(a === null ? [] : [`  - error: ${clip(a, widest)}`]),
  ...(b === null ? [] : [`  + error: ${clip(b, widest)}`]),
];

export function versionDiffText({ a, b, same, places, figures }: VersionDiff): string {
  const lines = [
    `a  ${versionText(a)}`,
    `b  ${versionText(b)}`,
    "",
    ...places.flatMap(placeLines),
    `Different: ${count(places.length, "place")}. The same: ${same.toLocaleString("en")}.`,
  ];
  const head = ["STEP", "DONE A", "B", "FAILED A", "B", "P50 A", "B", "P95 A", "B", "COST A", "B"];
  const rows = figures.map((row) => [
    row.step,
    ...beside(row, ({ completed }) => completed.toLocaleString("en")),
    ...beside(row, ({ failed }) => failed.toLocaleString("en")),
    ...beside(row, ({ durationMs: { p50 } }) => (p50 === null ? "" : duration(p50))),
    ...beside(row, ({ durationMs: { p95 } }) => (p95 === null ? "" : duration(p95))),
    ...beside(row, ({ spent }) => costOf(spent)),
  ]);
  const table = rows.length === 0 ? [] : ["", tableText([head, ...rows])];
  return redact([...lines.map(printable), ...table].join("\n"));
}

const beside = ({ a, b }: Both<StepFigures | null>, text: (one: StepFigures) => string): string[] =>
  [a, b].map((one) => (one === null ? "" : text(one)));

function versionText({ pipeline, fingerprint, runs, releases }: VersionView): string {
  return [`${pipeline} ${fingerprint}`, count(runs, "run"), ...releases.map(releaseText)].join("  ");
}

/** `app@1.2.0 (0123456)` */
export const releaseText = ({ package: name, commit }: VersionView["releases"][number]): string =>
  [
    name,
    commit === undefined ? undefined : name === undefined ? commit.slice(0, 10) : `(${commit.slice(0, 10)})`,
  ]
    .filter((text) => text !== undefined)
    .join(" ");

function placeLines({ path, kind, only, facts, settings }: PlaceDiff): string[] {
  if (only !== undefined) return [`${only === "a" ? "-" : "+"} ${path}  ${kind}`];
  return [
    `~ ${path}  ${kind}`,
    ...changeLines(facts).map((line) => `  ${line}`),
    ...named("  settings", changeLines(settings)),
  ];
}

/** Characters of a value that are shown. */
const widest = 120;

function changeLines(changes: readonly ValueChange[] = []): string[] {
  return changes.flatMap(({ path, before, after, lines }) => {
    const where = path === "" ? "" : `${path}: `;
    if (lines !== undefined) return [...(where === "" ? [] : [where.trimEnd()]), ...lines];
    return [
      ...(before === undefined ? [] : [`- ${where}${clip(valueText(before), widest)}`]),
      ...(after === undefined ? [] : [`+ ${where}${clip(valueText(after), widest)}`]),
    ];
  });
}

/** Lines under a name, or nothing. */
function named(name: string, lines: readonly string[]): string[] {
  const margin = " ".repeat(name.length - name.trimStart().length + 2);
  return lines.length === 0 ? [] : [name, ...lines.map((line) => margin + line)];
}

const valueText = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
const usd = (exact: string): string => money(picoUsd(`$${exact}`));
