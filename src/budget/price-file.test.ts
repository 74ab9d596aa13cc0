import { describe, expect, test } from "vitest";
import { type FiledPrices, priceFileText, readPriceFile, updatedPrices } from "./price-file.ts";

const yaml = `
source: our contract
date: 2026-11-01
prices:
  openai:gpt-4o:
    input: "2.50"
    output: $10
    cacheRead: "1.25"
    tiers: [{ above: 200000, output: "15", input: "5" }]
  my:llama:
    input: "0"
    output: "0.000000000001"
    source: measured
    date: "2026-10-31"
`;

const complaints = async (text: string): Promise<string> => {
  try {
    await readPriceFile(text, "prices.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};
const oneWith = (fields: string): string => `source: s
date: 2026-11-01
prices:
  a:b:
    input: "1"
    output: "2"
${fields}`;

describe("a file of prices", () => {
  test("is YAML or JSON; source and date of the file hold for prices without their own", async () => {
    const prices = await readPriceFile(yaml, "prices.yaml");
    expect(prices).toEqual({
      "openai:gpt-4o": {
        input: "$2.50",
        output: "$10",
        cacheRead: "$1.25",
        tiers: [{ above: 200_000, input: "$5", output: "$15" }],
        source: "our contract",
        date: "2026-11-01",
      },
      "my:llama": { input: "$0", output: "$0.000000000001", source: "measured", date: "2026-10-31" },
    });
    expect(await readPriceFile(priceFileText(prices), "prices.json")).toEqual(prices);
  });

  test.each([
    ["    inptu: '1'", 'line 7: prices."a:b".inptu is no field; those are input, output'],
    ["    cacheRead: 1.5", 'line 7: prices."a:b".cacheRead is 1.5; write it as a text: "1.5"'],
    ["    reasoning: '1,5'", 'line 7: prices."a:b".reasoning is "1,5", not an amount: "2.50"'],
    ["    reasoning: '-1'", 'line 7: prices."a:b".reasoning is "-1", not an amount'],
    ["    date: 2026-02-30", 'line 7: prices."a:b".date is "2026-02-30"; write a day'],
    ["    source: ''", 'line 7: prices."a:b".source is no text'],
    ["    input: '2'", "line 7: Map keys must be unique"],
    ["  nonsense: { input: '1', output: '1' }", "line 7: prices.nonsense is no model"],
    ["    tiers: { above: 5 }", 'line 7: prices."a:b".tiers is no list'],
    ["    tiers: [{ above: 0 }]", 'line 7: prices."a:b".tiers.0.above is 0; write a number of input tokens'],
    ["    tiers: [{ input: '1' }]", 'line 7: prices."a:b".tiers.0.above is undefined; write'],
    ["    tiers: [{ above: 1 }, { above: 1 }]", 'line 7: prices."a:b".tiers.1.above is 1; write'],
    ["    tiers: [{ above: 1, input: 1 }]", 'line 7: prices."a:b".tiers.0.input is 1; write it as a text'],
    ["    tiers: [{ above: 1, inptu: '1' }]", 'line 7: prices."a:b".tiers.0.inptu is no field'],
    ["    tiers: ['5']", 'line 7: prices."a:b".tiers.0 is missing, or no object'],
    ["  c:d: { output: '1' }", 'line 7: prices."c:d".input is missing'],
    ["  c:d: 5", 'line 7: prices."c:d" is missing, or no object'],
    ["  c:d: {", "line 7: "],
  ])("with %s is refused by line and field", async (fields, expected) => {
    expect(await complaints(oneWith(fields))).toContain(expected);
  });

  test("without source, date or prices is refused", async () => {
    const bare = 'prices:\n  a:b: { input: "1", output: "2" }';
    expect(await complaints(bare)).toContain('line 2: prices."a:b" has no source, and neither has the file');
    expect(await complaints(bare)).toContain('line 2: prices."a:b" has no date');
    expect(await complaints("{}")).toContain("line 1: prices is missing, or no object");
    expect(await complaints("just words")).toContain('it has no "prices"');
  });
});

test("an update replaces the models it names, and tells what it changed", () => {
  const price = { input: "$1", output: "$2", source: "s", date: "2026-01-01" } as const;
  const older: FiledPrices = { "a:kept": price, "a:cut": price, "a:same": price };
  const newer: FiledPrices = { "a:cut": { ...price, output: "$1" }, "a:new": price, "a:same": { ...price } };
  const { prices, added, changed, unchanged } = updatedPrices(older, newer);
  expect([added, changed, unchanged]).toEqual([["a:new"], ["a:cut"], 2]);
  expect(prices["a:cut"]?.output).toBe("$1");
  expect(Object.keys(JSON.parse(priceFileText(prices)).prices)).toEqual([
    "a:cut",
    "a:kept",
    "a:new",
    "a:same",
  ]);
});
