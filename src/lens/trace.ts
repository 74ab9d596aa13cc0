import type { Entry } from "../core/entries.ts";
import { fold } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { type ReadBlob, Values } from "../core/resolve.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { Patch } from "../core/state.ts";
import { type Call, type CallView, callsOf, callView } from "./calls.ts";
import { answerViews, cutView, type MessageView, sentViews } from "./messages.ts";
import { nested, parentPath } from "./nesting.ts";
import { type Operation, operationsOf } from "./operations.ts";
import { readableJson } from "./readable.ts";
import { type OperationView, operationView, type RunView, runView } from "./show.ts";
import { spendingOf } from "./spending.ts";

/** A run as a tree, with what went to its models and came from them, as `flujo lens trace --json` prints it. */
export interface Trace {
  readonly run: RunView;
  /** Outer ones first, in the order they began: depth first, so that `depth` says where each hangs. */
  readonly operations: readonly TracedOperation[];
}

export interface TracedOperation extends OperationDetail {
  /** How many operations of the trace are around it. */
  readonly depth: number;
  /** Its path without that of the operation around it. */
  readonly name: string;
  /** From the run's beginning to its own. */
  readonly afterMs: number | null;
}

/** An operation with all that is told of it. */
export interface OperationDetail extends OperationView {
  /** What it changed in the run's state. */
  readonly state?: readonly StateChange[];
  /** What was paid or held for, for it alone. */
  readonly calls?: readonly CallView[];
  /** What its model was sent that it had not been sent before, and what it answered. */
  readonly messages?: readonly MessageView[];
}

/** One change of the run's state: a JSON Patch operation, its value for reading. */
export interface StateChange {
  readonly op: "add" | "replace" | "remove";
  /** A JSON Pointer. */
  readonly path: string;
  readonly value?: Json;
}

/**
 * Everything a journal says, as a tree.
 *
 * @param entries the whole journal, from its first entry on.
 * @param readBlob fetches values kept aside; those it answers with undefined are shown by their size.
 */
export async function trace(runId: string, entries: readonly Entry[], readBlob: ReadBlob): Promise<Trace> {
  const run = fold(entries);
  const values = new Values(entries, readBlob);
  const all = new Map(
    [...nested(operationsOf(entries, run))].map((operation) => [operation.path, operation]),
  );
  return {
    run: await runView(runId, run, spendingOf(entries), values),
    operations: await tracedOperations([...all.values()], all, { entries, run }, values),
  };
}

/**
 * Some operations of a run, as its trace tells them.
 *
 * @param all those of the whole run, by their paths.
 */
export async function tracedOperations(
  some: readonly Operation[],
  all: ReadonlyMap<Path, Operation>,
  { entries, run }: { readonly entries: readonly Entry[]; readonly run: RunRecord },
  values: Values,
): Promise<TracedOperation[]> {
  const calls = Map.groupBy(callsOf(entries, run), ({ path }) => path);
  const began = run.created?.at ?? run.updatedAt;
  const traced: TracedOperation[] = [];
  for (const operation of some) {
    const { path, startedAt } = operation;
    const around = pathsAround(path, all);
    traced.push({
      ...(await operationDetail(await operationView(operation, values), calls.get(path) ?? [], run, values)),
      depth: around.length,
      name: path.slice(around[0]?.length ?? 0),
      afterMs: startedAt === undefined ? null : startedAt - began,
    });
  }
  return traced;
}

/** @param calls those at the operation's path. */
export async function operationDetail(
  operation: OperationView,
  calls: readonly Call[],
  { completed }: Pick<RunRecord, "completed">,
  values: Values,
): Promise<OperationDetail> {
  const { state = [], seq } = completed.get(operation.path) ?? {};
  const messages = await messagesOf(operation, calls, seq, values);
  return {
    ...operation,
    ...(state.length === 0 ? {} : { state: stateChanges(state) }),
    ...(calls.length === 0 ? {} : { calls: calls.map(callView) }),
    ...(messages.length === 0 ? {} : { messages }),
  };
}

/** The operations around a path, the innermost first. */
function pathsAround(path: Path, known: ReadonlyMap<Path, Operation>): Path[] {
  const around: Path[] = [];
  for (let at = parentPath(path); at !== ""; at = parentPath(at)) if (known.has(at)) around.push(at);
  return around;
}

async function messagesOf(
  { kind, partial }: OperationView,
  calls: readonly Call[],
  answered: number | undefined,
  values: Values,
): Promise<MessageView[]> {
  if (kind !== "model-call") return [];
  // A call that was cut off and made anew by another process is one call still: what was sent last counts.
  const sent = calls.findLast((call) => call.sent !== undefined)?.sent;
  const messages = sent === undefined ? [] : sentViews(await values.fetch(sent));
  if (answered !== undefined) messages.push(...answerViews(await values.of(answered)));
  else if (partial !== undefined) messages.push(cutView(partial));
  return messages;
}

/** A patch for reading. */
export const stateChanges = (patch: Patch): StateChange[] =>
  patch.map((change) =>
    change.op === "remove"
      ? { op: change.op, path: change.path }
      : { op: change.op, path: change.path, value: readableJson(change.value) },
  );
