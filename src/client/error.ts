const brand = Symbol.for("flujo.client.error");

/** The letter of an answer that is an error. */
export interface LetterFacts {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly runId?: string;
  readonly path?: string;
  readonly retryable: boolean;
}

/**
 * A request that a server refused, or could not be reached for.
 *
 * ```ts
 * import { client, ClientError } from "flujo/client";
 *
 * const flujo = client({ url: "http://127.0.0.1:3583" });
 * try {
 *   await flujo.runs.signal("r", "/asking/approve", { approved: true });
 * } catch (error) {
 *   if (ClientError.isInstance(error) && error.status === 409) console.error(error.message);
 * }
 * ```
 */
export class ClientError extends Error {
  /** Of the HTTP answer; 0 when there was none. */
  readonly status: number;
  /** `unknown-run`, `signal-refused`, … ; `unreachable` when there was no answer, `unreadable` when it was not Flujo's. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string | undefined;
  readonly runId: string | undefined;
  readonly path: string | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(status: number, { code, message, hint, runId, path, retryable }: LetterFacts, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ClientError";
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.runId = runId;
    this.path = path;
    this.retryable = retryable;
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for an error of any copy of this client. */
  static isInstance(error: unknown): error is ClientError {
    return typeof error === "object" && error !== null && brand in error;
  }
}
