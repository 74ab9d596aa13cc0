import { exit } from "./exit.ts";
import { say } from "./terminal.ts";

/**
 * Ctrl-C: the first one hands the run over, so that it can be resumed; the second leaves at once, which can be resumed
 * as well. SIGTERM is taken for the first one.
 *
 * @returns whether it happened, and how to stop listening.
 */
export function onInterrupt(handOver: () => void): {
  readonly happened: () => boolean;
  readonly off: () => void;
} {
  let times = 0;
  const hear = (): void => {
    times += 1;
    if (times > 1) process.exit(exit.interrupted);
    say("Stopping. Calls already paid for may finish; press Ctrl-C again to leave at once.");
    handOver();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    happened: () => times > 0,
    off: () => {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}
