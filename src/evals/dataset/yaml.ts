import { isMap, isNode, isSeq, LineCounter, parseDocument } from "yaml";
import type { Json } from "../../core/json.ts";
import type { Read } from "./record.ts";

/** A list of cases, in JSON. It is read as JSON, and looked at as YAML only to say where something is wrong. */
export function readJson(text: string): Read {
  try {
    return listed(JSON.parse(text) as Json, text); // what JSON.parse makes is JSON
  } catch (error) {
    const read = readYaml(text);
    if (read.faults.length > 0) return read;
    return {
      ...read,
      records: [],
      faults: [{ line: 1, what: `it is not JSON: ${(error as Error).message}` }],
    };
  }
}

/** A list of cases, in YAML. */
export function readYaml(text: string): Read {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    what: error.message,
  }));
  if (faults.length > 0) return { records: [], faults, lineOf: () => 1 };
  return listed(document.toJS({ maxAliasCount: 100 }), text);
}

function listed(value: unknown, text: string): Read {
  const lineOf = linesOf(text);
  if (!Array.isArray(value)) {
    return { records: [], faults: [{ line: 1, what: "it is not a list of cases" }], lineOf };
  }
  return { records: value.map(asJson), faults: [], lineOf };
}

/** YAML knows values that JSON does not: not-a-number, and dates in some schemas. They are told apart by the round trip. */
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null));

/** Where records and their fields stand; the text is parsed for it when somebody asks. */
function linesOf(text: string): Read["lineOf"] {
  let find: Read["lineOf"] | undefined;
  return (index, field) => {
    find ??= finder(text);
    return find(index, field);
  };
}

function finder(text: string): Read["lineOf"] {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const items = isSeq(contents) ? contents.items : [];
  const at = (node: unknown): number | undefined =>
    isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  return (index, field) => {
    const item = items[index];
    const pair = isMap(item)
      ? item.items.find(({ key }) => isNode(key) && key.toJSON() === field)
      : undefined;
    return at(pair?.key) ?? at(item) ?? 1;
  };
}
