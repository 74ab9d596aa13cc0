/** What of the API stands beside runs: what is asked, shared budgets, schedules, what sinks were not told. */
import Type from "typebox";
import { AnyJson, closed, count, date, Money, named, orNull, RunId, Spent } from "./schemas.ts";

export const CallerView = named(
  "Caller",
  Type.Object(
    {
      name: orNull(Type.String({ description: "Of the token; null where none are configured." })),
      role: Type.Enum(["viewer", "operator", "admin"]),
    },
    closed,
  ),
);

export const InboxItem = named(
  "InboxItem",
  Type.Object(
    {
      runId: RunId,
      pipeline: Type.String(),
      path: Type.String(),
      asks: Type.Enum(["approval", "outcome", "answer", "event"]),
      prompt: Type.String(),
      context: AnyJson,
      assignees: orNull(Type.Array(Type.String())),
      schema: AnyJson,
      since: date,
      due: orNull(date),
      answered: orNull(Type.Object({ by: orNull(Type.String()), at: date }, closed)),
    },
    closed,
  ),
);

export const Inbox = named(
  "Inbox",
  Type.Object(
    {
      items: Type.Array(InboxItem, { description: "1,000 at most." }),
      more: Type.Integer({
        minimum: 0,
        description: "How many are left out: they have waited for less long.",
      }),
    },
    closed,
  ),
);

export const Account = named(
  "Account",
  Type.Object(
    {
      scope: Type.String(),
      limits: Type.Object(
        {
          costUsd: Type.Optional(Money),
          tokens: Type.Optional(count),
          calls: Type.Optional(count),
          toolCalls: Type.Optional(count),
        },
        closed,
      ),
      posted: Spent,
      pending: Spent,
      leftUsd: orNull(Money),
      holds: Type.Array(
        Type.Object(
          {
            runId: Type.String(),
            path: Type.String(),
            model: Type.String(),
            amount: Spent,
            heldAt: date,
            ageMs: Type.Number(),
          },
          closed,
        ),
      ),
      waiting: count,
      alertAt: Type.Array(Type.Number()),
      alerts: Type.Array(
        Type.Object({ percent: Type.Number(), of: Type.String(), runId: Type.String() }, closed),
      ),
    },
    closed,
  ),
);

export const Budgets = named("Budgets", Type.Object({ budgets: Type.Array(Account) }, closed));

const Schedule = named(
  "Schedule",
  Type.Object(
    {
      name: Type.String(),
      pipeline: Type.String(),
      file: orNull(Type.String()),
      export: orNull(Type.String()),
      cron: Type.String(),
      timeZone: Type.String(),
      budget: AnyJson,
      missed: Type.Enum(["skip", "last", "all"]),
      overlap: Type.Enum(["allow", "skip"]),
      paused: Type.Boolean(),
      createdAt: date,
      by: orNull(Type.String()),
      next: orNull(date),
      overdueSince: orNull(date),
      last: orNull(Type.Object({ tick: date, runId: Type.String(), status: orNull(Type.String()) }, closed)),
      due: Type.Array(date),
      passedOver: Type.Object({ missed: count, overlapping: count }, closed),
      lastError: orNull(Type.Object({ tick: date, code: Type.String(), message: Type.String() }, closed)),
    },
    closed,
  ),
);

export const ScheduleList = named("ScheduleList", Type.Object({ schedules: Type.Array(Schedule) }, closed));

export const ScheduleAdded = named(
  "ScheduleAdded",
  Type.Object({ schedule: Schedule, ticks: Type.Array(date, { description: "Its next ones." }) }, closed),
);

export const ScheduleRemoved = named(
  "ScheduleRemoved",
  Type.Object({ name: Type.String(), removed: Type.Boolean() }, closed),
);

export const SchedulePaused = named(
  "SchedulePaused",
  Type.Object({ name: Type.String(), paused: Type.Boolean() }, closed),
);

export const Undelivered = named(
  "Undelivered",
  Type.Object(
    {
      waiting: Type.Array(
        Type.Object(
          {
            sink: Type.String(),
            runId: Type.String(),
            seq: count,
            attempts: count,
            why: orNull(Type.String()),
            dueAt: orNull(date),
          },
          closed,
        ),
      ),
      dead: Type.Array(
        Type.Object(
          {
            id: Type.String(),
            sink: Type.String(),
            runId: Type.String(),
            seq: count,
            type: Type.String(),
            path: Type.String(),
            attempts: count,
            at: date,
            why: Type.String(),
          },
          closed,
        ),
      ),
    },
    closed,
  ),
);

export const Resent = named(
  "Resent",
  Type.Object(
    {
      id: Type.String(),
      outcome: Type.Enum(["delivered", "busy", "lost", "failed"]),
      why: orNull(Type.String()),
    },
    closed,
  ),
);

export const Dropped = named("Dropped", Type.Object({ id: Type.String(), dropped: Type.Boolean() }, closed));
