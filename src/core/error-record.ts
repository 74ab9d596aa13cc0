import {
  BudgetExceededError,
  type Charge,
  type ErrorFacts,
  type ExceededLimit,
  FlujoError,
  ModelCallError,
  type OnLimit,
  plainErrors,
  StepFailedError,
} from "./errors.ts";
import type { Json } from "./json.ts";

/** An error as the journal keeps it. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly path?: string;
  readonly hint?: string;
  readonly details?: Json;
}

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

/**
 * An error again, from its record, and of its class: a body that goes on from what is recorded catches what it caught the first
 * time. Where a record does not have all facts of its class, it is a FlujoError of the code.
 */
export function reviveError(record: ErrorRecord, runId?: string): FlujoError {
  const { code, message, details } = record;
  const facts: ErrorFacts = { ...record, runId };
  if (code === "budget-exceeded")
    return new BudgetExceededError(message, { ...facts, ...exceededIn(details) });
  if (code === "model-call-failed") return new ModelCallError(message, { ...facts, ...chargeIn(details) });
  const Plain = plainErrors.get(code);
  return Plain === undefined ? new FlujoError(code, message, facts) : new Plain(message, facts);
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

/** What a failed call may have cost, from its record. */
const chargeIn = (details: Json | undefined): { charge: Charge; retryAfterMs?: number } =>
  details === undefined
    ? { charge: "in-doubt" } // recorded by an older Flujo
    : (details as { charge: Charge; retryAfterMs?: number }); // as ModelCallError wrote it

const wellFormed = (text: string): string => text.toWellFormed();
