/** What a journal says of its run: what `fold.ts` makes of the entries, and what can be read from it. */
import type { Purchase } from "./context.ts";
import type { Amount, EntryOf, Ref, StreamedText } from "./entries.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { Json } from "./json.ts";
import { type Limits, nothingSpent, type Spent } from "./limits.ts";
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

/** The paths that a waiting run waits for somebody to send something to. */
export const awaitedPaths = (run: RunRecord): Path[] => addressed(run.waits);

/** What is asked at a path, or was last: by a place, or by an operation. */
export const askedAt = (run: RunRecord, path: Path): Awaited | Question | undefined =>
  run.awaited.get(path) ?? run.questions.get(path)?.at(-1);

/** What is asked at a path, in words. */
export const promptAt = (run: RunRecord, path: Path): string => askedAt(run, path)?.prompt ?? "";

/** How an alert is known to have come. */
export const alertKey = (scope: string, percent: number): string => `${percent} ${scope}`;

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
