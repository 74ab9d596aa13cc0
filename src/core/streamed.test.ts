import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { EntryOf } from "./entries.ts";
import type { Json } from "./json.ts";
import { blocksOf, filled, hollowed } from "./streamed.ts";

const entry = (block: number, chunks: string[], kind?: "reasoning"): EntryOf<"text-streamed"> => ({
  type: "text-streamed",
  path: "/p/a:call#0",
  of: 4,
  block,
  ...(kind === undefined ? {} : { kind }),
  chunks,
  seq: 5,
  at: 0,
});

test("the texts of a call are put together from its entries, however they are mixed", () => {
  expect(
    blocksOf([entry(0, ["h"], "reasoning"), entry(1, ["a", "a"]), entry(0, ["m"]), entry(1, ["b"])]),
  ).toEqual([
    { kind: "reasoning", text: "hm" },
    { kind: "text", text: "aab" },
  ]);
});

test("a value refers to every text that is known, wherever it stands, and to no other", () => {
  const value = { parts: [{ text: "said" }, { text: "other" }], again: "said", both: "said so", empty: "" };
  const hollow = hollowed(value, [
    { text: "said", from: [[4, 0]] },
    {
      text: "said so",
      from: [
        [4, 0],
        [9, 1],
      ],
    },
    { text: "", from: [[4, 1]] },
  ]);
  expect(hollow.json).toEqual({ parts: [{ text: "" }, { text: "other" }], again: "", both: "", empty: "" });
  expect(hollow.texts.map(({ at }) => at)).toEqual([["parts", 0, "text"], ["again"], ["both"]]);
  expect(filled(hollow, (of) => (of === 4 ? "said" : " so"))).toEqual(value);
});

test("any value is whole again, whatever was known", () => {
  const texts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), texts, (json, known) => {
      const value = JSON.parse(JSON.stringify(json)) as Json; // as the journal has it
      const hollow = hollowed(
        value,
        known.map((text, block) => ({ text, from: [[4, block]] })),
      );
      expect(filled(hollow, (_, block) => known[block] ?? "")).toEqual(value);
    }),
  );
});
