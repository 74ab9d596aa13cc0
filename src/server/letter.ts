/** Errors as HTTP answers: the letters that the command line prints, with a status. */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { FlujoError, type SignalRefusal, type SignalRefusedError } from "../core/errors.ts";

/** A request that is refused for what it is, not for what became of a run. */
export class Refusal extends FlujoError {
  readonly status: ContentfulStatusCode;

  constructor(status: ContentfulStatusCode, code: string, message: string, hint?: string) {
    super(code, message, { hint, retryable: status === 429 || status === 503 });
    this.status = status;
  }
}

/** The body of every answer that is an error. */
export interface Letter {
  readonly error: {
    readonly code: string;
    readonly message: string;
    /** What to do next. */
    readonly hint?: string;
    readonly runId?: string;
    readonly path?: string;
    /** Whether the same request may succeed later. */
    readonly retryable: boolean;
  };
}

const statuses: { readonly [code: string]: ContentfulStatusCode } = {
  "invalid-run-id": 400,
  "invalid-option": 400,
  "invalid-input": 422,
  "invalid-pipeline": 422,
  "unstorable-value": 422,
  "unknown-model": 422,
  "unpriced-model": 422,
  "missing-package": 422,
  "missing-key": 422,
  "version-changed": 409,
  "budget-exceeded": 409,
  "unknown-run": 404,
  "run-ended": 409,
  "run-exists": 409,
  "lease-held": 409,
  "lease-lost": 503,
  "delivery-failed": 502,
  "store-unavailable": 503,
};

const ofRefusedSignals: { readonly [why in SignalRefusal]: ContentfulStatusCode } = {
  unfit: 422,
  answered: 409,
  late: 409,
  unasked: 409,
};

/** The status of an error. 500: a fault of ours, or of the store. */
export function statusOf(error: unknown): ContentfulStatusCode {
  if (error instanceof Refusal) return error.status;
  if (!FlujoError.isInstance(error)) return 500;
  if (error.code === "signal-refused") return ofRefusedSignals[(error as SignalRefusedError).because]; // its class, of whichever copy of Flujo
  return statuses[error.code] ?? 500;
}

/** What the caller is told. Of a fault nobody foresaw, only that there was one: its message may quote anything. */
export function letterOf(error: unknown): Letter {
  if (!FlujoError.isInstance(error)) {
    const message = "the server failed at this request";
    const hint = "Its log says more. The runs are in the store as they were.";
    return { error: { code: "unexpected", message, hint, retryable: false } };
  }
  const { code, message, hint, runId, path, retryable } = error;
  return {
    error: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(runId === undefined ? {} : { runId }),
      ...(path === undefined ? {} : { path }),
      retryable,
    },
  };
}
