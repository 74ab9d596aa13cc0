/** What a journal's entries mean together: run = fold(entries). The one place where entries are given a meaning. */
import type { Entry, EntryOf } from "./entries.ts";
import { addSpent, lessSpent } from "./limits.ts";
import type { Path } from "./paths.ts";
import { alertKey, type Compensation, emptyRecord, type Question, type RunRecord } from "./run-record.ts";
import { spentOf, zeroAmount } from "./spending.ts";
import type { Answered, Asked } from "./waiting.ts";

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
