/**
 * Cases in a table: a line of column names, then a case a line. `input` and `expected` are texts; `input.question` is a field
 * of an input that is an object; `input:json` and `expected:json` hold JSON. Tags stand in one cell: `a; b`.
 */
import { CsvError, parse } from "csv-parse/sync";
import { assign } from "../../core/codec.ts";
import type { DatasetFault } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Read } from "./record.ts";

export function readCsv(text: string): Read {
  const faults: DatasetFault[] = [];
  const [head, ...rows] = rowsOf(text, faults);
  const columns = head?.cells.map((name) => name.trim()) ?? [];
  const repeated = columns.find((name, i) => columns.indexOf(name) < i);
  if (repeated !== undefined) faults.push({ line: 1, what: `the column "${repeated}" is there twice` });
  const records = rows.map(({ cells, line }) => {
    if (cells.length === columns.length) return recordOf(columns, cells, line, faults);
    faults.push({ line, what: `it has ${cells.length} cells, and the first line ${columns.length}` });
    return undefined;
  });
  return { records, faults, lineOf: (index) => rows[index]?.line ?? 1 };
}

interface Row {
  readonly cells: readonly string[];
  /** The line it begins on: a cell in quotes may have several. */
  readonly line: number;
}

function rowsOf(text: string, faults: DatasetFault[]): Row[] {
  try {
    // With `info`, each row comes with the line it ends on.
    const rows = parse(text, { info: true, relax_column_count: true, skip_empty_lines: true }) as unknown as {
      readonly record: readonly string[];
      readonly info: { readonly lines: number };
    }[];
    return rows.map(({ record, info }) => {
      const within = record.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
      return { cells: record, line: info.lines - within };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    faults.push({ line: Number(error.lines ?? 1), what: error.message });
    return [];
  }
}

function recordOf(
  columns: readonly string[],
  cells: readonly string[],
  line: number,
  faults: DatasetFault[],
): Json | undefined {
  const record: Record<string, Json> = {};
  const wrong = faults.length;
  for (const [i, column] of columns.entries()) {
    const cell = cells[i] ?? "";
    const [, name = "", field, asJson] = /^([^.:]+)(?:\.(.+?))?(:json)?$/.exec(column) ?? [undefined, column];
    // An input may be an empty text; of everything else an empty cell says nothing.
    if (cell === "" && column !== "input") continue;
    const value = asJson ? jsonOf(cell, column, line, faults) : name === "tags" ? tagsOf(cell) : cell;
    if (value === undefined) continue;
    if (field === undefined) assign(record, name, value);
    else if (!putField(record, name, field, value)) {
      faults.push({ line, what: `"${column}" is a field of ${name}, which has a column of its own` });
    }
  }
  return faults.length === wrong ? record : undefined;
}

function putField(record: Record<string, Json>, name: string, field: string, value: Json): boolean {
  if (!Object.hasOwn(record, name)) assign(record, name, {});
  const whole = record[name];
  if (typeof whole !== "object" || whole === null || Array.isArray(whole)) return false;
  assign(whole as Record<string, Json>, field, value); // made above, and nobody else's
  return true;
}

function jsonOf(cell: string, column: string, line: number, faults: DatasetFault[]): Json | undefined {
  try {
    return JSON.parse(cell) as Json; // what JSON.parse makes is JSON
  } catch (error) {
    faults.push({ line, what: `${column} is not JSON: ${(error as Error).message}` });
    return undefined;
  }
}

const tagsOf = (cell: string): string[] =>
  cell
    .split(/[;,]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
