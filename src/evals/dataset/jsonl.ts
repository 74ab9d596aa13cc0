import type { DatasetFault } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Read } from "./record.ts";

/** A JSON value a line. Empty lines are nothing. */
export function readJsonl(text: string): Read {
  const records: (Json | undefined)[] = [];
  const lines: number[] = [];
  const faults: DatasetFault[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    lines.push(i + 1);
    try {
      records.push(JSON.parse(line) as Json); // what JSON.parse makes is JSON
    } catch (error) {
      records.push(undefined);
      faults.push({ line: i + 1, what: `it is not JSON: ${(error as Error).message}` });
    }
  }
  return { records, faults, lineOf: (index) => lines[index] ?? 1 };
}
