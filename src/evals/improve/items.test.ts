import { describe, expect, test } from "vitest";
import { chance } from "../../testing/chance.ts";
import { afterDeltas, itemsOf, mergedText, numbered, readDeltas } from "./items.ts";

describe("a text as items", () => {
  test("is its sentences and lines, and all of them are the text", () => {
    expect(itemsOf("Be kind. Ask e.g. twice!\n- v1.5 of it\n\nEnd")).toEqual([
      "Be kind. ",
      "Ask e.g. ",
      "twice!\n",
      "- v1.5 of it\n\n",
      "End",
    ]);
    const random = chance(1);
    for (let i = 0; i < 500; i += 1) {
      const text = Array.from({ length: random.whole(0, 40) }, () => random.pick([..." .!?\n\tab1-"])).join(
        "",
      );
      expect(itemsOf(text).join("")).toBe(text);
    }
  });

  test("is shown with numbers, and changed by them", () => {
    const text = "Be kind. Be brief.\n- Name the town.";
    expect(numbered(text)).toBe("1. Be kind.\n2. Be brief.\n3. - Name the town.");
    const deltas = readDeltas([
      { op: "edit", item: 2, text: "Be very brief." },
      { op: "remove", item: 3 },
      { op: "add", text: "Name the river." },
    ]);
    expect(afterDeltas(text, deltas ?? [])).toBe("Be kind. Be very brief.\nName the river.");
    expect(afterDeltas(text, [{ op: "remove", item: 4 }])).toBeUndefined();
  });

  test.for([
    [null],
    [[]],
    [[{ op: "add" }]],
    [[{ op: "edit", item: 0, text: "x" }]],
    [[{ op: "drop", item: 1 }]],
    ["remove 1"],
  ])("takes %j for no deltas", ([json]) => {
    expect(readDeltas(json as never)).toBeUndefined();
  });
});

describe("two texts that were one", () => {
  test("keep what both have learned", () => {
    const base = "Be kind. Be long.";
    expect(mergedText(base, `${base}\n- Shout.`, `${base}\n- Name the town.`)).toBe(
      "Be kind. Be long.\n- Shout.\n- Name the town.",
    );
    expect(mergedText(base, "Be kind.", `${base}\n- Shout.`)).toBe("Be kind.\n- Shout.");
  });

  test("clash where both have put something else in the place of one sentence", () => {
    expect(mergedText("Be kind. Be long.", "Be kind. Be brief.", "Be kind. Be quick.")).toBeUndefined();
  });
});
