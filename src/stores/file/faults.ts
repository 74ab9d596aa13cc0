import { FlujoError, StoreUnavailableError } from "../../core/errors.ts";

type Letter = readonly [message: string, hint: string, retryable: boolean];

const full: Letter = [
  "the disk is full",
  "Free some space, then resume: what was acknowledged is kept.",
  true,
];
const readOnly: Letter = [
  "it cannot be written",
  "Check the rights of the folder, or choose another one with --store or FLUJO_STORE.",
  false,
];
const noFolder: Letter = [
  "a file stands where a folder should",
  "Choose another folder with --store or FLUJO_STORE.",
  false,
];
const tooManyOpen: Letter = [
  "too many files are open",
  "Raise the limit (ulimit -n), or run less at once.",
  true,
];
const noLinks: Letter = [
  "its disk knows no hard links, which keep two processes apart here",
  "Put the folder on another disk, or use sqlite.",
  false,
];
const broken: Letter = ["the disk reports an error", "Check the disk and its connection, then resume.", true];

/** By the operating system's name for the fault. */
const letters: { readonly [code: string]: Letter } = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: full,
  EACCES: readOnly,
  EPERM: readOnly,
  EROFS: readOnly,
  ENOTDIR: noFolder,
  EEXIST: noFolder,
  EMFILE: tooManyOpen,
  ENFILE: tooManyOpen,
  ENOTSUP: noLinks,
  EOPNOTSUPP: noLinks,
  EXDEV: noLinks,
  EIO: broken,
};

/** The operating system's name for what went wrong, if that is where the error came from. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The error a caller of the store named `store` should see. */
export function storeError(error: unknown, store: string): unknown {
  if (FlujoError.isInstance(error) || !(error instanceof Error)) return error;
  const letter = letters[systemCode(error) ?? ""];
  if (letter === undefined) return error;
  const [message, hint, retryable] = letter;
  return new StoreUnavailableError(`${store} is not available: ${message} (${error.message})`, {
    cause: error,
    hint,
    retryable,
  });
}
