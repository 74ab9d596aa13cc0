import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Case } from "./case.ts";
import { parseDataset } from "./dataset.ts";
import { splitOf } from "./split.ts";

const cases = fc.uniqueArray(
  fc.record(
    {
      id: fc.string({ minLength: 1, maxLength: 8 }),
      input: fc.nat(),
      cluster: fc.constantFrom("a", "b", "c", "d"),
    },
    { requiredKeys: ["id", "input"] },
  ),
  { selector: ({ id }) => id, minLength: 1, maxLength: 30 },
);

async function splitsOf(list: readonly Case[]): Promise<ReadonlyMap<string, string>> {
  const text = list.map((one) => JSON.stringify(one)).join("\n");
  const dataset = await parseDataset(text, { name: "d.jsonl" });
  return new Map(dataset.cases.map((one) => [one.id, splitOf(one)]));
}

describe("the split of a case", () => {
  test("stays when cases are added, removed or put in another order", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async (all, cut) => {
        const few = all.slice(0, 1 + (cut % all.length)).reverse();
        const [before, after] = [await splitsOf(few), await splitsOf(all)];
        for (const [id, split] of before) expect(after.get(id)).toBe(split);
      }),
    );
  });

  test("is that of its cluster", () => {
    fc.assert(
      fc.property(cases, (all) => {
        const bySplit = new Map<string, Set<string>>();
        for (const one of all) {
          if (one.cluster === undefined) continue;
          const seen = bySplit.get(one.cluster) ?? new Set();
          bySplit.set(one.cluster, seen.add(splitOf(one)));
        }
        for (const seen of bySplit.values()) expect(seen.size).toBe(1);
      }),
    );
  });

  test("is what the case says, when it says one", () => {
    expect(splitOf({ id: "a", input: 1, split: "validation" })).toBe("validation");
  });

  test("comes out near its share, over many", () => {
    const shares = { train: 0.5, validation: 0.3, test: 0.2 };
    const counts = { train: 0, validation: 0, test: 0 };
    for (let id = 0; id < 10_000; id += 1) counts[splitOf({ id: `${id}`, input: 0 }, shares)] += 1;
    // Three standard errors of 10,000 draws are 0.015.
    for (const split of ["train", "validation", "test"] as const) {
      expect(Math.abs(counts[split] / 10_000 - shares[split])).toBeLessThan(0.015);
    }
  });

  test("takes shares that are 1 together", () => {
    const one = { id: "a", input: 1 };
    expect(() => splitOf(one, { train: 1, validation: 1, test: -1 })).toThrow(InvalidOptionError);
    expect(() => splitOf(one, { train: 0.5, validation: 0, test: 0.4 })).toThrow(InvalidOptionError);
    expect(splitOf(one, { train: 0, validation: 0, test: 1 })).toBe("test");
  });
});
