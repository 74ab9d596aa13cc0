import { describe, expect, test } from "vitest";
import { InvalidDatasetError } from "../../core/errors.ts";
import { parseDataset } from "./dataset.ts";

const read = async (name: string, text: string) => (await parseDataset(text, { name })).cases;

async function faultsOf(name: string, text: string) {
  const error: unknown = await parseDataset(text, { name }).catch((thrown: unknown) => thrown);
  if (!(error instanceof InvalidDatasetError)) throw new Error(`it was read: ${JSON.stringify(error)}`);
  return error.faults;
}

const sums = [
  { id: "a", input: "2 + 2", expected: 4, cluster: "plus", tags: ["easy"], split: "test" },
  { id: "b", input: { question: "3 × 3", unit: "m" }, expected: { value: "9" } },
];

describe("one dataset, in every format", () => {
  test("JSONL: a case a line, empty lines are nothing", async () => {
    expect(await read("d.jsonl", `\n${sums.map((one) => JSON.stringify(one)).join("\r\n\n")}\n`)).toEqual(
      sums,
    );
  });

  test("JSON: a list", async () => {
    expect(await read("d.json", JSON.stringify(sums, null, 2))).toEqual(sums);
  });

  test("YAML: a list", async () => {
    const yaml = `
- id: a
  input: 2 + 2
  expected: 4
  cluster: plus
  tags: [easy]
  split: test
- id: b
  input: { question: 3 × 3, unit: m }
  expected:
    value: "9"
`;
    expect(await read("d.yml", yaml)).toEqual(sums);
  });

  test("CSV: dotted columns are fields, :json columns hold JSON, a cell may have lines", async () => {
    const csv = [
      "\uFEFFid,input,expected:json,cluster,tags,split",
      'a,"2\n+ ""2""",4,plus,"easy; short",test',
      "b,,,,,",
    ].join("\r\n");
    expect(await read("d.csv", csv)).toEqual([
      { ...sums[0], input: '2\n+ "2"', tags: ["easy", "short"] },
      { id: "b", input: "" },
    ]);
    const nested = "id,input.question,input.unit,expected.value\nb,3 × 3,m,9\n";
    expect(await read("d.csv", nested)).toEqual([sums[1]]);
  });

  test("an id that is a number is its text; without one the content makes it, and the order of fields does not", async () => {
    const [seven] = await read("d.jsonl", '{"id": 7, "input": 1}');
    expect(seven?.id).toBe("7");
    const [first] = await read("d.jsonl", '{"input": {"a": 1, "b": 2}, "expected": 3}');
    const [second] = await read("d.jsonl", '{"expected": 3, "input": {"b": 2, "a": 1}}');
    const [third] = await read("d.jsonl", '{"input": {"a": 1, "b": 2}, "expected": 4}');
    expect(first?.id).toMatch(/^[0-9a-f]{12}$/);
    expect(second?.id).toBe(first?.id);
    expect(third?.id).not.toBe(first?.id);
  });

  test("a column or field named __proto__ stays a field, and touches no prototype", async () => {
    const [one] = await read("d.csv", "input.__proto__,input.a\nx,y\n");
    expect(Object.keys(one?.input as object)).toEqual(["__proto__", "a"]);
    expect(({} as { a?: string }).a).toBeUndefined();
  });
});

describe("every fault is told at once, with its line", () => {
  test("of JSONL", async () => {
    const text = [
      '{"id": "a", "input": 1}',
      "{oops",
      '{"id": "a", "input": 2, "excepted": 3}',
      "[1]",
      "",
      '{"id": "", "tags": "easy", "split": "dev"}',
      '{"id": "a", "input": 2}',
    ];
    expect(await faultsOf("d.jsonl", text.join("\n"))).toEqual([
      { line: 2, what: expect.stringContaining("not JSON") },
      { line: 3, what: expect.stringContaining('no field "excepted"; it has id, input, expected') },
      { line: 4, what: "a case is an object with an input, not a list" },
      { line: 6, what: "the input is missing" },
      { line: 6, what: expect.stringMatching(/^id is a text/) },
      { line: 6, what: "tags are a list of texts, none of them empty" },
      { line: 6, what: 'split is train, validation, test, not "dev"' },
      { line: 7, what: 'the id "a" is taken by line 1' },
    ]);
  });

  test("of JSON and YAML, at the field itself", async () => {
    const json = '[\n  { "id": "a",\n    "input": 1,\n    "split": "dev" },\n  { "id": "a", "input": 2 }\n]';
    expect((await faultsOf("d.json", json)).map(({ line }) => line)).toEqual([4]);
    const both = json.replace('"dev"', '"test"');
    expect((await faultsOf("d.json", both)).map(({ line }) => line)).toEqual([5]);
    expect(await faultsOf("d.json", "[\n  1,\n")).toEqual([{ line: 3, what: expect.any(String) }]);
    expect(await faultsOf("d.json", "- input: 1")).toEqual([
      { line: 1, what: expect.stringContaining("not JSON") },
    ]);
    const yaml = "- input: 1\n- id: b\n  inputs: 2\n";
    expect((await faultsOf("d.yaml", yaml)).map(({ line }) => line)).toEqual([2, 3]);
    expect(await faultsOf("d.yaml", "cases: []")).toEqual([{ line: 1, what: "it is not a list of cases" }]);
  });

  test("of CSV, also after cells of several lines", async () => {
    const csv = 'id,input,expected:json\na,"x\ny",1\nb,z,{oops\nc,z\n';
    expect(await faultsOf("d.csv", csv)).toEqual([
      { line: 4, what: expect.stringContaining("expected:json is not JSON") },
      { line: 5, what: "it has 2 cells, and the first line 3" },
    ]);
    expect(await faultsOf("d.csv", 'input\n"never closed\n')).toEqual([
      { line: expect.any(Number), what: expect.stringMatching(/quote/i) },
    ]);
  });

  test("no case, the same case twice, a format nobody knows", async () => {
    expect(await faultsOf("d.jsonl", "\n")).toEqual([{ what: "there is no case in it" }]);
    expect(await faultsOf("d.csv", "id,input\n")).toEqual([{ what: "there is no case in it" }]);
    expect(await faultsOf("d.jsonl", '{"input": 1}\n{"input": 1}')).toEqual([
      { line: 2, what: "it is the case of line 1 again; give both an id if that is meant" },
    ]);
    expect(await faultsOf("d.txt", "x")).toEqual([{ what: "the end of its name says no format" }]);
  });

  test("a cluster on both sides of a split", async () => {
    const lines = ["train", "train", "test"].map((split, id) =>
      JSON.stringify({ id, input: id, cluster: "c", split }),
    );
    expect(await faultsOf("d.jsonl", lines.join("\n"))).toEqual([
      { line: 3, what: expect.stringContaining('"c" is in the split test here and in train on line 1') },
    ]);
  });

  test("of a thousand faults the message tells twenty, and says that there are more", async () => {
    const text = Array.from({ length: 1_000 }, (_, id) => JSON.stringify({ id })).join("\n");
    await expect(parseDataset(text, { name: "d.jsonl" })).rejects.toThrow(/line 20: .*\n {2}and 980 more$/);
  });
});
