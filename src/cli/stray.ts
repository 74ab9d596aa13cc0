/**
 * Errors of the user's code that reach nobody: a promise that is not awaited, a throw in a timer. The step they belong
 * to is unknown, so the first of them ends the command.
 *
 * @returns the first one, in a list that is empty before, and how to stop listening.
 */
export function onStray(handOver: () => void): {
  readonly errors: readonly unknown[];
  readonly off: () => void;
} {
  const errors: unknown[] = [];
  const hear = (error: unknown): void => {
    if (errors.push(error) === 1) handOver();
  };
  process.on("uncaughtException", hear); // of promises, too
  return { errors, off: () => void process.off("uncaughtException", hear) };
}
