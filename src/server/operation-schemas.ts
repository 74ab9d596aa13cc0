/** What of the API is the operations of a run: listed, one in full, as a tree; and how they changed its state. */
import Type from "typebox";
import { AnyJson, closed, count, date, ErrorRecord, Money, named, orNull, Spent } from "./schemas.ts";

const FailedAttempt = Type.Object(
  { attempt: Type.Integer(), at: date, durationMs: Type.Number(), error: ErrorRecord },
  closed,
);

const operationFields = {
  path: Type.String(),
  kind: Type.String(),
  status: Type.Enum(["running", "completed", "failed", "waiting", "stopped"]),
  attempts: Type.Integer(),
  startedAt: orNull(date),
  durationMs: orNull(Type.Number()),
  error: orNull(ErrorRecord),
  spent: Spent,
  cached: Type.Optional(Type.Literal(true)),
  model: Type.Optional(Type.String()),
  failures: Type.Optional(Type.Array(FailedAttempt)),
  notes: Type.Optional(Type.Array(Type.String())),
};

const StateChange = Type.Object(
  {
    op: Type.Enum(["add", "replace", "remove"]),
    path: Type.String({ description: "A JSON Pointer." }),
    value: Type.Optional(AnyJson),
  },
  closed,
);

const Call = Type.Object(
  {
    seq: count,
    model: Type.String(),
    kind: Type.String(),
    at: date,
    tookMs: orNull(Type.Number()),
    standing: Type.Enum(["held", "settled", "in-doubt", "released"]),
    reserved: Spent,
    spent: Spent,
    accounts: Type.Optional(Type.Array(Type.String())),
  },
  closed,
);

const Message = Type.Object(
  {
    direction: Type.Enum(["to", "from"]),
    role: Type.Enum(["system", "user", "assistant", "tool"]),
    kind: Type.Optional(Type.Enum(["reasoning", "tool-call", "tool-result"])),
    tool: Type.Optional(Type.String()),
    failed: Type.Optional(Type.Literal(true)),
    text: Type.String(),
  },
  closed,
);

export const StateStory = named(
  "StateStory",
  Type.Object(
    {
      first: AnyJson,
      total: count,
      from: count,
      steps: Type.Array(
        Type.Object({ seq: count, at: date, path: Type.String(), changes: Type.Array(StateChange) }, closed),
      ),
    },
    closed,
  ),
);

export const OperationLine = named("OperationLine", Type.Object(operationFields, closed));

const detailFields = {
  ...operationFields,
  input: AnyJson,
  output: AnyJson,
  partial: Type.Optional(Type.String()),
  state: Type.Optional(Type.Array(StateChange, { description: "What it changed in the run's state." })),
  calls: Type.Optional(Type.Array(Call, { description: "What was paid or held for, for it alone." })),
  messages: Type.Optional(
    Type.Array(Message, {
      description: "What its model was sent that was new to it, and what it answered.",
    }),
  ),
};

export const Operation = named("Operation", Type.Object(detailFields, closed));

const TracedOperation = named(
  "TracedOperation",
  Type.Object(
    {
      ...detailFields,
      depth: Type.Integer({ description: "How many operations are around it." }),
      name: Type.String({ description: "Its path without that of the operation around it." }),
      afterMs: orNull(Type.Number({ description: "From the run's beginning to its own." })),
    },
    closed,
  ),
);

export const TracePage = named(
  "TracePage",
  Type.Object(
    {
      operations: Type.Array(TracedOperation, {
        description: "Outer ones first, in the order they began: depth first.",
      }),
      total: count,
      next: orNull(Type.Integer({ description: "The `from` of the next page; null on the last one." })),
    },
    closed,
  ),
);

export const OperationPage = named(
  "OperationPage",
  Type.Object(
    {
      operations: Type.Array(OperationLine),
      total: count,
      next: orNull(Type.Integer({ description: "The `from` of the next page; null on the last one." })),
    },
    closed,
  ),
);

const milliseconds = Type.Number({ description: "Milliseconds since 1970." });

const TreeRow = named(
  "TreeRow",
  Type.Object(
    {
      path: Type.String(),
      name: Type.String({ description: "The last part of the path." }),
      kind: Type.String(),
      status: Type.Enum(["running", "completed", "failed", "waiting", "stopped"]),
      attempts: Type.Integer(),
      began: milliseconds,
      ended: milliseconds,
      costUsd: Money,
      tokens: Type.Integer(),
      model: Type.Optional(Type.String()),
      cached: Type.Optional(Type.Literal(true)),
      children: Type.Integer({ description: "Rows right below it." }),
    },
    closed,
  ),
);

export const TreePage = named(
  "TreePage",
  Type.Object({ within: Type.String(), total: count, from: count, rows: Type.Array(TreeRow) }, closed),
);

export const Tree = named(
  "Tree",
  Type.Object(
    {
      next: Type.Integer({ description: "The number that the run's next event will have." }),
      began: milliseconds,
      ended: milliseconds,
      pauses: Type.Array(Type.Object({ from: milliseconds, to: milliseconds }, closed), {
        description: "Times in which nobody advanced the run.",
      }),
      pages: Type.Array(TreePage),
    },
    closed,
  ),
);
