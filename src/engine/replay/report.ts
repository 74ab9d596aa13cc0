/** What a replay found. */

import type { Path } from "../../core/paths.ts";
import type { RunStatus } from "../../core/run-record.ts";

/**
 * What differs:
 *
 * - `missing`: the journal has no record of it, and what comes after cannot be without.
 * - `branch`, `verdict`, `items`, `moment`: a decision.
 * - `input`, `output`, `state`, `failure`: of a place. `answer`, `question`: of a place that asks somebody.
 * - `model`, `request`: whom a call asks, and what.
 * - `operation`, `order`: what a body asks for, and when.
 * - `outside-call`: a body or a decision called the outside by itself; the call was refused.
 */
export type Differing =
  | "missing"
  | "branch"
  | "verdict"
  | "items"
  | "moment"
  | "input"
  | "output"
  | "state"
  | "failure"
  | "answer"
  | "question"
  | "model"
  | "request"
  | "operation"
  | "order"
  | "outside-call";

/** One thing that today's code does otherwise. Nothing after it in its line of execution is compared. */
export interface Difference {
  readonly path: Path;
  readonly what: Differing;
  /** In words, or as JSON cut short. */
  readonly recorded: string;
  readonly now: string;
}

/** What was looked at, so that "the same" says of how much. */
export interface Compared {
  /** Branches, verdicts, items, containers, moments, questions. */
  readonly decisions: number;
  /** Bodies run again, each operation answered from the record. */
  readonly bodies: number;
  /** Operations they asked for. */
  readonly operations: number;
  /** Calls of models whose request was compared. */
  readonly requests: number;
}

/** What is the same, and what is not. */
export interface ReplayReport {
  readonly runId: string;
  readonly pipeline: string;
  /** How the run stands. What is recorded of it is replayed, however far it has come. */
  readonly status: RunStatus;
  /** Nothing differs. */
  readonly same: boolean;
  readonly differences: readonly Difference[];
  /**
   * Places with recorded work that are something else in today's code, whether or not it shows.
   */
  readonly changed: readonly Path[];
  /** It has not ended, and for what has changed it would not be resumed, unless it is forced. */
  readonly refused: boolean;
  readonly compared: Compared;
  /** Steps whose body was not run: only its recorded result is known. */
  readonly notRun: readonly Path[];
  /** Calls of which the journal does not keep what was asked. */
  readonly unknownRequests: readonly Path[];
}

/** Which runs are replayed, and how. */
export interface CheckOptions extends ReplayOptions {
  /** So many of the pipeline's runs, the newest first. Default 100. */
  readonly runs?: number;
}

/** Which bodies of steps run again. */
export interface ReplayOptions {
  /**
   * `durable` (default): those with recorded operations, which a crash would have run again, too. `all`: every one, and
   * what it returns and sets is compared. `none`: only agents, whose loop is Flujo's own.
   */
  readonly bodies?: "none" | "durable" | "all";
}
