/**
 * The journal: the append-only record of one run. An entry is a noun and a past verb. What entries mean together is
 * `fold.ts`; stores keep them without knowing.
 */
import type { LimitKind } from "./balance.ts";
import type { Purchase } from "./context.ts";
import type { DispatchTerms } from "./dispatch.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { Json } from "./json.ts";
import type { Limits } from "./limits.ts";
import type { Path } from "./paths.ts";
import type { ScopeRecord } from "./scopes.ts";
import type { Patch } from "./state.ts";
import type { Wait } from "./waiting.ts";

/**
 * Where a value came from, so that it is stored once: the output of the entry numbered `n`, or an element of it.
 * `0` is the run's input.
 */
export type Ref = number | readonly [seq: number, ...keys: (string | number)[]];

/** Money and tokens of one reservation or settlement; `picoUsd` is a decimal string. */
export interface Amount {
  readonly picoUsd: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export type Fact =
  | RunCreated
  | {
      readonly type: "run-resumed";
      readonly owner: string;
      readonly fence: number;
      readonly why: "resumed" | "taken-over" | "woken";
      readonly fingerprint?: string;
      readonly manifest?: string;
      readonly outline?: string;
      readonly forced?: readonly Path[];
      readonly limits?: Limits;
    }
  /** The output itself where it is small; a large one is found by its reference. */
  | { readonly type: "run-completed"; readonly output?: Json; readonly from: Ref }
  /** Somebody gave the place another input when the run was forked there. */
  | { readonly type: "input-replaced"; readonly path: Path; readonly output: Json }
  /** A check has made another value of an output or an input; from here on that one counts. */
  | { readonly type: "value-altered"; readonly path: Path; readonly output: Json }
  /** `left`: places that were to be undone and are not. Absent: none. */
  | { readonly type: "run-failed"; readonly error: ErrorRecord; readonly left?: readonly Path[] }
  | { readonly type: "run-halted"; readonly error: ErrorRecord }
  /**
   * `signals`: the paths that somebody has to send something to. `waits`: all it waits for; absent in old journals.
   * `heard`: how many of the signals sent to the run it has seen; absent: none.
   */
  | {
      readonly type: "run-waiting";
      readonly signals: readonly Path[];
      readonly waits?: readonly Wait[];
      readonly heard?: number;
    }
  | { readonly type: "run-cancelled"; readonly error: ErrorRecord; readonly left?: readonly Path[] }
  | {
      readonly type: "step-started";
      readonly path: Path;
      readonly kind: string;
      readonly attempt: number;
      readonly in?: Ref;
    }
  | {
      readonly type: "step-completed";
      readonly path: Path;
      readonly kind: string;
      /** Absent: the first. Left out, as `took`, because a run may have 100,000 of these. */
      readonly attempt?: number;
      readonly in?: Ref;
      readonly output: Json;
      readonly state?: Patch;
      /** Milliseconds. Absent: none. */
      readonly took?: number;
      readonly cached?: true;
    }
  | {
      readonly type: "step-failed";
      readonly path: Path;
      readonly kind: string;
      readonly attempt: number;
      readonly in?: Ref;
      readonly error: ErrorRecord;
      readonly took: number;
    }
  | {
      readonly type: "container-completed";
      readonly path: Path;
      readonly kind: string;
      readonly in?: Ref;
      readonly out: Ref | readonly Ref[] | { readonly [branch: string]: Ref };
      readonly took: number;
      readonly collect?: true;
    }
  /** `error`: why, of an operation inside a body; a step's failed attempt has an entry of its own. */
  | {
      readonly type: "retry-scheduled";
      readonly path: Path;
      readonly attempt: number;
      readonly due: number;
      readonly error?: ErrorRecord;
    }
  | { readonly type: "fallback-taken"; readonly path: Path; readonly to: Path; readonly error: ErrorRecord }
  | { readonly type: "failure-collected"; readonly path: Path; readonly error: ErrorRecord }
  /** No kept result fits; the place does its work, also when the run is resumed after others have kept one. */
  | { readonly type: "cache-missed"; readonly path: Path }
  | { readonly type: "branch-chosen"; readonly path: Path; readonly key: string }
  | { readonly type: "loop-judged"; readonly path: Path; readonly done: boolean }
  | {
      readonly type: "map-started";
      readonly path: Path;
      readonly count: number;
      readonly keys?: readonly string[];
      readonly items?: Json;
    }
  /** In the store before the work begins: whoever finds no end to it knows that it may have happened. */
  | { readonly type: "operation-started"; readonly path: Path; readonly kind: string }
  /** Its beginning is in the store, and in doubt no more: it was stopped before it began, or a later attempt has asked. */
  | { readonly type: "operation-withdrawn"; readonly path: Path }
  | {
      readonly type: "operation-completed";
      readonly path: Path;
      readonly kind: string;
      readonly output: Json;
      /** Texts of the output that were streamed: in the output itself an empty one stands in their place. */
      readonly texts?: readonly StreamedText[];
      readonly took: number;
    }
  | {
      readonly type: "operation-failed";
      readonly path: Path;
      readonly kind: string;
      readonly attempt: number;
      readonly error: ErrorRecord;
      readonly took: number;
    }
  /** The time of its process was over: a step or an operation, cut off after so many milliseconds, and to be done again. */
  | { readonly type: "operation-cut"; readonly path: Path; readonly after: number }
  | { readonly type: "timer-set"; readonly path: Path; readonly due: number }
  /** `asks`: what an operation inside a body wants to know; without it, the answer is the place's own output. */
  | {
      readonly type: "signal-awaited";
      readonly path: Path;
      readonly prompt: string;
      readonly asks?: "approval" | "outcome";
      /** Absent: a person. */
      readonly kind?: "signal";
      readonly assignees?: readonly string[];
      readonly context?: Json;
      /** The JSON Schema of the answer, or the name of the library whose schema it is. Absent: an approval. */
      readonly answer?: Json;
      /** When its time is over, in milliseconds since 1970. */
      readonly due?: number;
      /** How many are asked one after the other. Absent: one. */
      readonly rounds?: number;
    }
  /** Nobody has answered in time: others are asked. `of`: the seq of the question; `round` counts those who were asked before. */
  | {
      readonly type: "signal-escalated";
      readonly path: Path;
      readonly of: number;
      readonly round: number;
      readonly assignees?: readonly string[];
      readonly due?: number;
    }
  /** `id`, `by`, `sentAt`: of the signal that was taken. `late`: nothing came in time, and the author's value was taken. */
  | {
      readonly type: "signal-received";
      readonly path: Path;
      readonly output: Json;
      readonly id?: string;
      readonly by?: string;
      readonly sentAt?: number;
      readonly late?: true;
    }
  /** The answer to an operation's question; `of`: the seq of its `signal-awaited`. `late`: as of `signal-received`. */
  | {
      readonly type: "question-answered";
      readonly path: Path;
      readonly of: number;
      readonly output: Json;
      readonly by?: string;
      readonly sentAt?: number;
      readonly late?: true;
    }
  /** A place with a budget of its own was entered for the first time: its wall clock starts here. */
  | { readonly type: "scope-opened"; readonly path: Path; readonly limits: Limits }
  /** A place with a compensation has completed: `in` and `out` are what it was given and what came of it. */
  | { readonly type: "compensation-owed"; readonly path: Path; readonly in: Ref; readonly out: Ref }
  /** The run is at its end, and something is to be undone: from here on nothing else is done. `state`: as it was then. */
  | {
      readonly type: "compensation-begun";
      readonly why: "failed" | "cancelled";
      readonly error: ErrorRecord;
      readonly state: Json;
    }
  /** `path`: of the place that is undone. `of`: the seq of its `compensation-owed`. `state`: what it sees; absent: none. */
  | {
      readonly type: "compensation-started";
      readonly path: Path;
      readonly of: number;
      readonly reason: ErrorRecord;
      readonly state?: Json;
    }
  | { readonly type: "compensation-completed"; readonly path: Path; readonly took: number }
  | {
      readonly type: "compensation-failed";
      readonly path: Path;
      readonly error: ErrorRecord;
      readonly took: number;
    }
  /** Somebody cancelled a run that nobody advances and that has something to undo: who has its pipeline goes on with it. */
  | { readonly type: "cancellation-requested"; readonly reason: string }
  /** The price a model's calls are charged by: before its first call, and again when it has changed. */
  | ModelPriced
  /**
   * `kind`: what is bought, when it is no model call. `asked`: the request, by hashes of its parts. `hold` and `accounts`: what is
   * held for it in the shared ledger. `sent`: the `SentMessage`s of a model call that earlier entries do not have; only the
   * first try of a call says it.
   */
  | {
      readonly type: "budget-reserved";
      readonly path: Path;
      readonly model: string;
      readonly kind?: Purchase;
      readonly amount: Amount;
      readonly asked?: string;
      readonly sent?: Json;
      readonly hold?: string;
      readonly accounts?: readonly string[];
    }
  /** `of`: the seq of the reservation. `doubt`: nobody knows what the call cost, so all of it counts. */
  | {
      readonly type: "budget-settled";
      readonly path: Path;
      readonly of: number;
      readonly amount: Amount;
      readonly doubt?: true;
    }
  /** A provider used more than the call allowed it to; what it said is what counts. */
  | {
      readonly type: "budget-breached";
      readonly path: Path;
      readonly of: number;
      readonly allowed: Amount;
      readonly amount: Amount;
    }
  | { readonly type: "budget-released"; readonly path: Path; readonly of: number }
  /** Somebody raised the run's limits, here to what they are now. `by`: the id of the signal that asked for it. */
  | { readonly type: "budget-raised"; readonly by: string; readonly limits: Limits }
  /** What is spent has reached a part of a limit. Recorded once for each scope and part. `path`: the run or place it is of, unless a shared scope. */
  | {
      readonly type: "budget-threshold";
      readonly path: Path;
      readonly scope: string;
      readonly percent: number;
      readonly of: LimitKind;
    }
  /** Pieces of an answer, in the order they came, equal ones kept. What one call says is in the entries of its reservation. */
  | {
      readonly type: "text-streamed";
      readonly path: Path;
      /** The seq of the call's reservation. */
      readonly of: number;
      /** Which of the answer's texts, from 0. */
      readonly block: number;
      /** Absent: the answer itself. A tool call's text is its arguments. */
      readonly kind?: Exclude<BlockKind, "text">;
      readonly chunks: readonly string[];
      /** In a call's first entry: the hash of what was asked, when a later try may go on with this answer. */
      readonly request?: string;
      /** In a call's first entry: the reservation of the cut try this one goes on with. */
      readonly follows?: number;
    };

/** A message as it was sent to a model, for readers. Of an image or a file it says what it is. */
export interface SentMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** Whose result it is. */
  readonly tool?: string;
  readonly failed?: boolean;
}

/** What a text of an answer is. */
export type BlockKind = "text" | "reasoning" | "tool-call";

/** A text that stands in streamed entries: where in the output it belongs, and the blocks it is made of. */
export interface StreamedText {
  readonly at: readonly (string | number)[];
  readonly from: readonly (readonly [of: number, block: number])[];
}

export interface ModelPriced {
  readonly type: "model-priced";
  readonly model: string;
  readonly source: string;
  /** The day of which the source says so. */
  readonly date?: string;
  /** The highest rates that can apply: decimal strings of pico-dollars a token. */
  readonly input: string;
  readonly output: string;
  /** Pico-dollars an image, where the model is paid by the image. */
  readonly image?: string;
}

export interface RunCreated {
  readonly type: "run-created";
  readonly pipeline: string;
  readonly fingerprint: string;
  /** The blob that lists the tree's places and their hashes. */
  readonly manifest: string;
  /** The blob with its `Outline`. Absent in old journals. */
  readonly outline?: string;
  readonly input: Json;
  readonly state: Json;
  readonly limits?: Limits;
  /** The shared accounts the run is charged to, beside its own. */
  readonly scopes?: readonly ScopeRecord[];
  /** Parts of the run's own limits, in percent, at which an alert is due. */
  readonly alertAt?: readonly number[];
  /** Where the pipeline was loaded from, so that `flujo resume` finds it again. */
  readonly origin?: { readonly file: string; readonly export: string };
  /** The run it shares its first entries with. */
  readonly forkedFrom?: ForkedFrom;
  /** What was changed of the tree's prompts and settings for this run: the stored form of an `Overlay`. */
  readonly overlay?: Json;
  /** Of a run that was submitted: how it wants to be handed to a process. */
  readonly dispatch?: DispatchTerms;
}

/** Where a run was forked. */
export interface ForkedFrom {
  readonly runId: string;
  readonly at: Path;
  /** How many entries after the first are copies of the other run's, or say what was changed. */
  readonly entries: number;
  /** What those cost the other run: a decimal string of pico-dollars, no part of what this one spends. */
  readonly picoUsd: string;
}

/** A fact in its place: `seq` counts from 0 within the run, `at` is milliseconds since 1970. */
export type Entry = Fact & { readonly seq: number; readonly at: number };
export type EntryType = Fact["type"];
export type EntryOf<T extends EntryType> = Extract<Fact, { type: T }> & {
  readonly seq: number;
  readonly at: number;
};

/** A value kept aside by its hash: `{ "$type": "blob", "hash": …, "size": … }` stands in its place. */
export interface BlobRef {
  readonly $type: "blob";
  readonly hash: string;
  readonly size: number;
}

export function isBlobRef(json: Json | undefined): json is BlobRef & { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && (json as { $type?: Json }).$type === "blob";
}
