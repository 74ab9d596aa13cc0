import type { Json } from "../core/json.ts";
import type { Trace, TracedOperation } from "./trace.ts";

const columns = [
  ...["path", "kind", "status", "attempts", "started_at", "duration_ms", "model", "cached"],
  ...["cost_usd", "calls", "tool_calls", "input_tokens", "output_tokens", "error", "input", "output"],
];

/**
 * The operations of a run as CSV (RFC 4180), one a row, their names in the first. Inputs, outputs and errors are JSON: so
 * none of what a model wrote begins a cell, where a spreadsheet might take it for a formula.
 */
export function operationsCsv({ operations }: Trace): string {
  return [columns, ...operations.map(cells)].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

function cells(operation: TracedOperation): string[] {
  const { path, kind, status, attempts, startedAt, durationMs, model, cached, spent, error } = operation;
  return [
    ...[path, kind, status, String(attempts), startedAt ?? "", durationMs === null ? "" : String(durationMs)],
    ...[model ?? "", cached ? "true" : "", spent.costUsd, String(spent.calls), String(spent.toolCalls ?? 0)],
    ...[String(spent.inputTokens), String(spent.outputTokens)],
    ...[json(error?.message ?? null), json(operation.input), json(operation.output)],
  ];
}

const json = (value: Json): string => (value === null ? "" : JSON.stringify(value));

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
