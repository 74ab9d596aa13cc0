import type { WorkNode } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import type { Expectation } from "./expectation.ts";
import type { Frame } from "./frame.ts";
import type { Tenure } from "./tenure.ts";
import type { Value } from "./values.ts";

/** Looks at what a walk comes by that is recorded and not done again. */
export interface Rehearsal {
  /** A step or an agent with a recorded result. */
  finished(node: WorkNode, path: Path, input: Value, frame: Frame): Promise<void>;
  /** A place that has its answer. */
  answered(what: Expectation, tenure: Tenure): Promise<void>;
}
