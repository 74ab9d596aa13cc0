import { expect, test } from "vitest";
import { z } from "zod";
import type { Json } from "../../../../src/core/json.ts";
import { answerOf, type Draft, emptyDraft } from "./draft.ts";
import { fieldOf } from "./field.ts";

const jsonSchema = (schema: z.ZodType): Json => z.toJSONSchema(schema) as Json;
const filled = (schema: z.ZodType, draft: Draft) => answerOf(fieldOf(jsonSchema(schema)), draft);

const review = z.object({
  verdict: z.enum(["publish", "rewrite"]).describe("What is to become of it"),
  rating: z.number().int().min(1).max(5),
  urgent: z.boolean(),
  notes: z.array(z.string()),
  by: z.object({ name: z.string().max(40), phone: z.string().optional() }),
  after: z.nullable(z.number()),
});

test("an object becomes fields of its kinds, with their words and bounds", () => {
  const field = fieldOf(jsonSchema(review));
  expect(field).toMatchObject({
    kind: "object",
    fields: [
      [
        "verdict",
        { kind: "choice", choices: ["publish", "rewrite"], description: "What is to become of it" },
      ],
      ["rating", { kind: "number", isInteger: true, min: 1, max: 5, isOptional: false }],
      ["urgent", { kind: "truth" }],
      ["notes", { kind: "list", of: { kind: "text" } }],
      [
        "by",
        {
          kind: "object",
          fields: [
            ["name", { kind: "text", isLong: false }],
            ["phone", { isOptional: true }],
          ],
        },
      ],
      ["after", { kind: "number", isNullable: true }],
    ],
  });
});

test("what is filled in fits the schema it was made of", () => {
  const draft = {
    verdict: "1",
    rating: "4",
    urgent: true,
    notes: ["too long"],
    by: { name: "Ana", phone: "" },
    after: "",
  };
  const value = {
    verdict: "rewrite",
    rating: 4,
    urgent: true,
    notes: ["too long"],
    by: { name: "Ana" },
    after: null,
  };
  expect(filled(review, draft)).toEqual({ value });
  expect(review.safeParse(value).success).toBe(true);
});

test("what is wrong is told where it is", () => {
  const empty = emptyDraft(fieldOf(jsonSchema(review))) as { readonly [name: string]: Draft };
  expect(filled(review, empty)).toEqual({ problem: "this is needed", at: "/verdict" });
  expect(filled(review, { ...empty, verdict: "0", rating: "many" })).toEqual({
    problem: "a number is wanted",
    at: "/rating",
  });
  expect(filled(review, { ...empty, verdict: "0", rating: "1.5" })).toMatchObject({
    problem: "a whole number is wanted",
  });
});

test("presets are filled in; one choice is chosen; what is optional and untouched is left out", () => {
  const schema = z.object({
    kind: z.literal("review"),
    tone: z.enum(["dry", "warm"]).default("warm"),
    extra: z.object({ a: z.string(), b: z.number() }).optional(),
  });
  const field = fieldOf(jsonSchema(schema));
  expect(answerOf(field, emptyDraft(field))).toEqual({ value: { kind: "review", tone: "warm" } });
});

test("references are followed, and one that goes round for ever ends in JSON", () => {
  const tree: z.ZodType = z.object({
    name: z.string(),
    get below() {
      return z.array(tree);
    },
  });
  let field = fieldOf(jsonSchema(tree));
  const kinds: string[] = [];
  while (field.kind === "object" || field.kind === "list") {
    kinds.push(field.kind);
    field = field.kind === "list" ? field.of : (field.fields[1]?.[1] as typeof field);
  }
  expect(field.kind).toBe("json");
  expect(kinds.length).toBeLessThan(10);
});

test("what is no simple shape is asked for as JSON", () => {
  const union = z.union([z.string(), z.object({ a: z.number() })]);
  expect(fieldOf(jsonSchema(union)).kind).toBe("json");
  expect(filled(union, '{"a": 1}')).toEqual({ value: { a: 1 } });
  expect(filled(union, "{a")).toEqual({ problem: "this is not JSON yet", at: "" });
  for (const schema of [
    "valibot",
    null,
    true,
    { type: "object" },
    { $ref: "https://example.com/s" },
    { type: "array" },
  ])
    expect(fieldOf(schema as Json).kind).toBe("json");
});
