/**
 * Every failure Flujo reports, as a tree:
 *
 *     FlujoError
 *     ├─ before anything runs
 *     │  ├─ InvalidPipelineError   invalid-pipeline    the tree cannot run: the problems, each with its path
 *     │  ├─ InvalidRunIdError      invalid-run-id
 *     │  ├─ InvalidOptionError     invalid-option      a duration, amount, limit that cannot be read
 *     │  ├─ InvalidInputError      invalid-input       the input does not fit its schema
 *     │  ├─ InvalidDatasetError    invalid-dataset     what is wrong with the cases, each with its line
 *     │  ├─ UnknownModelError      unknown-model       no such provider or model
 *     │  ├─ UnpricedModelError     unpriced-model      a cost limit, and a model without a price
 *     │  ├─ MissingPackageError    missing-package     an optional package is not installed
 *     │  ├─ MissingKeyError        missing-key         a provider's API key or address is not set
 *     │  └─ VersionChangedError    version-changed     the pipeline differs where work is recorded
 *     ├─ while running
 *     │  ├─ StepFailedError        step-failed         a body threw
 *     │  ├─ TimeoutError           timeout
 *     │  ├─ InvalidOutputError     invalid-output      an output does not fit its schema
 *     │  ├─ UnstorableValueError   unstorable-value    a value the journal cannot hold
 *     │  ├─ StateConflictError     state-conflict      two branches changed one field
 *     │  ├─ UnknownBranchError     unknown-branch
 *     │  ├─ LoopLimitError         loop-limit
 *     │  ├─ DuplicateKeyError      duplicate-key       two map items with one key
 *     │  ├─ ModelCallError         model-call-failed
 *     │  ├─ OutcomeUnknownError    outcome-unknown     a tool was in flight at a crash, and is not to run twice
 *     │  ├─ ToolLoopError          tool-loop           an agent calls a tool with the same arguments for ever
 *     │  ├─ BudgetExceededError    budget-exceeded     the run halts, or the place fails
 *     │  └─ CancelledError         cancelled
 *     └─ about runs and stores
 *        ├─ UnknownRunError        unknown-run
 *        ├─ RunExistsError         run-exists          a run was to be a new one
 *        ├─ RunEndedError          run-ended
 *        ├─ SignalRefusedError     signal-refused
 *        ├─ LeaseHeldError         lease-held          another process advances this run
 *        ├─ LeaseLostError         lease-lost          this process no longer does
 *        ├─ OutOfTimeError         out-of-time         an operation was cut off for want of time, and would be again
 *        ├─ HookFailedError        hook-failed         a hook threw, or did not come back
 *        ├─ DeliveryFailedError    delivery-failed     a sink did not take an event
 *        ├─ DispatcherUnavailableError  dispatcher-unavailable   what hands runs to processes cannot be reached
 *        ├─ StoreCorruptError      store-corrupt
 *        ├─ StoreNewerError        store-newer         written by a newer Flujo
 *        └─ StoreUnavailableError  store-unavailable   disk full, read-only, not reachable
 */
import type { Json } from "./json.ts";

const brand = Symbol.for("flujo.error");

/** Facts an error carries beside its message. */
export interface ErrorFacts {
  /** Where it happened, when it happened inside a run: `/q3/AnalyseAll[Alpha]/fetch`. */
  readonly path?: string | undefined;
  readonly runId?: string | undefined;
  readonly cause?: unknown;
  /** Whether doing the same again may help. */
  readonly retryable?: boolean | undefined;
  /** What to do next: a sentence. Printed after the message. */
  readonly hint?: string | undefined;
}

/**
 * The root of every error Flujo throws or reports: a stable `code`, a place, and whether trying again may help.
 *
 * ```ts
 * try {
 *   await new Flujo(greet).resume("no-such-run").result();
 * } catch (error) {
 *   if (FlujoError.isInstance(error)) console.error(error.code, error.message, error.hint);
 * }
 * ```
 */
export class FlujoError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly path: string | undefined;
  readonly runId: string | undefined;
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = facts.retryable ?? false;
    this.path = facts.path;
    this.runId = facts.runId;
    this.hint = facts.hint;
    const known = classes.get(code);
    Object.defineProperty(this, brand, { value: known !== undefined && this instanceof known ? code : "" });
  }

  /** What the journal keeps of it beside its message. */
  get details(): Json | undefined {
    return undefined;
  }

  /**
   * True for an error of this class, from any copy of Flujo loaded in this process: `instanceof` knows only its own copy.
   *
   * ```ts
   * const result = await new Flujo(greet).run("Ada");
   * if ("error" in result && TimeoutError.isInstance(result.error)) console.error(result.error.path, "was too slow");
   * ```
   */
  static isInstance<E extends FlujoError>(this: ErrorClass<E>, error: unknown): error is E {
    // biome-ignore lint/complexity/noThisInStatic: each class asks for itself
    return isOf(this, error);
  }
}

function isOf<E extends FlujoError>(asking: ErrorClass<E>, error: unknown): error is E {
  if (typeof error !== "object" || error === null || !(brand in error)) return false;
  if (error instanceof asking) return true;
  const made: ErrorClass<FlujoError> | undefined = classes.get(String(error[brand]));
  return asking === made || asking.prototype === FlujoError.prototype;
}

/** A class of errors, whatever it is made with. */
type ErrorClass<E> = abstract new (...facts: never[]) => E;

function failure<Code extends string>(code: Code) {
  return class extends FlujoError {
    declare readonly code: Code;
    constructor(message: string, facts: ErrorFacts = {}) {
      super(code, message, facts);
    }
  };
}

/** One thing wrong with a pipeline, found before it runs. */
export interface Problem {
  /** `duplicate-name`, `fallback-cycle`, `unbounded-loop`, `missing-branch`, `unknown-model`, ... */
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

/** The tree cannot run; `problems` says where and why. */
export class InvalidPipelineError extends FlujoError {
  declare readonly code: "invalid-pipeline";
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const lines = problems.map((p) => `${p.path}: ${p.message}`);
    super("invalid-pipeline", `the pipeline cannot run:\n  ${lines.join("\n  ")}`, {
      path: problems[0]?.path,
    });
    this.problems = problems;
  }
}
export class InvalidRunIdError extends failure("invalid-run-id") {}
export class InvalidOptionError extends failure("invalid-option") {}
export class InvalidInputError extends failure("invalid-input") {}

/** One thing wrong with a dataset; its line, from 1, where it has one. */
export interface DatasetFault {
  readonly line?: number;
  readonly what: string;
}

const mostFaultsTold = 20;

/** Cases that cannot be read; `faults` says where and why. */
export class InvalidDatasetError extends FlujoError {
  declare readonly code: "invalid-dataset";
  readonly faults: readonly DatasetFault[];
  constructor(name: string, faults: readonly DatasetFault[], facts: ErrorFacts = {}) {
    const told = faults
      .slice(0, mostFaultsTold)
      .map(({ line, what }) => (line === undefined ? what : `line ${line}: ${what}`));
    const more = faults.length - told.length;
    if (more > 0) told.push(`and ${more} more`);
    super("invalid-dataset", `${name} is no dataset:\n  ${told.join("\n  ")}`, facts);
    this.faults = faults;
  }
}
export class UnknownModelError extends failure("unknown-model") {}
export class UnpricedModelError extends failure("unpriced-model") {}
export class MissingPackageError extends failure("missing-package") {}
export class MissingKeyError extends failure("missing-key") {}

/** Resuming would mix recorded work with a pipeline that has changed under it; `changed` lists the paths. */
export class VersionChangedError extends FlujoError {
  declare readonly code: "version-changed";
  readonly changed: readonly string[];
  /** @param strictly the fingerprints, where no other version at all is allowed. */
  constructor(
    runId: string,
    changed: readonly string[],
    strictly?: { readonly before: string; readonly now: string },
  ) {
    const what =
      strictly === undefined
        ? `has recorded work in parts of the pipeline that have changed since: ${changed.join(", ")}`
        : `is of version ${strictly.before} of the pipeline, this is ${strictly.now}, and no other version may go on with it`;
    super("version-changed", `run ${runId} ${what}`, {
      runId,
      path: changed[0],
      hint:
        strictly === undefined
          ? "Restore those parts, start a new run, or force it (flujo resume --force-version, resume(id, { forceVersion: true }))."
          : 'Go on with it where its version is served, or allow versions that fit what is recorded: version: "compatible" (flujo resume --version-policy compatible).',
    });
    this.changed = changed;
  }
}

export class StepFailedError extends failure("step-failed") {}
export class TimeoutError extends failure("timeout") {}
export class InvalidOutputError extends failure("invalid-output") {}
export class UnstorableValueError extends failure("unstorable-value") {}
export class StateConflictError extends failure("state-conflict") {}
export class UnknownBranchError extends failure("unknown-branch") {}
export class LoopLimitError extends failure("loop-limit") {}
export class DuplicateKeyError extends failure("duplicate-key") {}
/** What becomes of a call that a budget cannot pay: the run halts, or the place with the budget fails. */
export type OnLimit = "halt" | "fail";

/** The limit that refused. Amounts are in its own unit: pico-dollars, tokens, calls, milliseconds. */
export interface ExceededLimit {
  /** Whose limit it is: the run's, that of a place of it, or one that runs share. */
  readonly of: "run" | "place" | "shared";
  /** The path of the run or the place, or the name of the shared budget. */
  readonly scope: string;
  readonly limit: "cost" | "tokens" | "calls" | "toolCalls" | "time";
  readonly allowed: bigint;
  /** What is spent of it; what calls under way hold is not. */
  readonly used: bigint;
  /** The least that what was refused needs of it. For a limit of time 0: it is over. */
  readonly needed: bigint;
}

/** A call was refused before it was made, or the time is up. */
export class BudgetExceededError extends FlujoError {
  declare readonly code: "budget-exceeded";
  /** What the budget that refused wants to come of it. */
  readonly onLimit: OnLimit;
  /** Undefined where no amount would help: a model without a price, under a limit of cost. */
  readonly exceeded: ExceededLimit | undefined;
  constructor(
    message: string,
    facts: ErrorFacts & { readonly onLimit?: OnLimit; readonly exceeded?: ExceededLimit | undefined } = {},
  ) {
    super("budget-exceeded", message, facts);
    this.onLimit = facts.onLimit ?? "halt";
    this.exceeded = facts.exceeded;
  }

  override get details(): Json {
    const { onLimit, exceeded } = this;
    if (exceeded === undefined) return { onLimit };
    const { allowed, used, needed } = exceeded;
    return {
      onLimit,
      exceeded: { ...exceeded, allowed: `${allowed}`, used: `${used}`, needed: `${needed}` },
    };
  }
}

export class OutcomeUnknownError extends failure("outcome-unknown") {}
export class ToolLoopError extends failure("tool-loop") {}
export class CancelledError extends failure("cancelled") {}

/** What a failed model call may have cost: nothing, provably, or in doubt (then its whole reservation counts). */
export type Charge = "none" | "in-doubt";

export class ModelCallError extends FlujoError {
  declare readonly code: "model-call-failed";
  readonly charge: Charge;
  /** How long the provider asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: ErrorFacts & { charge: Charge; retryAfterMs?: number | undefined }) {
    super("model-call-failed", message, facts);
    this.charge = facts.charge;
    this.retryAfterMs = facts.retryAfterMs;
  }

  override get details(): Json {
    const { charge, retryAfterMs } = this;
    return { charge, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

export class UnknownRunError extends failure("unknown-run") {}
export class RunExistsError extends failure("run-exists") {}
export class RunEndedError extends failure("run-ended") {}

/** Why what was sent to a run was not taken: it does not fit, there is an answer already, its time is over, nothing waits. */
export type SignalRefusal = "unfit" | "answered" | "late" | "unasked";

export class SignalRefusedError extends FlujoError {
  declare readonly code: "signal-refused";
  readonly because: SignalRefusal;

  constructor(because: SignalRefusal, message: string, facts: ErrorFacts = {}) {
    super("signal-refused", message, facts);
    this.because = because;
  }
}

export class LeaseHeldError extends failure("lease-held") {}
export class LeaseLostError extends failure("lease-lost") {}
/** An operation was cut off for want of time, and would be again. */
export class OutOfTimeError extends failure("out-of-time") {}
export class HookFailedError extends failure("hook-failed") {}

/** A sink did not take an event. Not `retryable`: it never will, and the event becomes a dead letter at once. */
export class DeliveryFailedError extends FlujoError {
  declare readonly code: "delivery-failed";
  /** How long the receiver asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: ErrorFacts & { readonly retryAfterMs?: number | undefined } = {}) {
    super("delivery-failed", message, { retryable: true, ...facts });
    this.retryAfterMs = facts.retryAfterMs;
  }
}

export class StoreCorruptError extends failure("store-corrupt") {}
export class StoreNewerError extends failure("store-newer") {}
export class StoreUnavailableError extends failure("store-unavailable") {}
export class DispatcherUnavailableError extends failure("dispatcher-unavailable") {}

/** Whether what has kept a run from being gone on with may pass by itself: it says nothing of the run. */
export const mayPass = (error: unknown): boolean =>
  !FlujoError.isInstance(error) || error.retryable || StoreUnavailableError.isInstance(error);

/** The classes that are made of a message and the facts of every error, by their code. */
export const plainErrors: ReadonlyMap<string, new (message: string, facts: ErrorFacts) => FlujoError> =
  new Map<string, new (message: string, facts: ErrorFacts) => FlujoError>([
    ["invalid-run-id", InvalidRunIdError],
    ["invalid-option", InvalidOptionError],
    ["invalid-input", InvalidInputError],
    ["unknown-model", UnknownModelError],
    ["unpriced-model", UnpricedModelError],
    ["missing-package", MissingPackageError],
    ["missing-key", MissingKeyError],
    ["step-failed", StepFailedError],
    ["timeout", TimeoutError],
    ["invalid-output", InvalidOutputError],
    ["unstorable-value", UnstorableValueError],
    ["state-conflict", StateConflictError],
    ["unknown-branch", UnknownBranchError],
    ["loop-limit", LoopLimitError],
    ["duplicate-key", DuplicateKeyError],
    ["outcome-unknown", OutcomeUnknownError],
    ["tool-loop", ToolLoopError],
    ["cancelled", CancelledError],
    ["unknown-run", UnknownRunError],
    ["run-exists", RunExistsError],
    ["run-ended", RunEndedError],
    ["lease-held", LeaseHeldError],
    ["lease-lost", LeaseLostError],
    ["out-of-time", OutOfTimeError],
    ["hook-failed", HookFailedError],
    ["dispatcher-unavailable", DispatcherUnavailableError],
    ["store-corrupt", StoreCorruptError],
    ["store-newer", StoreNewerError],
    ["store-unavailable", StoreUnavailableError],
  ]);

/** All classes by the code that their errors have. */
const classes: ReadonlyMap<string, ErrorClass<FlujoError>> = new Map<string, ErrorClass<FlujoError>>([
  ...plainErrors,
  ["invalid-pipeline", InvalidPipelineError],
  ["invalid-dataset", InvalidDatasetError],
  ["version-changed", VersionChangedError],
  ["model-call-failed", ModelCallError],
  ["budget-exceeded", BudgetExceededError],
  ["signal-refused", SignalRefusedError],
  ["delivery-failed", DeliveryFailedError],
]);
