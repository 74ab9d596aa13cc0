import type { Entry } from "../core/entries.ts";
import { fold, type RunRecord } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { type ReadBlob, Values } from "../core/resolve.ts";
import type { Patch } from "../core/state.ts";
import { type Call, type CallView, callsOf, callView } from "./calls.ts";
import { answerViews, cutView, type MessageView, sentViews } from "./messages.ts";
import { parentPath } from "./operations.ts";
import { readableJson } from "./readable.ts";
import { type OperationView, type RunView, show } from "./show.ts";

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
  const { run, operations } = await show(runId, entries, readBlob);
  const record = fold(entries);
  const values = new Values(entries, readBlob);
  const calls = Map.groupBy(callsOf(entries, record), ({ path }) => path);
  const began = Date.parse(run.createdAt);
  const depths = new Map<Path, number>();
  const traced: TracedOperation[] = [];
  for (const operation of operations) {
    const { path, startedAt } = operation;
    const around = nearest(path, depths);
    const depth = around === undefined ? 0 : (depths.get(around) as number) + 1; // nearest found it there
    depths.set(path, depth);
    traced.push({
      ...(await operationDetail(operation, calls.get(path) ?? [], record, values)),
      depth,
      name: path.slice(around?.length ?? 0),
      afterMs: startedAt === null ? null : Date.parse(startedAt) - began,
    });
  }
  return { run, operations: traced };
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

/** The innermost operation around a path. */
function nearest(path: Path, known: ReadonlyMap<Path, number>): Path | undefined {
  for (let at = parentPath(path); at !== ""; at = parentPath(at)) if (known.has(at)) return at;
  return undefined;
}

async function messagesOf(
  { kind, partial }: OperationView,
  calls: readonly Call[],
  answered: number | undefined,
  values: Values,
): Promise<MessageView[]> {
  if (kind !== "model-call") return [];
  const messages: MessageView[] = [];
  for (const { sent } of calls) if (sent !== undefined) messages.push(...sentViews(await values.fetch(sent)));
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
