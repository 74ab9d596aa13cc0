import { FlujoError, StoreCorruptError, StoreUnavailableError } from "../../core/errors.ts";

/** How long a statement waits for another process to finish writing. */
export const busyTimeoutMs = 5_000;

type Letter = readonly [message: string, hint: string, retryable: boolean];

const full: Letter = [
  "the disk is full",
  "Free some space, then resume: what was acknowledged is kept.",
  true,
];
const readOnly: Letter = [
  "it cannot be written",
  "Check the rights of the file and its folder, or choose another place with --store or FLUJO_STORE.",
  false,
];
const cannotOpen: Letter = [
  "it cannot be opened",
  "Check that its folder exists, is a folder, and may be written; or choose another place with --store or FLUJO_STORE.",
  false,
];
const busy: Letter = [
  `another process has been writing it for over ${busyTimeoutMs / 1_000} seconds`,
  "Try again; if it lasts, look for a process that holds the database open in a transaction.",
  true,
];
const broken: Letter = ["the disk reports an error", "Check the disk and its connection, then resume.", true];

/** By SQLite's primary result code. */
const bySqliteCode: { readonly [code: number]: Letter } = {
  5: busy,
  6: busy,
  8: readOnly,
  10: broken,
  13: full,
  14: cannotOpen,
};

/** By the operating system's name for it, when the folder could not be made. */
const bySystemCode: { readonly [code: string]: Letter } = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: readOnly,
  EPERM: readOnly,
  EROFS: readOnly,
  ENOTDIR: cannotOpen,
  EEXIST: cannotOpen,
};

const notADatabase = 26;
const corrupt = 11;

/** What SQLite says, in its primary result code; undefined when the error is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff; // the upper bits say more than we need
}

export const isBusy = (error: unknown): boolean => sqliteCode(error) === 5;

/** The error a caller of the store named `store` should see. */
export function storeError(error: unknown, store: string): unknown {
  if (FlujoError.isInstance(error) || !(error instanceof Error)) return error;
  const code = sqliteCode(error);
  if (code === notADatabase || code === corrupt) {
    return new StoreCorruptError(`${store} is damaged, or no Flujo database: ${error.message}`, {
      cause: error,
      hint: "Restore it from a copy, or try SQLite's own rescue: sqlite3 FILE .recover",
    });
  }
  const system = "code" in error && typeof error.code === "string" ? error.code : "";
  const letter = code === undefined ? bySystemCode[system] : bySqliteCode[code];
  if (letter === undefined) return error;
  const [message, hint, retryable] = letter;
  return new StoreUnavailableError(`${store} is not available: ${message} (${error.message})`, {
    cause: error,
    hint,
    retryable,
  });
}
