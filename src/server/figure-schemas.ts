/** What of the API is figures of many runs: sums, rates and versions. */
import Type from "typebox";
import { ValueChange } from "./diff-schemas.ts";
import { closed, count, date, named, orNull, Spent, Status } from "./schemas.ts";

const Latency = Type.Object(
  { p50: orNull(Type.Number()), p95: orNull(Type.Number()), max: orNull(Type.Number()) },
  { ...closed, description: "Milliseconds; null of none." },
);

const statuses = Type.Object(
  { running: count, completed: count, failed: count, halted: count, waiting: count, cancelled: count },
  closed,
);

const all = Type.Boolean({ description: "Whether no older run that fits was left out." });

export const Stats = named(
  "Stats",
  Type.Object(
    {
      runs: count,
      all,
      pipelines: Type.Array(
        Type.Object(
          {
            pipeline: Type.String(),
            runs: count,
            statuses,
            completedShare: orNull(Type.Number({ minimum: 0, maximum: 1 })),
            durationMs: Latency,
            spent: Spent,
          },
          closed,
        ),
      ),
      steps: Type.Array(
        Type.Object(
          {
            pipeline: Type.String(),
            step: Type.String(),
            kind: Type.String(),
            completed: count,
            cached: count,
            failed: count,
            durationMs: Latency,
            spent: Spent,
          },
          closed,
        ),
      ),
      models: Type.Array(
        Type.Object(
          {
            model: Type.String(),
            calls: count,
            released: count,
            inDoubt: count,
            durationMs: Latency,
            spent: Spent,
          },
          closed,
        ),
      ),
      days: Type.Array(Type.Object({ day: Type.String(), runs: count, statuses, spent: Spent }, closed)),
      timeZone: Type.String(),
    },
    closed,
  ),
);

export const Costs = named(
  "Costs",
  Type.Object(
    {
      runs: count,
      all,
      total: Spent,
      held: Spent,
      inDoubt: Spent,
      pipelines: Type.Array(Type.Object({ pipeline: Type.String(), runs: count, spent: Spent }, closed)),
      steps: Type.Array(Type.Object({ pipeline: Type.String(), step: Type.String(), spent: Spent }, closed)),
      models: Type.Array(Type.Object({ model: Type.String(), spent: Spent }, closed)),
      days: Type.Array(Type.Object({ day: Type.String(), spent: Spent }, closed)),
      timeZone: Type.String(),
      accounts: Type.Array(Type.Object({ scope: Type.String(), spent: Spent, all: orNull(Spent) }, closed)),
    },
    closed,
  ),
);

const Version = Type.Object(
  {
    pipeline: Type.String(),
    fingerprint: Type.String(),
    runs: count,
    unfinished: count,
    firstAt: date,
    lastAt: date,
    releases: Type.Array(
      Type.Object({ package: Type.Optional(Type.String()), commit: Type.Optional(Type.String()) }, closed),
    ),
    overlay: Type.Optional(
      Type.Array(Type.String(), { description: "What an overlay changes of it: `system of /q3/summarise`." }),
    ),
  },
  closed,
);

export const VersionList = named("VersionList", Type.Object({ versions: Type.Array(Version), all }, closed));

const Figures = orNull(
  Type.Object({ completed: count, failed: count, durationMs: Latency, spent: Spent }, closed),
);

export const VersionDiff = named(
  "VersionDiff",
  Type.Object(
    {
      a: Version,
      b: Version,
      same: count,
      places: Type.Array(
        Type.Object(
          {
            path: Type.String(),
            kind: Type.String(),
            only: Type.Optional(Type.Enum(["a", "b"])),
            facts: Type.Array(ValueChange),
            settings: Type.Array(ValueChange),
          },
          closed,
        ),
      ),
      figures: Type.Array(Type.Object({ step: Type.String(), a: Figures, b: Figures }, closed)),
    },
    closed,
  ),
);

const differing = [
  "missing",
  "branch",
  "verdict",
  "items",
  "moment",
  "input",
  "output",
  "state",
  "failure",
  "answer",
  "question",
  "model",
  "request",
  "operation",
  "order",
  "outside-call",
] as const;

export const ReplayReport = named(
  "ReplayReport",
  Type.Object(
    {
      runId: Type.String(),
      pipeline: Type.String(),
      status: Status,
      same: Type.Boolean(),
      differences: Type.Array(
        Type.Object(
          {
            path: Type.String(),
            what: Type.Enum([...differing]),
            recorded: Type.String(),
            now: Type.String(),
          },
          closed,
        ),
      ),
      changed: Type.Array(Type.String()),
      refused: Type.Boolean(),
      compared: Type.Object({ decisions: count, bodies: count, operations: count, requests: count }, closed),
      notRun: Type.Array(Type.String()),
      unknownRequests: Type.Array(Type.String()),
    },
    closed,
  ),
);

export const ReplayRequest = named(
  "ReplayRequest",
  Type.Object(
    {
      bodies: Type.Optional(
        Type.Enum(["none", "durable", "all"], { description: "Whose bodies run again. Default durable." }),
      ),
    },
    closed,
  ),
);
