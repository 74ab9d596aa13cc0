/** What of the API is runs: a line of a list, one in full, its journal and its events. */
import Type from "typebox";
import { AnyJson, closed, count, date, ErrorRecord, Money, named, orNull, RunId, Spent } from "./schemas.ts";

export const RunLine = named(
  "RunLine",
  Type.Object(
    {
      runId: RunId,
      pipeline: Type.String(),
      fingerprint: Type.String(),
      status: Type.String({ description: "A RunStatus." }),
      createdAt: date,
      updatedAt: date,
      spent: Spent,
      advancedBy: orNull(Type.String()),
      trialOf: Type.Optional(
        Type.String({ description: "The experiment, or search for something better, it is a trial of." }),
      ),
    },
    closed,
  ),
);

export const RunPage = named(
  "RunPage",
  Type.Object(
    {
      runs: Type.Array(RunLine),
      next: orNull(Type.String({ description: "The cursor of the next page; null on the last one." })),
    },
    closed,
  ),
);

const Wait = Type.Object(
  {
    path: Type.String(),
    kind: Type.Enum(["human", "signal", "timer"]),
    prompt: Type.String(),
    assignees: Type.Optional(Type.Array(Type.String())),
    due: Type.Optional(date),
  },
  closed,
);

const Price = Type.Object(
  {
    source: Type.String(),
    date: orNull(Type.String()),
    inputUsdPerMillion: Money,
    outputUsdPerMillion: Money,
    imageUsd: Type.Optional(Money),
  },
  closed,
);

const Charge = Type.Object(
  {
    model: Type.String(),
    spent: Spent,
    price: orNull(Price),
    earlier: Type.Optional(Type.Array(Price)),
  },
  closed,
);

export const Limits = Type.Object(
  {
    costUsd: Type.Optional(Money),
    tokens: Type.Optional(count),
    calls: Type.Optional(count),
    toolCalls: Type.Optional(count),
    timeMs: Type.Optional(Type.Number({ minimum: 0 })),
  },
  closed,
);

export const Run = named(
  "Run",
  Type.Object(
    {
      runId: RunId,
      pipeline: Type.String(),
      fingerprint: Type.String(),
      status: Type.String({ description: "A RunStatus." }),
      createdAt: date,
      updatedAt: date,
      durationMs: Type.Number(),
      input: AnyJson,
      output: AnyJson,
      error: orNull(ErrorRecord),
      undone: Type.Optional(
        Type.Object(
          { places: Type.Array(Type.String()), left: Type.Array(Type.String()) },
          { ...closed, description: "Of a run that undoes what it did: the places undone, and those left." },
        ),
      ),
      waitingFor: Type.Array(Wait),
      spent: Spent,
      held: Spent,
      charges: Type.Array(Charge),
      limits: Limits,
      scopes: Type.Optional(Type.Array(Type.String())),
      overlay: Type.Optional(
        Type.Array(
          Type.Object({ path: Type.String(), field: Type.String(), value: Type.Optional(AnyJson) }, closed),
          {
            description:
              "What an overlay changed of prompts and settings for this run: the last word on each field.",
          },
        ),
      ),
      submitted: Type.Optional(
        Type.Object(
          {
            queue: Type.String(),
            priority: Type.Integer(),
            tenant: Type.Optional(Type.String()),
            notBefore: Type.Optional(date),
          },
          { ...closed, description: "Of one that was submitted: which workers may take it, and when." },
        ),
      ),
      forkedFrom: Type.Optional(
        Type.Object(
          { runId: Type.String(), at: Type.String(), sharedUsd: Type.String() },
          {
            ...closed,
            description: "Of a fork: the run it shares with, from where on, and what that part cost.",
          },
        ),
      ),
      origin: orNull(Type.Object({ file: Type.String(), export: Type.String() }, closed)),
    },
    closed,
  ),
);

/** A run and how much there is of it. */
export const RunDetail = named(
  "RunDetail",
  Type.Object(
    {
      run: Run,
      advancedBy: orNull(Type.String({ description: "Who advances it now, as far as the store knows." })),
      served: Type.Boolean({ description: "Whether it can be resumed here." }),
      operations: Type.Integer({ description: "How many there are." }),
      next: Type.Integer({ description: "The number that its next event will have." }),
    },
    closed,
  ),
);

/** An entry of the journal, as it is recorded. */
export const Entry = named(
  "Entry",
  Type.Object({
    seq: count,
    at: Type.Integer({ description: "Milliseconds since 1970." }),
    type: Type.String(),
  }),
);

export const EntryPage = named(
  "EntryPage",
  Type.Object({ entries: Type.Array(Entry), next: orNull(Type.Integer()) }, closed),
);

/** An event of a run. Each type has fields of its own. */
export const Event = named(
  "Event",
  Type.Object({ type: Type.String(), seq: count, at: date, path: Type.String() }),
);
