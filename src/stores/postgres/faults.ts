import { FlujoError, StoreCorruptError, StoreUnavailableError } from "../../core/errors.ts";
import { misplaced } from "../../ports/store-rules.ts";

type Letter = readonly [message: string, hint: string, retryable: boolean];

const away: Letter = [
  "the server does not answer",
  "Check that it runs, and that its address and port are right. What was acknowledged is kept.",
  true,
];
const refused: Letter = [
  "the server lets nobody in under that name",
  "Check the user and the password in the URI.",
  false,
];
const full: Letter = [
  "the server's disk or memory is full",
  "Make room there. What was acknowledged is kept.",
  true,
];
const crowded: Letter = [
  "the server has no connection left",
  "Raise its max_connections, put a pooler in front of it, or lower ?connections= in the URI.",
  true,
];
const forbidden: Letter = [
  "the user may not do that",
  "On first use Flujo makes a schema: the user needs CREATE on the database, or all rights on the schema.",
  false,
];
const unknownDatabase: Letter = [
  "there is no such database",
  "Make it, with createdb, or name another one.",
  false,
];
const readOnly: Letter = [
  "the server takes no writes now",
  "It is a standby, or about to become the primary: name the primary in the URI.",
  true,
];
const late: Letter = [
  "the answer took too long",
  "Look for what keeps the server busy, or holds locks.",
  true,
];

const unknown: Letter = ["it says what Flujo does not know", "Look into the server's log.", false];

/** By the code of SQLSTATE, or else by its class: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const byState: { readonly [state: string]: Letter } = {
  "08": away,
  "57P": away,
  "28": refused,
  "3D000": unknownDatabase,
  "42501": forbidden,
  "25006": readOnly,
  "53300": crowded,
  "53": full,
  "55P03": late,
  "57014": late,
  "25P03": late,
  "40": late,
};

/** By the operating system's name for it. */
const bySystemCode: { readonly [code: string]: Letter } = {
  ECONNREFUSED: away,
  ECONNRESET: away,
  EPIPE: away,
  ETIMEDOUT: away,
  EHOSTUNREACH: away,
  ENETUNREACH: away,
  ENOTFOUND: away,
  EAI_AGAIN: away,
  ENOENT: away,
};

/** What pg says of a connection that has gone, without a code. */
const gone =
  /^(Connection terminated|timeout (exceeded when trying to connect|expired)|Client (has encountered a connection error|was closed)|Received unexpected|There was an error establishing an SSL connection)/;
const tooLate = /^Query read timeout/;

/** What is there is not what was written. */
const damages = new Set(["XX001", "XX002"]);
/** What the server itself has said. */
const isState = /^[0-9A-Z]{5}$/;

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** The server has ended the transaction for the sake of another one, and undone it: serialization, deadlock. */
export const isTransient = (error: unknown): boolean => ["40001", "40P01"].includes(codeOf(error));

/** Nobody knows whether it was done; nothing more comes on that connection. */
export const isLate = (error: unknown): boolean => error instanceof Error && tooLate.test(error.message);

/** The error a caller of the store named `store` should see. */
export function storeError(error: unknown, store: string): unknown {
  if (FlujoError.isInstance(error) || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === "FJ001" && "detail" in error) {
    const { run, seq, expected } = JSON.parse(String(error.detail)) as {
      run: string;
      seq: number;
      expected: number;
    };
    return misplaced(run, seq, expected);
  }
  if (damages.has(code)) {
    return new StoreCorruptError(`${store} is damaged: ${error.message}`, {
      cause: error,
      hint: "Look into the server's log, and restore it from a copy.",
    });
  }
  const letter = letterFor(code, error.message);
  if (letter === undefined) return error;
  const [message, hint, retryable] = letter;
  return new StoreUnavailableError(`${store} is not available: ${message} (${error.message || code})`, {
    cause: error,
    hint,
    retryable,
  });
}

function letterFor(code: string, message: string): Letter | undefined {
  if (gone.test(message)) return away;
  if (tooLate.test(message)) return late;
  if (code in bySystemCode) return bySystemCode[code];
  if (!isState.test(code)) return undefined;
  return byState[code] ?? byState[code.slice(0, 3)] ?? byState[code.slice(0, 2)] ?? unknown;
}
