/**
 * The door of `flujo/vitest`: evals for those who live in vitest. Importing it teaches `expect` two matchers:
 *
 * - `expect(experiment).toScoreAtLeast(0.8)`: the mean score, with its whole interval, lies at 0.8 or above;
 * - `expect(experiment).toBeNoWorseThan(base, { margin: 0.03 })`: paired case by case with an earlier one.
 */
import { expect } from "vitest";
import type { GateTerms } from "../evals/experiment/comparison.ts";
import { type Scorable, type ScoreTerms, toBeNoWorseThan, toScoreAtLeast } from "./matchers.ts";

export type { Scorable, ScoreTerms } from "./matchers.ts";
export { type CaseTestOptions, type CaseTests, type TriedCase, testCases } from "./test-cases.ts";

expect.extend({ toScoreAtLeast, toBeNoWorseThan });

/** What `expect` learns of an experiment, the result of its run, what `testCases` has tried, or records of trials. */
export interface EvalMatchers<R> {
  /** The mean score is at least so high, as far as the cases tell: the 95 % interval lies above. */
  toScoreAtLeast(least: number, terms?: ScoreTerms): R;
  /** No worse than an earlier experiment by more than the margin (default 0.05), as far as the cases tell. */
  toBeNoWorseThan(base: Scorable, terms?: GateTerms): R;
}

declare module "vitest" {
  // The type parameters are vitest's own: interfaces merge only when they are the same.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends EvalMatchers<R> {}
}
