/** What of the API is differences: of values, and of two runs. */
import Type, { type TSchema } from "typebox";
import { AnyJson, closed, Money, named, orNull, RunId, Spent } from "./schemas.ts";

const both = <T extends TSchema>(schema: T) => Type.Optional(Type.Object({ a: schema, b: schema }, closed));
const texts = Type.Array(Type.String({ description: "A line, with `-`, `+` or a space before it." }));

export const ValueChange = Type.Object(
  {
    op: Type.Enum(["add", "replace", "remove"]),
    path: Type.String({ description: "A JSON Pointer into either value; empty for the whole." }),
    before: Type.Optional(AnyJson),
    after: Type.Optional(AnyJson),
    lines: Type.Optional(texts),
  },
  closed,
);

const RunBrief = Type.Object(
  {
    runId: RunId,
    pipeline: Type.String(),
    fingerprint: Type.String(),
    status: Type.String(),
    durationMs: Type.Number(),
    spent: Spent,
  },
  closed,
);

const OperationDiff = named(
  "OperationDiff",
  Type.Object(
    {
      path: Type.String(),
      kind: Type.String(),
      only: Type.Optional(Type.Enum(["a", "b"])),
      status: both(Type.String()),
      attempts: both(Type.Integer()),
      model: both(orNull(Type.String())),
      input: Type.Optional(Type.Array(ValueChange)),
      output: Type.Optional(Type.Array(ValueChange)),
      error: both(orNull(Type.String())),
      messages: Type.Optional(texts),
      costUsd: both(Money),
      durationMs: Type.Object({ a: orNull(Type.Number()), b: orNull(Type.Number()) }, closed),
    },
    closed,
  ),
);

export const RunDiff = named(
  "RunDiff",
  Type.Object(
    {
      a: RunBrief,
      b: RunBrief,
      input: Type.Array(ValueChange),
      output: Type.Array(ValueChange),
      same: Type.Integer({ description: "Operations that are the same in both, times aside." }),
      operations: Type.Array(OperationDiff),
    },
    closed,
  ),
);
