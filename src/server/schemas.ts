/**
 * What goes over the wire, as JSON Schemas: what those are made of; the schemas of one thought stand in a file of their own
 * beside this one. The types in `lens/` are their other half: a test holds them together.
 */
import Type, { type TSchema } from "typebox";
import type { Json } from "../core/json.ts";

/** A schema with a name, under which the OpenAPI document lists it. */
export const named = <T extends TSchema>(title: string, schema: T): T => ({ ...schema, title });
export const closed = { additionalProperties: false };

export const AnyJson = Type.Unsafe<Json>({});
export const date = Type.String({ format: "date-time" });
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const count = Type.Integer({ minimum: 0 });

export const RunId = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$" });
export const RunPath = Type.String({ minLength: 1, maxLength: 4_000 });
export const Status = named(
  "RunStatus",
  Type.Enum(["running", "completed", "failed", "halted", "waiting", "cancelled"]),
);

export const Money = Type.String({
  pattern: "^-?\\d+(\\.\\d{1,12})?$",
  description: "US dollars, an exact decimal of up to 12 places, without the sign.",
});

export const Spent = named(
  "Spent",
  Type.Object(
    {
      costUsd: Money,
      inputTokens: Type.Integer(),
      outputTokens: Type.Integer(),
      calls: count,
      toolCalls: Type.Optional(count),
    },
    closed,
  ),
);

export const ErrorRecord = named(
  "Error",
  Type.Object(
    {
      code: Type.String(),
      message: Type.String(),
      retryable: Type.Boolean(),
      path: Type.Optional(Type.String()),
      hint: Type.Optional(Type.String()),
      details: Type.Optional(AnyJson),
    },
    closed,
  ),
);

/** The body of every answer that is an error. */
export const Letter = named(
  "Letter",
  Type.Object(
    {
      error: Type.Object(
        {
          code: Type.String(),
          message: Type.String({ description: "What happened, and where." }),
          hint: Type.Optional(Type.String({ description: "What to do next." })),
          runId: Type.Optional(Type.String()),
          path: Type.Optional(Type.String()),
          retryable: Type.Boolean({ description: "Whether the same request may succeed later." }),
        },
        closed,
      ),
    },
    closed,
  ),
);
