import type { LimitKind } from "../core/balance.ts";
import { decimalUsd, type PicoUsd } from "../core/limits.ts";
import { printable } from "./terminal.ts";

/** `12 ms`, `3.4 s`, `5 min 02 s`, `3 h 05 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const pad = (value: number): string => String(value).padStart(2, "0");
  const seconds = Math.floor(ms / 1_000);
  if (ms < 3_600_000) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3_600)} h ${pad(Math.floor(seconds / 60) % 60)} min`;
}

/** For eyes: two decimals from a cent on, else four significant digits, rounded up. Exact sums are in the JSON. */
export function money(amount: PicoUsd): string {
  if (amount === 0n) return "$0";
  const digits = amount.toString().length;
  const unit = amount >= 10_000_000_000n ? 100_000_000n : 10n ** BigInt(Math.max(0, digits - 3));
  return `$${decimalUsd(((amount + unit - 1n) / unit) * unit)}`;
}

/** `1 call`, `3 calls`. */
export const count = (n: number, what: string): string =>
  `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** Where a price is from: `@pydantic/genai-prices 0.1.8 of 2026-09-23`. */
export const sourceText = ({
  source,
  date,
}: {
  readonly source: string;
  readonly date: string | null;
}): string => (date === null ? source : `${source} of ${date}`);

/** At most so many characters, on one line. */
export function clip(text: string, width: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** A kind of limit, as in "its call limit". */
export const limitName = (kind: LimitKind): string =>
  ({ cost: "cost", tokens: "token", calls: "call", toolCalls: "tool call" })[kind];

/** Rows as columns, the first row at their head. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map(printable)
    .join("\n");
}
