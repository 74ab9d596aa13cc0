import type { DatasetFault } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Read } from "./record.ts";

/** A JSON value a line, each parsed when it is asked for. Empty lines are nothing. */
export function readJsonl(text: string): Read {
  const lines: number[] = [];
  const faults: DatasetFault[] = [];
  const records = function* (): Generator<Json | undefined> {
    let number = 0;
    for (let from = 0; from <= text.length; ) {
      const end = text.indexOf("\n", from);
      const line = text.slice(from, end === -1 ? text.length : end);
      from += line.length + 1;
      number += 1;
      if (line.trim() === "") continue;
      lines.push(number);
      yield parsed(line, number, faults);
    }
  };
  return { records: records(), faults, lineOf: (index) => lines[index] ?? 1 };
}

function parsed(line: string, number: number, faults: DatasetFault[]): Json | undefined {
  try {
    return JSON.parse(line) as Json; // what JSON.parse makes is JSON
  } catch (error) {
    faults.push({ line: number, what: `it is not JSON: ${(error as Error).message}` });
    return undefined;
  }
}
