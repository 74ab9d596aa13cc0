import { decode } from "../core/codec.ts";
import { type DispatchTerms, defaultQueue } from "../core/dispatch.ts";
import type { Entry, ForkedFrom } from "../core/entries.ts";
import type { ErrorRecord } from "../core/error-record.ts";
import { fold } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import { decimalUsd, type Limits } from "../core/limits.ts";
import { type Overlay, placeIn } from "../core/overlay.ts";
import type { Path } from "../core/paths.ts";
import { type ReadBlob, Values } from "../core/resolve.ts";
import { askedAt, promptAt, type RunRecord, undoneIn } from "../core/run-record.ts";
import type { ScopeRecord } from "../core/scopes.ts";
import { blocksOf } from "../core/streamed.ts";
import type { Wait } from "../core/waiting.ts";
import { chargesOf, type ModelCharge } from "./charges.ts";
import { nested } from "./nesting.ts";
import { type FailedAttempt, type Operation, operationsOf } from "./operations.ts";
import { readableJson, type SpentView, spentView } from "./readable.ts";
import { type Spending, spendingOf } from "./spending.ts";

/** A run and everything recorded in it, as `flujo lens show --json` prints it. */
export interface RunReport {
  readonly run: RunView;
  /** Outer ones first, in the order they began. */
  readonly operations: readonly OperationView[];
}

export interface RunView {
  readonly runId: string;
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** From its creation to its last entry, pauses included. */
  readonly durationMs: number;
  readonly input: Json;
  readonly output: Json;
  readonly error: ErrorRecord | null;
  readonly waitingFor: readonly WaitView[];
  /** Of a run that has begun to undo what it did: the places that are undone, and those that are left. */
  readonly undone?: { readonly places: readonly Path[]; readonly left: readonly Path[] };
  readonly spent: SpentView;
  /** Of that, what is held for calls that are not settled yet. */
  readonly held: SpentView;
  /** The same by model, each with the price it was charged by. */
  readonly charges: readonly ModelCharge[];
  readonly limits: {
    readonly costUsd?: string;
    readonly tokens?: number;
    readonly calls?: number;
    readonly toolCalls?: number;
    readonly timeMs?: number;
  };
  /** The shared budgets it is charged to, when there are any. */
  readonly scopes?: readonly string[];
  /** What was changed of the tree's prompts and settings for it, by an overlay; absent where nothing was. */
  readonly overlay?: readonly OverlayChange[];
  readonly origin: { readonly file: string; readonly export: string } | null;
  /** Of one that was submitted: which workers may take it, how urgent it is, for whom, and from when on, as an ISO date. */
  readonly submitted?: {
    readonly queue: string;
    readonly priority: number;
    readonly tenant?: string;
    readonly notBefore?: string;
  };
  /** The run it shares its first entries with, when it is a fork; what those cost is no part of `spent`. */
  readonly forkedFrom?: { readonly runId: string; readonly at: Path; readonly sharedUsd: string };
}

/** A field of a place, with the value the run has for it. */
export interface OverlayChange {
  readonly path: Path;
  readonly field: string;
  /** Absent: the value was taken out, and the default holds. */
  readonly value?: Json;
}

/** One thing a run waits for. */
export interface WaitView {
  readonly path: Path;
  readonly kind: Wait["kind"];
  /** What is asked; empty where nobody is. */
  readonly prompt: string;
  readonly assignees?: readonly string[];
  /** An ISO date: when it goes on in any case. */
  readonly due?: string;
}

export interface OperationView {
  readonly path: Path;
  readonly kind: string;
  readonly status: Operation["status"];
  readonly attempts: number;
  readonly startedAt: string | null;
  /** Of its last attempt. */
  readonly durationMs: number | null;
  /** As recorded: null where the journal keeps none (a model call's prompt, an operation of a body). */
  readonly input: Json;
  readonly output: Json;
  /** The text that a streamed call without a result had said, or has said so far. */
  readonly partial?: string;
  readonly error: ErrorRecord | null;
  readonly spent: SpentView;
  readonly cached?: true;
  readonly model?: string;
  readonly failures?: readonly FailedAttempt[];
  readonly notes?: readonly string[];
}

/**
 * Everything a journal says, values included.
 *
 * @param entries the whole journal, from its first entry on.
 * @param readBlob fetches values kept aside; those it answers with undefined are shown by their size.
 */
export async function show(runId: string, entries: readonly Entry[], readBlob: ReadBlob): Promise<RunReport> {
  const run = fold(entries);
  const values = new Values(entries, readBlob);
  const operations: OperationView[] = [];
  for (const operation of nested(operationsOf(entries, run)))
    operations.push(await operationView(operation, values));
  return { run: await runView(runId, run, spendingOf(entries), values), operations };
}

/** A run as a whole, its input and output included. */
export async function runView(
  runId: string,
  run: RunRecord,
  spending: Spending,
  values: Values,
): Promise<RunView> {
  const { created, output, fingerprint, status, updatedAt, error = null, spent, limits } = run;
  const waitingFor = run.waits.map((wait) => waitView(run, wait)); // the record may go on while values are fetched
  const undone = undoneIn(run);
  const charges = chargesOf(spending, run);
  const { held } = spending; // with what the view begins with, as these
  const began = created?.at ?? updatedAt;
  const overlay = created?.overlay === undefined ? [] : changesIn(await values.fetch(created.overlay));
  return {
    runId,
    pipeline: created?.pipeline ?? "",
    fingerprint,
    status,
    createdAt: iso(began),
    updatedAt: iso(updatedAt),
    durationMs: updatedAt - began,
    input: created === undefined ? null : readableJson(await values.fetch(created.input)),
    output: output === undefined ? null : readableJson(await values.output(output)),
    error,
    waitingFor,
    ...(undone === undefined ? {} : { undone }),
    spent: spentView(spent),
    held: spentView(held),
    charges,
    limits: limitsView(limits),
    ...(created?.scopes === undefined ? {} : { scopes: created.scopes.map(scopeName) }),
    ...(overlay.length === 0 ? {} : { overlay }),
    origin: created?.origin ?? null,
    ...(created?.dispatch === undefined ? {} : { submitted: submittedView(created.dispatch) }),
    ...(created?.forkedFrom === undefined ? {} : { forkedFrom: forkView(created.forkedFrom) }),
  };
}

function submittedView({
  queue = defaultQueue,
  priority = 0,
  tenant,
  notBefore,
}: DispatchTerms): NonNullable<RunView["submitted"]> {
  return {
    queue,
    priority,
    ...(tenant === undefined ? {} : { tenant }),
    ...(notBefore === undefined ? {} : { notBefore: iso(notBefore) }),
  };
}

/** The last word on each field. */
export function changesIn(overlay: Json): readonly OverlayChange[] {
  const changes = new Map<string, OverlayChange>();
  if (!Array.isArray(overlay)) return []; // the store has lost it, or it is too large to be shown
  for (const operation of decode(overlay) as Overlay) {
    if (operation.op === "test") continue; // what a run records is a patch
    const [path, field] = placeIn(operation.path);
    const value = "value" in operation ? { value: operation.value as Json } : {}; // a patch is JSON
    changes.set(operation.path, { path, field, ...value });
  }
  return [...changes.values()];
}

const forkView = ({ runId, at, picoUsd }: ForkedFrom): NonNullable<RunView["forkedFrom"]> => ({
  runId,
  at,
  sharedUsd: decimalUsd(BigInt(picoUsd)),
});

function waitView(run: RunRecord, { path, kind, due }: Wait): WaitView {
  const assignees = askedAt(run, path)?.assignees;
  return {
    path,
    kind,
    prompt: promptAt(run, path),
    ...(assignees === undefined ? {} : { assignees }),
    ...(due === undefined ? {} : { due: iso(due) }),
  };
}

/** Limits as people and programs read them. */
export function limitsView({ picoUsd, ...rest }: Limits): RunView["limits"] {
  return picoUsd === undefined ? rest : { costUsd: decimalUsd(BigInt(picoUsd)), ...rest };
}

const scopeName = ({ scope, per }: ScopeRecord): string =>
  per === undefined ? scope : `${scope}, each ${per}`;

/** An operation at a glance: everything but the values. */
export type OperationLine = Omit<OperationView, "input" | "output" | "partial">;

export function operationLine(operation: Operation): OperationLine {
  const { path, kind, status, attempts, error, failures, spent, cached, model, notes } = operation;
  return {
    path,
    kind,
    status,
    attempts,
    startedAt: operation.startedAt === undefined ? null : iso(operation.startedAt),
    durationMs: operation.durationMs ?? null,
    error: error ?? null,
    spent: spentView(spent),
    ...(cached ? { cached } : {}),
    ...(model === undefined || kind !== "model-call" ? {} : { model }),
    ...(failures.length === 0 ? {} : { failures }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** An operation with its values. */
export async function operationView(operation: Operation, values: Values): Promise<OperationView> {
  const { out, said } = operation;
  const output = out === undefined ? undefined : "json" in out ? out.json : await values.of(out.ref);
  const partial = out === undefined ? textIn(said) : "";
  const { path, kind, status, attempts, startedAt, durationMs, ...rest } = operationLine(operation);
  return {
    path,
    kind,
    status,
    attempts,
    startedAt,
    durationMs,
    input: operation.in === undefined ? null : readableJson(await values.of(operation.in)),
    output: readableJson(output),
    ...(partial === "" ? {} : { partial }),
    ...rest,
  };
}

const textIn = (said: Operation["said"]): string =>
  blocksOf(said)
    .filter(({ kind }) => kind === "text")
    .map(({ text }) => text)
    .join("");

const iso = (ms: number): string => new Date(ms).toISOString();
