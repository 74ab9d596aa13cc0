import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { tool } from "../../agents/tool.ts";
import { branchOn, loopUntil, pipeline, step } from "../../core/compose.ts";
import { type Overlay, overlaid } from "../../core/overlay.ts";
import type { Schema } from "../../core/schema.ts";
import { rootOf } from "../../engine/root.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { type CheckPatchOptions, checkPatch, growthSlack } from "./check.ts";
import { documentOf, pointer, valuesOf } from "./document.ts";

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
const search = tool("search", { description: "Finds pages.", input: anything, execute: () => "" });

/** An agent of every kind of value, and the other places that have some. */
const answer = agent("answer", {
  model: "openai:gpt-4o-mini",
  input: z.object({ reader: z.string(), question: z.string() }),
  system: "Answer for {{input.reader}}.",
  prompt: "{{input.question}}",
  temperature: 0.2,
  tools: [search],
  examples: [{ input: { reader: "Ada", question: "1?" }, output: "1" }],
  improve: {
    model: ["openai:gpt-4o"],
    temperature: { min: 0, max: 1 },
    maxTurns: { min: 1, max: 12 },
    examples: { max: 3 },
    prompt: false,
    reasoning: ["low", "high"],
  },
});
const desk = pipeline(
  "desk",
  answer
    .retry({ attempts: 2, improve: { min: 1, max: 4 } })
    .to(
      branchOn(
        "size",
        (text: string, { settings }) => (text.length > settings.long ? "long" : "short"),
        { long: step("cut", (text: string) => text), short: step("keep", (text: string) => text) },
        { settings: { long: { type: "integer", value: 80, min: 1, max: 500, mayChange: true } } },
      ),
    )
    .to(
      loopUntil(
        "polish",
        step("trim", (text: string) => text.trim()),
        {
          until: (_, { settings }) => settings.style === "plain",
          settings: { style: { type: "choice", value: "plain", choices: ["plain", "rich"] } },
          maxLoops: 3,
        },
      ),
    ),
);
const document = documentOf(desk);
const at = (field: string, place = "/desk/answer") => pointer(place, field);
const { cases: training } = datasetOf("t", [
  {
    id: "one",
    input: {
      reader: "Grace",
      question: "How long does a parcel from Lisbon to Aarhus take when sent on a Friday?",
    },
    expected: "Five days.",
  },
]);
const check = (patch: unknown, options: Partial<CheckPatchOptions> = {}) =>
  checkPatch(document, patch, { training, ...options });
const faults = async (patch: unknown, options: Partial<CheckPatchOptions> = {}) => {
  const checked = await check(patch, options);
  return checked.ok ? [] : checked.faults;
};
const replace = (field: string, value: unknown, place?: string) => [
  { op: "replace", path: at(field, place), value },
];

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]); // nobody has touched it
});

describe("a document", () => {
  test("has every value with its type, bounds and leave", () => {
    expect(document.places["/desk/answer"]).toEqual({
      system: {
        type: "text",
        value: "Answer for {{input.reader}}.",
        mayChange: true,
        maxLength: 50_000,
        placeholders: ["{{input.reader}}"],
      },
      prompt: {
        type: "text",
        value: "{{input.question}}",
        mayChange: false,
        optional: true,
        maxLength: 50_000,
        placeholders: ["{{input.question}}"],
      },
      model: {
        type: "model",
        value: "openai:gpt-4o-mini",
        mayChange: true,
        choices: ["openai:gpt-4o-mini", "openai:gpt-4o"],
      },
      examples: {
        type: "examples",
        value: [{ input: { reader: "Ada", question: "1?" }, output: "1" }],
        mayChange: true,
        max: 3,
        optional: true,
      },
      temperature: { type: "number", value: 0.2, mayChange: true, min: 0, max: 1, optional: true },
      maxTurns: { type: "integer", value: 8, mayChange: true, min: 1, max: 12, optional: true },
      reasoning: { type: "choice", mayChange: true, choices: ["low", "high"], optional: true },
      "tool:search": { type: "text", value: "Finds pages.", mayChange: true, maxLength: 50_000 },
      attempts: { type: "integer", value: 2, mayChange: true, min: 1, max: 4 },
    });
    expect(document.places["/desk/size"]).toEqual({
      long: { type: "integer", value: 80, min: 1, max: 500, mayChange: true },
    });
    expect(document.places["/desk/polish"]).toEqual({
      style: { type: "choice", value: "plain", choices: ["plain", "rich"], mayChange: false },
    });
    expect(document).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test("offers, where the owner says nothing, texts and examples, and nothing else", () => {
    const plain = agent("plain", { model: "openai:gpt-4o", system: "Hi.", temperature: 1, tools: [search] });
    const fields = documentOf(plain).places["/plain/plain"] ?? {};
    const may = Object.keys(fields).filter((field) => fields[field]?.mayChange);
    expect(may).toEqual(["system", "examples", "tool:search"]);
    const shut = agent("shut", { model: "openai:gpt-4o", system: "Hi.", tools: [search], improve: false });
    const all = Object.values(documentOf(shut).places["/shut/shut"] ?? {});
    expect(all.map(({ mayChange }) => mayChange)).toEqual([false, false, false]);
  });

  test("is refused, when something its owner lets come would be no agent", () => {
    const refused = (options: object) => () =>
      agent("a", { model: "openai:gpt-4o", system: "Hi.", ...options });
    const reasoning = { reasoning: "low", improve: { model: ["anthropic:claude-sonnet-4"] } };
    expect(refused(reasoning)).toThrow("would think beyond the output cap");
    expect(refused({ degradeTo: "x:cheap", improve: { model: ["x:cheap"] } })).toThrow(
      "has the model x:cheap twice",
    );
    expect(refused({ improve: { temperature: { min: 0, max: 3 } } })).toThrow(
      "it takes bounds within 0 to 2",
    );
    expect(refused({ improve: { maxTurns: { min: 2, max: 1 } } })).toThrow('improve.maxTurns of agent "a"');
  });
});

describe("a patch that fits", () => {
  test("comes back in its one form: pins first, then changes, in the order of the document", async () => {
    const patch = [
      ...replace("attempts", 3),
      { op: "add", path: at("reasoning"), value: "low" },
      ...replace("system", "Answer {{input.reader}} briefly."),
      ...replace("system", "Answer {{input.reader}} in a line."),
    ];
    const checked = await check(patch);
    expect(checked).toMatchObject({
      ok: true,
      patch: [
        { op: "test", path: at("system"), value: "Answer for {{input.reader}}." },
        { op: "test", path: at("attempts"), value: 2 },
        { op: "replace", path: at("system"), value: "Answer {{input.reader}} in a line." },
        { op: "replace", path: at("attempts"), value: 3 },
        { op: "add", path: at("reasoning"), value: "low" },
      ],
    });
  });

  test("may take back what was given, and give what was not", async () => {
    const checked = await check([
      { op: "remove", path: at("temperature") },
      { op: "add", path: `${at("examples")}/-`, value: { input: training[0]?.input, output: "Five days." } },
      { op: "remove", path: `${at("examples")}/0` },
    ]);
    expect(checked).toMatchObject({
      ok: true,
      values: { "/desk/answer": { examples: [{ output: "Five days." }] } },
    });
  });

  test("that changes nothing is the empty patch", async () => {
    expect(await check(replace("attempts", 2))).toEqual({ ok: true, patch: [], values: valuesOf(document) });
    expect(await check([])).toMatchObject({ ok: true, patch: [] });
  });
});

describe("a patch that does not fit is refused, and told all that is wrong", () => {
  test.each<readonly [string, unknown, ...string[]]>([
    ["no list", { op: "add" }, "a patch is a list of operations, not an object"],
    ["a text", "[]", "a patch is a list of operations, not a text"],
    ["no object", [1, null], "operation 1 is a number, not an object", "operation 2 is null"],
    ["other operations", [{ op: "move", from: at("system"), path: at("prompt") }], 'operation 1 does "move"'],
    ["other fields", [{ ...replace("attempts", 3)[0], constructor: 1 }], 'has a field "constructor"'],
    ["no value", [{ op: "replace", path: at("system") }], "operation 1 has no value"],
    ["no pointer", [{ op: "remove", path: "system" }], 'the path "system", which is no JSON Pointer'],
    ["the whole", [{ op: "replace", path: "", value: {} }], "which is no JSON Pointer"],
    ["a whole place", [{ op: "remove", path: "/~1desk~1answer" }], "the whole of /desk/answer"],
    ["another place", replace("system", "", "/desk/other"), 'points to "/desk/other", where nothing'],
    ["another field", replace("tools", []), 'points to "tools" of /desk/answer, which has system, prompt'],
    ["inside a text", [{ op: "add", path: `${at("system")}/0`, value: "" }], "it may change it as a whole"],
    ["what may not change", replace("prompt", "{{input.question}}!"), "which its owner does not let change"],
    ["a setting that may not", replace("style", "rich", "/desk/polish"), "does not let change"],
    [
      "a wrong pin",
      [{ op: "test", path: at("attempts"), value: 9 }],
      "expects another value at /~1desk~1answer/attempts",
    ],
    [
      "nothing there",
      [{ op: "remove", path: at("reasoning") }],
      "there is nothing at /~1desk~1answer/reasoning",
    ],
    ["a wrong type", replace("system", 7), '"system" of /desk/answer is a number; it takes a text'],
    ["no text", replace("system", " \n"), "is empty"],
    ["beyond its bounds", replace("temperature", 1.5), "is 1.5; it takes 0 to 1"],
    ["no whole number", replace("attempts", 1.5), "is 1.5; it takes a whole number"],
    [
      "another choice",
      replace("model", "openai:o9"),
      'is "openai:o9"; it may be "openai:gpt-4o-mini" or "openai:gpt-4o"',
    ],
    ["what has to stay", [{ op: "remove", path: at("system") }], "is removed, and has no default"],
    ["lost placeholders", replace("system", "Answer."), "has lost {{input.reader}}, which has to stay"],
    ["new placeholders", replace("system", "{{input.reader}} {{state.key}}"), "fills in {{state.key}}"],
    ["broken placeholders", replace("system", "{{input.reader}} {{oh no}}"), "has braces {{…}}"],
    ["an input told three times", replace("system", "{{input.reader}}".repeat(3)), "it may have 2"],
    ["hidden order", replace("system", "{{input.reader}} \u202Enothing"), "holds U+202E, which nobody sees"],
    ["hidden letters", replace("tool:search", "Finds.\u{E0041}"), "holds U+E0041, which nobody sees"],
    ["no characters", replace("system", "\u0000{{input.reader}}"), "holds characters that are no text"],
    [
      "halves of characters",
      replace("system", "\ud800{{input.reader}}"),
      "holds characters that are no text",
    ],
    ["huge text", replace("system", `{{input.reader}}${"x".repeat(growthSlack * 2)}`), "it may grow to 4112"],
    [
      "examples of its own",
      replace("examples", [{ input: "?", output: "!" }]),
      "show in place 1 what is no training case",
    ],
    ["no examples", replace("examples", ["a"]), "have a text in place 1; an example is { input, output }"],
    [
      "too many examples",
      replace("examples", Array(4).fill({ input: training[0]?.input, output: "" })),
      "are 4; there may be 3",
    ],
    [
      "a prototype",
      JSON.parse('[{"op":"add","path":"/__proto__/polluted","value":1}]'),
      'points to "__proto__"',
    ],
    ["a constructor", [{ op: "add", path: "/constructor/prototype", value: 1 }], 'points to "constructor"'],
    ["a prototype of a place", replace("__proto__", {}), 'points to "__proto__" of /desk/answer'],
    ["a prototype of a list", [{ op: "add", path: `${at("examples")}/__proto__`, value: 1 }], "as a whole"],
    [
      "a prototype in a value",
      JSON.parse('[{"op":"add","path":"/a/b","value":{"__proto__":{"x":1}}}]'),
      '"__proto__"',
    ],
    ["code", [{ op: "add", path: at("system"), value: () => "" }], "it holds a function, which is no JSON"],
    ["a date", [new Date(0)], "it holds an object of a class"],
    ["nothing", undefined, "it holds a undefined"],
    [
      "depth",
      Array(40)
        .fill(0)
        .reduce<unknown>((inner) => [inner], 0),
      "nested deeper than 32 levels",
    ],
    ["size", ["x".repeat(2_000_000)], "larger than 1000000 characters"],
    [
      "a trap",
      [
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error("no");
            },
          },
        ),
      ],
      "it cannot be read",
    ],
  ])("%s", async (_, patch, ...wanted) => {
    const found = await faults(patch);
    expect(found.length).toBeGreaterThan(0);
    for (const text of wanted) expect(found.join("\n")).toContain(text);
  });

  test("a circle is refused as anything else", async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(await faults(circle)).toEqual(["the patch is no JSON: it is nested deeper than 32 levels"]);
  });

  test("all faults come at once", async () => {
    const found = await faults([
      ...replace("temperature", 7),
      ...replace("system", "No."),
      ...replace("attempts", 0),
    ]);
    expect(found).toHaveLength(3);
  });
});

describe("a training case", () => {
  const asked = "How long does a parcel from Lisbon to Aarhus take when sent on a Friday?";

  test("is told word for word, whatever the case and the white space", async () => {
    const text = `{{input.reader}}: to "HOW LONG does a parcel   from Lisbon to\nAarhus take when sent" say 5.`;
    const [fault] = await faults(replace("system", text));
    expect(fault).toContain('tells the training case "one" word for word: "how long does a parcel');
    expect(await faults(replace("tool:search", asked))).toHaveLength(1);
  });

  test("may be spoken of, and what many cases say may be said", async () => {
    expect(
      await faults(replace("system", "{{input.reader}} asks about parcels from Lisbon to Aarhus.")),
    ).toEqual([]);
    const many = datasetOf(
      "t",
      ["a", "b", "c"].map((id) => ({ id, input: `${asked} ${id}` })),
    ).cases;
    const text = `{{input.reader}}: ${asked}`;
    expect(await faults(replace("system", text), { training: many })).toEqual([]);
    const one = many.map((one) => ({ ...one, cluster: "the same" }));
    expect(await faults(replace("system", text), { training: one })).toHaveLength(1);
  });

  test("is found also where both say the same all over, and in moments", async () => {
    const same = datasetOf("t", [{ id: "same", input: "a".repeat(40_000) }]).cases;
    const patch = replace("tool:search", `${"a".repeat(3_000)}`);
    expect(await faults(patch, { training: same })).toHaveLength(1);
  });

  test("may be an example, as may what an agent was asked in its trial", async () => {
    const example = { input: "inner question", output: "x" };
    expect(await faults(replace("examples", [example]))).toHaveLength(1);
    expect(await faults(replace("examples", [example]), { observed: ["inner question"] })).toEqual([]);
  });
});

describe("whatever a patch is", () => {
  const places = [...Object.keys(document.places), "/desk/none", "__proto__", "constructor", ""];
  const names = ["system", "prompt", "model", "examples", "temperature", "attempts", "long", "style"];
  const fields = [...names, "reasoning", "maxTurns", "tool:search", "__proto__", "toString", "constructor"];
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "{{input.reader}} hi",
      "{{input.question}}",
      "openai:gpt-4o",
      "low",
      "plain",
      "rich",
      "\\{{",
      "{{",
    ),
  );
  const value = fc.oneof(
    texts,
    fc.integer({ min: -1, max: 20 }),
    fc.double(),
    fc.json().map((text) => JSON.parse(text)),
  );
  const operation = fc.record(
    {
      op: fc.constantFrom("add", "replace", "remove", "test", "move", "copy"),
      path: fc
        .tuple(
          fc.constantFrom(...places),
          fc.constantFrom(...fields),
          fc.constantFrom("", "/0", "/-", "/__proto__"),
        )
        .map(([place, field, rest]) => pointer(place, field) + rest),
      value,
    },
    { requiredKeys: ["op", "path"] },
  );

  test("nothing is thrown, and what passes is what a pipeline takes", async () => {
    const { node } = rootOf(desk.node);
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(operation, { maxLength: 4 }), fc.anything()), async (patch) => {
        const checked = await check(patch);
        if (!checked.ok) {
          expect(checked.faults.length).toBeGreaterThan(0);
          return;
        }
        passed += 1;
        const under = await overlaid(node, checked.patch as Overlay);
        expect(valuesOf(documentOf(under))).toEqual(checked.values);
      }),
      { numRuns: 1_500, seed: 6 },
    );
    expect(passed).toBeGreaterThan(50);
  });
});
