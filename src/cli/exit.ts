/** What the process says to whoever started it. */
export const exit = {
  completed: 0,
  failed: 1,
  /** Usage, or a pipeline or input that cannot run. */
  invalid: 2,
  waiting: 3,
  halted: 4,
  /** Leased elsewhere, or its version has changed. */
  refused: 5,
  /** Of a gate: the change makes it worse. Of a search: what it found is worse on a slice, or costs too much. */
  regressed: 6,
  /** Of a gate: the cases do not tell. Of a search: nothing better was found, or it is not proven. */
  inconclusive: 7,
  interrupted: 130,
} as const;

const byErrorCode: { readonly [code: string]: number } = {
  usage: exit.invalid,
  "cannot-load": exit.invalid,
  "no-pipeline": exit.invalid,
  "invalid-pipeline": exit.invalid,
  "invalid-run-id": exit.invalid,
  "invalid-option": exit.invalid,
  "invalid-input": exit.invalid,
  "invalid-dataset": exit.invalid,
  "unknown-model": exit.invalid,
  "unpriced-model": exit.invalid,
  "missing-package": exit.invalid,
  "missing-key": exit.invalid,
  "unknown-run": exit.invalid,
  "signal-refused": exit.refused,
  "lease-held": exit.refused,
  "version-changed": exit.refused,
  interrupted: exit.interrupted,
};

/** The exit code of an error that kept a command from its end. */
export const exitCodeOf = (errorCode: string): number => byErrorCode[errorCode] ?? exit.failed;

const byStatus: { readonly [status: string]: number } = {
  completed: exit.completed,
  waiting: exit.waiting,
  halted: exit.halted,
};

/** The exit code of how a run came to stand. */
export const exitCodeOfRun = (status: string): number => byStatus[status] ?? exit.failed;
