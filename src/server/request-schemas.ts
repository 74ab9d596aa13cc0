/** What of the API acts: the bodies of requests, and what is answered at once. */
import Type from "typebox";
import { AnyJson, closed, count, named, orNull, RunId, RunPath, Status } from "./schemas.ts";

/** What became of a request to start, resume, cancel or raise: how the run stands right after it. */
export const Acted = named(
  "Acted",
  Type.Object(
    {
      runId: RunId,
      pipeline: Type.String(),
      status: Status,
      next: Type.Integer({ description: "The number that its next event will have." }),
    },
    closed,
  ),
);

const usd = Type.String({
  pattern: "^\\$\\d{1,12}(\\.\\d{1,12})?$",
  description: "US dollars with their sign: `$0.50`.",
});

export const Budget = named(
  "Budget",
  Type.Union([
    usd,
    Type.Object(
      {
        cost: Type.Optional(usd),
        tokens: Type.Optional(count),
        calls: Type.Optional(count),
        toolCalls: Type.Optional(count),
        time: Type.Optional(Type.String({ description: "`90s`, `30m`, `1h`.", maxLength: 40 })),
      },
      { ...closed, minProperties: 1 },
    ),
  ]),
);

const beginning = {
  pipeline: Type.String({ minLength: 1 }),
  input: Type.Optional(AnyJson),
  runId: Type.Optional(RunId),
  budget: Type.Optional(Budget),
  scopes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 20 })),
};

export const StartRequest = named("StartRequest", Type.Object(beginning, closed));

const name = { pattern: "^[A-Za-z0-9._-]{1,100}$" };

export const SubmitRequest = named(
  "SubmitRequest",
  Type.Object(
    {
      ...beginning,
      queue: Type.Optional(
        Type.String({ ...name, description: "Which workers may take it. Default `default`." }),
      ),
      priority: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 1_000, description: "Higher ones go first. Default 0." }),
      ),
      tenant: Type.Optional(Type.String({ ...name, description: "For whom it is: tenants take turns." })),
      delay: Type.Optional(
        Type.String({ maxLength: 40, description: "How long it is not to begin: `90s`, `10m`, `3d`." }),
      ),
    },
    closed,
  ),
);

/** What became of a run that was submitted. */
export const Submitted = named(
  "Submitted",
  Type.Object(
    {
      ...Acted.properties,
      untold: orNull(
        Type.String({
          description: "Why the engine could not be told: workers find the run in the store, a little later.",
        }),
      ),
    },
    closed,
  ),
);

export const ScheduleRequest = named(
  "ScheduleRequest",
  Type.Object(
    {
      pipeline: Type.String({ minLength: 1 }),
      cron: Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Five fields, six with seconds in front, or `@daily` and its like.",
      }),
      name: Type.Optional(
        Type.String({ minLength: 1, maxLength: 80, description: "Default: the pipeline's name." }),
      ),
      timeZone: Type.Optional(
        Type.String({ maxLength: 100, description: "A name of the IANA list. Default UTC." }),
      ),
      input: Type.Optional(AnyJson),
      budget: Type.Optional(Budget),
      missed: Type.Optional(
        Type.Enum(["skip", "last", "all"], {
          description: "What becomes of ticks that nobody was there for. Default `last`.",
        }),
      ),
      overlap: Type.Optional(
        Type.Enum(["allow", "skip"], {
          description: "What becomes of a tick while an earlier one's run is under way. Default `allow`.",
        }),
      ),
    },
    closed,
  ),
);

const PatchOperation = Type.Object(
  {
    op: Type.Enum(["add", "remove", "replace", "move", "copy", "test"]),
    path: Type.String({ maxLength: 4_000, description: "A JSON Pointer." }),
    from: Type.Optional(Type.String({ maxLength: 4_000 })),
    value: Type.Optional(AnyJson),
  },
  closed,
);

export const ForkRequest = named(
  "ForkRequest",
  Type.Object(
    {
      at: { ...RunPath, description: "The point: a place, or an operation inside a body." },
      runId: Type.Optional(RunId),
      input: Type.Optional({ ...AnyJson, description: "The input of the place at the point." }),
      prompt: Type.Optional(Type.String({ description: "The prompt of the agent at the point." })),
      system: Type.Optional(Type.String({ description: "Its system prompt." })),
      model: Type.Optional(Type.String({ minLength: 1, description: "Its model." })),
      overlay: Type.Optional(
        Type.Array(PatchOperation, {
          maxItems: 1_000,
          description: "A JSON Patch over what can be changed of agents, applied before the others.",
        }),
      ),
      budget: Type.Optional(Budget),
      forceVersion: Type.Optional(Type.Boolean()),
    },
    closed,
  ),
);

/** What a fork can change of a run's agents. */
export const Improvables = named(
  "Improvables",
  Type.Object(
    {
      agents: Type.Record(Type.String(), AnyJson, {
        description: "Prompts, models and settings of each agent, by its place.",
      }),
      at: orNull(Type.String({ description: "The agent that the path asked for is of." })),
      current: Type.Boolean({ description: "Whether that is the version the run was recorded under." }),
    },
    closed,
  ),
);

export const SignalRequest = named(
  "SignalRequest",
  Type.Object(
    {
      path: RunPath,
      data: Type.Optional(AnyJson),
      by: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    },
    closed,
  ),
);

export const CancelRequest = named(
  "CancelRequest",
  Type.Object({ reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })) }, closed),
);

export const ResumeRequest = named(
  "ResumeRequest",
  Type.Object(
    {
      budget: Type.Optional(Budget),
      forceVersion: Type.Optional(Type.Boolean()),
    },
    closed,
  ),
);

export const TopUpRequest = named("TopUpRequest", Type.Object({ by: Budget }, closed));
