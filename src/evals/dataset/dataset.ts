import { createHash } from "node:crypto";
import { canonical } from "../../core/canonical.ts";
import { type DatasetFault, InvalidDatasetError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { type Case, type CaseFault, readCase } from "./case.ts";
import type { Read, Reader } from "./record.ts";

/** Cases, and where they came from. */
export interface Dataset {
  /** The file's name, or whatever it is called. */
  readonly name: string;
  readonly cases: readonly Case[];
  /** A hash of all that the cases say, in their order. */
  readonly hash: string;
}

/** How a dataset is written. */
export type DatasetFormat = "jsonl" | "json" | "csv" | "yaml";

const readers: { readonly [format in DatasetFormat]: () => Promise<Reader> } = {
  jsonl: async () => (await import("./jsonl.ts")).readJsonl,
  json: async () => (await import("./yaml.ts")).readJson,
  csv: async () => (await import("./csv.ts")).readCsv,
  yaml: async () => (await import("./yaml.ts")).readYaml,
};

const formats: { readonly [ending: string]: DatasetFormat } = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  csv: "csv",
  yaml: "yaml",
  yml: "yaml",
};

/** The format of a file by the end of its name; undefined for an end that says none. */
export const formatOf = (name: string): DatasetFormat | undefined =>
  formats[/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ""];

/** The most cases a dataset may have. */
const mostCases = 100_000;

/**
 * The cases of a text. What is wrong is told all at once, each with its line.
 *
 * ```ts
 * const dataset = await parseDataset('{"input": "2 + 2", "expected": 4}', { name: "sums.jsonl" });
 * console.log(dataset.cases[0]?.id); // a hash of the content
 * ```
 *
 * @param options `name`: for messages, and for the format where none is given.
 * @throws InvalidDatasetError
 */
export async function parseDataset(
  text: string,
  { name, format = formatOf(name) }: { readonly name: string; readonly format?: DatasetFormat | undefined },
): Promise<Dataset> {
  if (format === undefined) {
    throw new InvalidDatasetError(name, [{ what: "the end of its name says no format" }], {
      hint: "Call it .jsonl, .json, .csv or .yaml.",
    });
  }
  const read = (await readers[format]())(text.replace(/^\uFEFF/, ""));
  const found: DatasetFault[] = [];
  const cases = casesIn(read, found);
  const faults = [...read.faults, ...found];
  if (faults.length === 0 && cases.length === 0) faults.push({ what: "there is no case in it" });
  if (cases.length > mostCases) {
    faults.push({ what: `it has ${cases.length} cases; a dataset takes ${mostCases}` });
  }
  if (faults.length > 0) throw new InvalidDatasetError(name, faults.sort(byLine));
  return datasetOf(name, cases);
}

/** A dataset of cases that are right. */
export function datasetOf(name: string, cases: readonly Case[]): Dataset {
  const digest = createHash("sha256"); // of the canonical list, which is long
  let before = "[";
  for (const one of cases) {
    digest.update(before + canonical(one as unknown as Json)); // cases are JSON
    before = ",";
  }
  digest.update(cases.length === 0 ? "[]" : "]");
  return { name, cases, hash: digest.digest("hex").slice(0, 16) };
}

const byLine = (a: DatasetFault, b: DatasetFault): number => (a.line ?? 0) - (b.line ?? 0);

function casesIn({ records, lineOf }: Read, faults: DatasetFault[]): Case[] {
  const cases: Case[] = [];
  const seen = new Map<string, number>();
  const partOf = new Map<string, { readonly split: string; readonly index: number }>();
  const kept = new Map<string, readonly string[]>();
  const complain = (index: number, { field, what }: CaseFault): void => {
    faults.push({ line: lineOf(index, field), what });
  };
  let index = -1;
  for (const record of records) {
    index += 1;
    if (record === undefined) continue; // the reader has said what is wrong
    const read = readCase(record);
    if (!read.ok) {
      for (const fault of read.faults) complain(index, fault);
      continue;
    }
    const one = read.value;
    const before = seen.get(one.id);
    if (before !== undefined)
      complain(index, { field: "id", what: twice(record, one.id, lineOf(before, "id")) });
    else seen.set(one.id, index);
    const straddled = straddling(one, index, partOf);
    if (straddled !== undefined) {
      complain(index, {
        field: "split",
        what: `the cluster "${one.cluster}" is in the split ${one.split} here and in ${straddled.split} on line ${lineOf(straddled.index, "split")}; a cluster has one split`,
      });
    }
    cases.push(one.tags === undefined ? one : { ...one, tags: once(kept, one.tags) });
  }
  return cases;
}

/** Lists that many cases have are kept once: a large dataset has a hundred thousand of them. */
function once(kept: Map<string, readonly string[]>, tags: readonly string[]): readonly string[] {
  const key = JSON.stringify(tags);
  const known = kept.get(key) ?? tags;
  kept.set(key, known);
  return known;
}

function twice(record: Json, id: string, line: number): string {
  const hasOwn = typeof record === "object" && record !== null && "id" in record;
  return hasOwn
    ? `the id "${id}" is taken by line ${line}`
    : `it is the case of line ${line} again; give both an id if that is meant`;
}

/** Alike cases on both sides of a split would tell one what is asked in the other. */
function straddling(
  { cluster, split }: Case,
  index: number,
  partOf: Map<string, { readonly split: string; readonly index: number }>,
): { readonly split: string; readonly index: number } | undefined {
  if (cluster === undefined || split === undefined) return undefined;
  const before = partOf.get(cluster);
  if (before === undefined) partOf.set(cluster, { split, index });
  return before !== undefined && before.split !== split ? before : undefined;
}
