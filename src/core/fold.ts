/** What a journal's entries mean together: run = fold(entries). The one place where entries are given a meaning. */
import { countOf } from "./balance.ts";
import type { Purchase } from "./context.ts";
import type { Amount, Entry, EntryOf, Ref, StreamedText } from "./entries.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { Json } from "./json.ts";
import { addSpent, type Limits, lessSpent, nothingSpent, type Spent } from "./limits.ts";
import type { Path } from "./paths.ts";
import type { Patch } from "./state.ts";
import { type Answered, type Asked, type Awaited, addressed, type Wait } from "./waiting.ts";

/** How a run stands. */
export type RunStatus = "running" | "completed" | "failed" | "halted" | "waiting" | "cancelled";

/** What is kept of an operation with a result: recorded once, returned from then on. A run may have 100,000 of them. */
export interface Completed {
  readonly seq: number;
  readonly output: Json;
  /** The state changes of a step. */
  readonly state: Patch | undefined;
  readonly cached: boolean;
  /** Milliseconds. */
  readonly took: number;
  /** Texts that belong into an operation's output, and stand in streamed entries. */
  readonly texts?: readonly StreamedText[] | undefined;
}
export type Failed = EntryOf<"step-failed"> | EntryOf<"operation-failed">;

/** What an operation asked a person. */
export interface Question extends Asked {
  readonly asks: "approval" | "outcome";
  answer?: Json;
  answered?: Answered;
}

/** What is to be undone should it come to that: a place that has completed, and what has become of undoing it. */
export interface Compensation {
  readonly seq: number;
  readonly in: Ref;
  readonly out: Ref;
  started?: EntryOf<"compensation-started">;
  /** The seq of the entry that says it is undone. */
  completed?: number;
  failed?: EntryOf<"compensation-failed">;
}

/** Money held for a call, and what became of it. */
export interface Reservation {
  readonly path: Path;
  readonly seq: number;
  readonly amount: Amount;
  readonly kind: Purchase;
  /** What is held for it in the shared ledger: the hold's id, and the accounts. */
  readonly hold: string | undefined;
  readonly accounts: readonly string[];
  /** What it cost in the end; undefined while nobody knows. */
  settled?: Amount;
  doubt?: boolean;
}

/** What came of one call in pieces: where the journal has it. */
export interface Streamed {
  /** The seq of the call's reservation. */
  readonly of: number;
  /** The seqs of its entries. */
  readonly entries: number[];
  readonly request: string | undefined;
  readonly follows: number | undefined;
}

/** Everything a journal says so far. `record` keeps it up to date; nobody else changes it. */
export interface RunRecord {
  created: EntryOf<"run-created"> | undefined;
  status: RunStatus;
  /** The seq the next entry will have. */
  next: number;
  updatedAt: number;
  error: ErrorRecord | undefined;
  output: { readonly json: Json | undefined; readonly from: Ref } | undefined;
  /** The limits in force, and the version last resumed under. */
  limits: Limits;
  fingerprint: string;
  manifest: string;
  /** The hash of its outline; undefined in old journals. */
  outline: string | undefined;
  /** What a waiting run waits for. */
  waits: readonly Wait[];
  /** How many of the signals sent to it a waiting run has seen. */
  heard: number;
  /** Failures before this entry are stale: the run failed of them and was resumed. */
  freshFrom: number;
  readonly completed: Map<Path, Completed>;
  readonly failures: Map<Path, Failed>;
  /** Failed attempts so far, of every step that has any. */
  readonly attempts: Map<Path, number>;
  readonly retries: Map<Path, EntryOf<"retry-scheduled">[]>;
  /** The fallbacks that were taken, each by its path. */
  readonly fallbacks: Map<Path, EntryOf<"fallback-taken">>;
  /** Places and operations given up for others. */
  readonly abandoned: Set<Path>;
  /** What has a compensation and has completed, in that order. */
  readonly compensations: Map<Path, Compensation>;
  /** The run is at its end, and undoes what it has done. */
  undoing: EntryOf<"compensation-begun"> | undefined;
  /** Places whose result was looked for among the kept ones, and not found. */
  readonly misses: Set<Path>;
  readonly collected: Map<Path, EntryOf<"failure-collected">>;
  readonly choices: Map<Path, string>;
  readonly verdicts: Map<Path, boolean>;
  readonly maps: Map<Path, EntryOf<"map-started">>;
  readonly timers: Map<Path, number>;
  /** What places wait for, as they asked; an attempt that failed asks no more. */
  readonly awaited: Map<Path, Awaited>;
  /** Who has answered, by the path of the place. */
  readonly answered: Map<Path, Answered>;
  /** The ids of signals that a place has taken: no other one gets them. */
  readonly taken: Set<string>;
  /** What operations asked, each in its order. */
  readonly questions: Map<Path, Question[]>;
  /** Operations begun and not ended, with the entry that says so. */
  readonly started: Map<Path, number>;
  /** The longest that steps and operations had before they were cut off, in milliseconds. */
  readonly cuts: Map<Path, number>;
  /** When each budget scope was first entered. */
  readonly scopes: Map<Path, number>;
  readonly reservations: Map<number, Reservation>;
  /** The signals that have raised the limits. */
  readonly raises: Set<string>;
  /** The alerts that have come, by `alertKey`. */
  readonly alerts: Set<string>;
  /** Calls that were answered in pieces, by the path of the operation, in order. */
  readonly streams: Map<Path, Streamed[]>;
  /** By which price each model's calls are charged, and were before it changed. */
  readonly prices: Map<string, EntryOf<"model-priced">[]>;
  /** Inputs that were given to places when the run was forked. */
  readonly inputs: Map<Path, { readonly seq: number; readonly json: Json }>;
  /** The entries of containers that have ended, and of values that a check has altered. */
  readonly containers: Map<Path, number>;
  readonly alterations: Map<Path, number>;
  /** Settled and still held, together: what counts against the limits. */
  spent: Spent;
}

/** A record of nothing yet. */
export function emptyRecord(): RunRecord {
  return {
    created: undefined,
    status: "running",
    next: 0,
    updatedAt: 0,
    error: undefined,
    output: undefined,
    limits: {},
    fingerprint: "",
    manifest: "",
    outline: undefined,
    waits: [],
    heard: 0,
    freshFrom: -1,
    completed: new Map(),
    failures: new Map(),
    attempts: new Map(),
    retries: new Map(),
    fallbacks: new Map(),
    abandoned: new Set(),
    compensations: new Map(),
    undoing: undefined,
    misses: new Set(),
    collected: new Map(),
    choices: new Map(),
    verdicts: new Map(),
    maps: new Map(),
    timers: new Map(),
    awaited: new Map(),
    answered: new Map(),
    taken: new Set(),
    questions: new Map(),
    started: new Map(),
    cuts: new Map(),
    scopes: new Map(),
    reservations: new Map(),
    raises: new Set(),
    alerts: new Set(),
    streams: new Map(),
    prices: new Map(),
    inputs: new Map(),
    containers: new Map(),
    alterations: new Map(),
    spent: nothingSpent,
  };
}

/** A whole journal's meaning. */
export function fold(entries: Iterable<Entry>): RunRecord {
  const run = emptyRecord();
  for (const entry of entries) record(run, entry);
  return run;
}

/** Takes the next entry in. */
export function record(run: RunRecord, entry: Entry): void {
  run.next = entry.seq + 1;
  run.updatedAt = entry.at;
  switch (entry.type) {
    case "step-completed": {
      const { seq, output, state, cached = false, took = 0 } = entry;
      run.completed.set(entry.path, { seq, output, state, cached, took });
      return;
    }
    case "operation-completed": {
      const { seq, output, texts, took } = entry;
      run.started.delete(entry.path);
      run.completed.set(entry.path, { seq, output, state: undefined, cached: false, took, texts });
      return;
    }
    case "signal-received": {
      const { seq, output } = entry;
      run.completed.set(entry.path, { seq, output, state: undefined, cached: false, took: 0 });
      run.answered.set(entry.path, answeredIn(entry));
      if (entry.id !== undefined) run.taken.add(entry.id);
      return;
    }
    case "text-streamed":
      stream(run, entry);
      return;
    case "step-started":
    case "budget-breached":
      return;
    case "step-failed":
      run.attempts.set(entry.path, (run.attempts.get(entry.path) ?? 0) + 1);
      run.failures.set(entry.path, entry);
      run.awaited.delete(entry.path);
      return;
    case "operation-started":
      run.started.set(entry.path, entry.seq);
      return;
    case "operation-withdrawn":
      run.started.delete(entry.path);
      return;
    case "operation-failed":
      run.started.delete(entry.path);
      run.failures.set(entry.path, entry);
      return;
    case "operation-cut":
      run.cuts.set(entry.path, Math.max(entry.after, run.cuts.get(entry.path) ?? 0));
      return;
    case "input-replaced":
      run.inputs.set(entry.path, { seq: entry.seq, json: entry.output });
      return;
    case "value-altered":
      run.alterations.set(entry.path, entry.seq);
      return;
    case "container-completed":
      run.containers.set(entry.path, entry.seq);
      return;
    case "retry-scheduled": {
      run.started.delete(entry.path);
      const known = run.retries.get(entry.path);
      if (known) known.push(entry);
      else run.retries.set(entry.path, [entry]);
      return;
    }
    case "fallback-taken":
      run.fallbacks.set(entry.to, entry);
      run.abandoned.add(entry.path);
      return;
    case "cache-missed":
      run.misses.add(entry.path);
      return;
    case "failure-collected":
      run.collected.set(entry.path, entry);
      return;
    case "branch-chosen":
      run.choices.set(entry.path, entry.key);
      return;
    case "loop-judged":
      run.verdicts.set(entry.path, entry.done);
      return;
    case "map-started":
      run.maps.set(entry.path, entry);
      return;
    case "timer-set":
      run.timers.set(entry.path, entry.due);
      return;
    case "signal-awaited":
      ask(run, entry);
      return;
    case "signal-escalated": {
      const { path, of, round, assignees, due } = entry;
      const asked = run.awaited.get(path) ?? run.questions.get(path)?.find(({ seq }) => seq === of);
      Object.assign(asked ?? {}, { round, assignees, due });
      return;
    }
    case "question-answered": {
      const question = run.questions.get(entry.path)?.find(({ seq }) => seq === entry.of);
      if (question === undefined) return;
      question.answer = entry.output;
      question.answered = answeredIn(entry);
      return;
    }
    case "scope-opened":
      run.scopes.set(entry.path, entry.at);
      return;
    case "model-priced": {
      const known = run.prices.get(entry.model);
      if (known) known.push(entry);
      else run.prices.set(entry.model, [entry]);
      return;
    }
    case "budget-reserved": {
      const { path, seq, amount, kind = "model-call", hold, accounts = [] } = entry;
      run.reservations.set(seq, { path, seq, amount, kind, hold, accounts });
      run.spent = addSpent(run.spent, spentOf(amount, kind));
      return;
    }
    case "budget-raised":
      run.raises.add(entry.by);
      run.limits = entry.limits;
      return;
    case "budget-threshold":
      run.alerts.add(alertKey(entry.scope, entry.percent));
      return;
    case "budget-settled":
    case "budget-released":
      settle(run, entry);
      return;
    case "compensation-owed": {
      const { seq, in: given, out } = entry;
      run.compensations.set(entry.path, { seq, in: given, out });
      return;
    }
    case "compensation-begun":
      run.undoing = entry;
      return;
    case "compensation-started":
      compensated(run, entry.path, { started: entry });
      return;
    case "compensation-completed":
      compensated(run, entry.path, { completed: entry.seq });
      return;
    case "compensation-failed":
      compensated(run, entry.path, { failed: entry });
      return;
    default:
      recordStanding(run, entry);
  }
}

const compensated = (run: RunRecord, path: Path, change: Partial<Compensation>): void =>
  void Object.assign(run.compensations.get(path) ?? {}, change);

function recordStanding(run: RunRecord, entry: Entry): void {
  switch (entry.type) {
    case "run-created":
      run.created = entry;
      run.limits = entry.limits ?? {};
      run.freshFrom = entry.forkedFrom?.entries ?? -1; // the other run's failures
      run.fingerprint = entry.fingerprint;
      run.manifest = entry.manifest;
      run.outline = entry.outline;
      return;
    case "run-resumed":
      if (run.status !== "running" && run.status !== "waiting") run.freshFrom = entry.seq;
      run.status = "running";
      run.error = undefined;
      run.waits = [];
      if (entry.limits) run.limits = entry.limits;
      if (entry.fingerprint !== undefined) run.fingerprint = entry.fingerprint;
      if (entry.manifest !== undefined) run.manifest = entry.manifest;
      if (entry.outline !== undefined) run.outline = entry.outline;
      return;
    case "cancellation-requested":
      if (run.status === "failed" || run.status === "halted") run.freshFrom = entry.seq;
      run.status = "running";
      run.error = undefined;
      run.waits = [];
      return;
    case "run-completed":
      run.status = "completed";
      run.output = { json: entry.output, from: entry.from };
      return;
    case "run-failed":
      run.status = "failed";
      run.error = entry.error;
      return;
    case "run-halted":
      run.status = "halted";
      run.error = entry.error;
      return;
    case "run-cancelled":
      run.status = "cancelled";
      run.error = entry.error;
      return;
    case "run-waiting":
      run.status = "waiting";
      run.waits = entry.waits ?? entry.signals.map((path) => ({ path, kind: "human" }));
      run.heard = entry.heard ?? 0;
      return;
    default:
      return;
  }
}

function ask(run: RunRecord, entry: EntryOf<"signal-awaited">): void {
  const { path, seq, at, prompt, context, rounds = 1, assignees, due, asks } = entry;
  const asked: Asked = { seq, at, prompt, context, rounds, round: 0, assignees, due };
  if (asks === undefined) {
    const { kind = "human", answer } = entry;
    run.awaited.set(path, { ...asked, kind, answer });
    return;
  }
  const known = run.questions.get(path);
  const question: Question = { ...asked, asks };
  if (known) known.push(question);
  else run.questions.set(path, [question]);
}

const answeredIn = (entry: EntryOf<"signal-received"> | EntryOf<"question-answered">): Answered => ({
  at: entry.sentAt ?? entry.at,
  by: entry.by,
  late: "late" in entry,
});

/** The paths that a waiting run waits for somebody to send something to. */
export const awaitedPaths = (run: RunRecord): Path[] => addressed(run.waits);

/** What is asked at a path, or was last: by a place, or by an operation. */
export const askedAt = (run: RunRecord, path: Path): Awaited | Question | undefined =>
  run.awaited.get(path) ?? run.questions.get(path)?.at(-1);

/** What is asked at a path, in words. */
export const promptAt = (run: RunRecord, path: Path): string => askedAt(run, path)?.prompt ?? "";

function stream(run: RunRecord, { path, of, seq, request, follows }: EntryOf<"text-streamed">): void {
  const calls = run.streams.get(path) ?? [];
  if (calls.length === 0) run.streams.set(path, calls);
  const known = calls.find((call) => call.of === of);
  if (known === undefined) calls.push({ of, entries: [seq], request, follows });
  else known.entries.push(seq);
}

function settle(run: RunRecord, entry: EntryOf<"budget-settled"> | EntryOf<"budget-released">): void {
  const reservation = run.reservations.get(entry.of);
  if (reservation === undefined || reservation.settled !== undefined) return; // each is resolved at most once
  const actual = entry.type === "budget-settled" ? entry.amount : zeroAmount;
  reservation.settled = actual;
  if (entry.type === "budget-settled" && entry.doubt) reservation.doubt = true;
  run.spent = addSpent(run.spent, lessSpent(spentOf(actual), spentOf(reservation.amount)));
}

/** How an alert is known to have come. */
export const alertKey = (scope: string, percent: number): string => `${percent} ${scope}`;

/** What is spent once these entries are in, too. The record stays as it is. */
export function spentWith(run: RunRecord, entries: readonly Entry[]): Spent {
  const held = new Map<number, Amount>();
  let spent = run.spent;
  for (const entry of entries) {
    if (entry.type === "budget-reserved") {
      held.set(entry.seq, entry.amount);
      spent = addSpent(spent, spentOf(entry.amount, entry.kind ?? "model-call"));
    } else if (entry.type === "budget-settled" || entry.type === "budget-released") {
      const known = run.reservations.get(entry.of);
      const amount = held.get(entry.of) ?? (known?.settled === undefined ? known?.amount : undefined);
      if (amount === undefined) continue;
      const actual = entry.type === "budget-settled" ? entry.amount : zeroAmount;
      spent = addSpent(spent, lessSpent(spentOf(actual), spentOf(amount)));
    }
  }
  return spent;
}

const zeroAmount: Amount = { picoUsd: "0", inputTokens: 0, outputTokens: 0 };

/** An amount as what is spent; with the kind of what was bought, the call counts too. */
export function spentOf(amount: Amount, kind: Purchase = "spend"): Spent {
  const { inputTokens, outputTokens } = amount;
  return { picoUsd: BigInt(amount.picoUsd), inputTokens, outputTokens, ...countOf(kind) };
}

/** The places that have a compensation, have completed, and are not undone; those that completed last come first. */
export const notUndone = ({ compensations }: RunRecord): Path[] =>
  [...compensations].flatMap(([path, { completed }]) => (completed === undefined ? [path] : [])).reverse();

/** What a run that has begun to undo what it did has undone, and what is left; undefined of any other. */
export function undoneIn(run: RunRecord): { readonly places: Path[]; readonly left: Path[] } | undefined {
  if (run.undoing === undefined) return undefined;
  const left = notUndone(run);
  const isLeft = new Set(left);
  return { places: [...run.compensations.keys()].reverse().filter((path) => !isLeft.has(path)), left };
}

/**
 * Whether a run has come to its end for good. One that has begun to undo what it did is not done before all of it is
 * undone, and goes on with nothing else.
 */
export function isEnded(run: RunRecord): boolean {
  if (run.undoing === undefined) return run.status === "completed" || run.status === "cancelled";
  return (run.status === "failed" || run.status === "cancelled") && notUndone(run).length === 0;
}
