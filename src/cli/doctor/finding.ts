import { FlujoError } from "../../core/errors.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly about: string;
  /** `advice`: it works, and could be better. `fault`: it does not, or breaks a promise. */
  readonly grade: "fine" | "advice" | "fault";
  readonly message: string;
  /** What to do. */
  readonly remedy?: string;
}

/** Findings about one thing. */
export const findingsOn = (about: string) => ({
  fine: (message: string): Finding => ({ about, grade: "fine", message }),
  advice: (message: string, remedy: string): Finding => ({ about, grade: "advice", message, remedy }),
  fault: (message: string, remedy: string): Finding => ({ about, grade: "fault", message, remedy }),
});

/** What could not be looked at, and why. */
export function failure(about: string, error: unknown): Finding {
  const hint = FlujoError.isInstance(error) ? error.hint : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { about, grade: "fault", message, ...(hint === undefined ? {} : { remedy: hint }) };
}

/** What stands in the way of looking is what there is to say. */
export async function looked(about: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failure(about, error)];
  }
}
