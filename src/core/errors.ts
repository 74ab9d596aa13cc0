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

/** An error as the journal keeps it. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly path?: string;
  readonly hint?: string;
  readonly details?: Json;
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
    Object.defineProperty(this, brand, { value: true });
  }

  /** What the journal keeps of it beside its message. */
  get details(): Json | undefined {
    return undefined;
  }

  /** True for an error of any copy of Flujo loaded in this process, where `instanceof` knows only its own. */
  static isInstance(error: unknown): error is FlujoError {
    return typeof error === "object" && error !== null && brand in error;
  }
}

function failure(code: string) {
  return class extends FlujoError {
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

/** The facts of a refusal, from its record. */
function exceededIn(details: Json | undefined): { onLimit?: OnLimit; exceeded?: ExceededLimit } {
  if (details === undefined) return {}; // recorded by an older Flujo
  // As BudgetExceededError wrote it.
  const { onLimit, exceeded } = details as unknown as {
    onLimit: OnLimit;
    exceeded?: Omit<ExceededLimit, Amounts> & Record<Amounts, string>;
  };
  if (exceeded === undefined) return { onLimit };
  const { allowed, used, needed } = exceeded;
  return {
    onLimit,
    exceeded: { ...exceeded, allowed: BigInt(allowed), used: BigInt(used), needed: BigInt(needed) },
  };
}
type Amounts = "allowed" | "used" | "needed";

export class OutcomeUnknownError extends failure("outcome-unknown") {}
export class ToolLoopError extends failure("tool-loop") {}
export class CancelledError extends failure("cancelled") {}

/** What a failed model call may have cost: nothing, provably, or in doubt (then its whole reservation counts). */
export type Charge = "none" | "in-doubt";

export class ModelCallError extends FlujoError {
  readonly charge: Charge;
  /** How long the provider asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: ErrorFacts & { charge: Charge; retryAfterMs?: number | undefined }) {
    super("model-call-failed", message, facts);
    this.charge = facts.charge;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

export class UnknownRunError extends failure("unknown-run") {}
export class RunExistsError extends failure("run-exists") {}
export class RunEndedError extends failure("run-ended") {}

/** Why what was sent to a run was not taken: it does not fit, there is an answer already, its time is over, nothing waits. */
export type SignalRefusal = "unfit" | "answered" | "late" | "unasked";

export class SignalRefusedError extends FlujoError {
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

/** Gives an error its place, when it has none yet. A thrown value that is no FlujoError becomes a StepFailedError. */
export function placed(thrown: unknown, path: string): FlujoError {
  if (!FlujoError.isInstance(thrown)) {
    return new StepFailedError(`${path} failed: ${told(thrown)}`, { path, cause: thrown, retryable: true });
  }
  if (thrown.path === undefined) Object.defineProperty(thrown, "path", { value: path, enumerable: true });
  return thrown;
}

/** The journal's form of any thrown value. A thrown non-Flujo error is `fallbackCode`. */
export function recordError(thrown: unknown, path?: string, fallbackCode = "step-failed"): ErrorRecord {
  if (FlujoError.isInstance(thrown)) {
    const at = thrown.path ?? path;
    return {
      code: thrown.code,
      message: wellFormed(thrown.message),
      retryable: thrown.retryable,
      ...(at === undefined ? {} : { path: at }),
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      ...(thrown.details === undefined ? {} : { details: thrown.details }),
    };
  }
  return {
    code: fallbackCode,
    message: wellFormed(told(thrown)),
    retryable: true,
    ...(path === undefined ? {} : { path }),
  };
}

/** What was thrown, in a line; with its cause, which alone says why a `fetch failed`. */
function told(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { name, message, cause } = thrown;
  const why = cause instanceof Error ? cause.message || (cause as { code?: unknown }).code : undefined; // Node's errors have one
  return typeof why === "string" && why !== "" ? `${name}: ${message} (${why})` : `${name}: ${message}`;
}

/** An error again, from its record. */
export function reviveError(record: ErrorRecord, runId?: string): FlujoError {
  if (record.code === "budget-exceeded")
    return new BudgetExceededError(record.message, { ...record, runId, ...exceededIn(record.details) });
  return new FlujoError(record.code, record.message, { ...record, runId });
}

const wellFormed = (text: string): string => text.toWellFormed();
