import { exit } from "./exit.ts";

/** Signals that end the process, and how the first of them is waited for. */
export interface Farewell {
  /** Resolves with the first signal, or with `end`. */
  readonly asked: Promise<void>;
  /** Asks as a signal does. */
  readonly end: () => void;
  readonly off: () => void;
}

/** SIGTERM and SIGINT: the first one asks to stop, the second one ends the process at once, with exit code 130. */
export function farewell(): Farewell {
  const { promise, resolve } = Promise.withResolvers<void>();
  let times = 0;
  const hear = (): void => {
    times += 1;
    if (times > 1) process.exit(exit.interrupted);
    resolve();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    asked: promise,
    end: resolve,
    off: () => {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}
