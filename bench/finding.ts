/** One line of the table. `target` reads "at most" unless `atLeast`; a line without one is there for the eye. */
export interface Finding {
  readonly work: string;
  readonly figure: number;
  readonly unit: string;
  readonly target?: number;
  readonly atLeast?: boolean;
  readonly note?: string;
}

/** Whether a finding reaches its target; undefined when it has none. */
export function reached({ figure, target, atLeast }: Finding): boolean | undefined {
  if (target === undefined) return undefined;
  return atLeast ? figure >= target : figure <= target;
}
