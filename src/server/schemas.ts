/** What goes over the wire: JSON Schemas, of which the types in `lens/` are the other half (a test holds them together). */
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

const Limits = Type.Object(
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

export const Operation = named(
  "Operation",
  Type.Object(
    {
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

export const Graph = named(
  "Graph",
  Type.Object(
    {
      graph: orNull(
        Type.Unsafe<Json>({ description: "The tree of the pipeline as it is served here; else null." }),
      ),
      current: Type.Boolean({ description: "Whether that is the version the run was recorded under." }),
      places: Type.Array(
        Type.Object(
          {
            path: Type.String({ description: "`[]` stands for any item or turn." }),
            after: Type.String({ description: "The place before it in its sequence." }),
            operations: Type.Record(Type.String(), count, { description: "How many of each status." }),
            costUsd: Money,
          },
          closed,
        ),
      ),
    },
    closed,
  ),
);

export const Pipeline = named(
  "Pipeline",
  Type.Object(
    {
      name: Type.String(),
      fingerprint: Type.String(),
      inputSchema: orNull(
        Type.Unsafe<Json>({
          description: "JSON Schema (2020-12); null where there is none, or its library makes none.",
        }),
      ),
      budget: orNull(Limits),
    },
    closed,
  ),
);

export const PipelineList = named("PipelineList", Type.Object({ pipelines: Type.Array(Pipeline) }, closed));

export const PipelineDetail = named(
  "PipelineDetail",
  Type.Object({ pipeline: Pipeline, graph: AnyJson }, closed),
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

export const Inbox = named("Inbox", Type.Object({ items: Type.Array(InboxItem) }, closed));

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
      timezone: Type.String(),
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

export const StartRequest = named(
  "StartRequest",
  Type.Object(
    {
      pipeline: Type.String({ minLength: 1 }),
      input: Type.Optional(AnyJson),
      runId: Type.Optional(RunId),
      budget: Type.Optional(Budget),
      scopes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 20 })),
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
