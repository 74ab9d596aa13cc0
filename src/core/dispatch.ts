/** How a run that was submitted wants to be handed to a process. */
import { InvalidOptionError } from "./errors.ts";

/** What a run was submitted with. The journal keeps it, so that every process that finds the run honours it. */
export interface DispatchTerms {
  /** Which workers may take it. 1 to 100 letters, digits, dots, dashes and underscores. Default `"default"`. */
  readonly queue?: string;
  /** A whole number from 0 to 1,000. Higher ones go first. Default 0. */
  readonly priority?: number;
  /** For whom it is: tenants take turns, and may have a limit of runs at once. As a queue is written. */
  readonly tenant?: string;
  /** Not before this moment, in milliseconds since 1970. */
  readonly notBefore?: number;
}

/** The queue of runs that name none. */
export const defaultQueue = "default";

export const highestPriority = 1_000;

/** @throws InvalidOptionError */
export function checkedTerms(terms: DispatchTerms): DispatchTerms {
  const { queue, priority, tenant } = terms;
  if (queue !== undefined) checkedName("queue", queue);
  if (tenant !== undefined) checkedName("tenant", tenant);
  if (
    priority !== undefined &&
    !(Number.isSafeInteger(priority) && priority >= 0 && priority <= highestPriority)
  ) {
    throw new InvalidOptionError(`the priority ${priority} is none`, {
      hint: `It takes a whole number from 0 to ${highestPriority}; higher ones go first.`,
    });
  }
  return terms;
}

/** @throws InvalidOptionError */
export function checkedName(what: "queue" | "tenant", name: string): string {
  if (/^[A-Za-z0-9._-]{1,100}$/.test(name)) return name;
  throw new InvalidOptionError(`${JSON.stringify(name)} names no ${what}`, {
    hint: "Use 1 to 100 letters, digits, dots, dashes and underscores.",
  });
}
