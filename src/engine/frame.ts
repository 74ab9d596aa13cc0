import type { Scope } from "../budget/ledger.ts";
import type { Json } from "../core/json.ts";
import type { Node } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import type { Footprint } from "./footprint.ts";
import type { StateScope } from "./state-scope.ts";
import type { Stop } from "./stop.ts";
import type { Tenure } from "./tenure.ts";
import type { Value } from "./values.ts";

/** Checks an output before it is recorded, and may replace it. */
export interface OutputCheck {
  readonly apply: (output: unknown, path: Path) => Promise<unknown>;
  /** What makes this check the one it is. */
  readonly fact: Json;
  /** What passes comes out as it went in, so that it may be checked again. */
  readonly isTest: boolean;
}

/** Where in the tree the engine stands, and what holds there. */
export interface Frame {
  /** Advances a part of the tree: how a container runs what it contains. */
  readonly advance: (node: Node, input: Value, frame: Frame) => Promise<Value>;
  readonly tenure: Tenure;
  /** What the places here hang under. */
  readonly path: Path;
  readonly state: StateScope;
  readonly stop: Stop;
  /** The accounts a call made here is charged to, outermost first. */
  readonly scopes: readonly Scope[];
  /** Failures recorded before this entry belong to an earlier try: what failed is done again. */
  readonly freshFrom: number;
  readonly checks: readonly OutputCheck[];
  /** When a timeout around here is over, in milliseconds since 1970. Absent: there is none. */
  readonly deadline: number | undefined;
  /** What is read and set here, when somebody wants to know. */
  readonly footprint: Footprint | undefined;
}

const unchecked: readonly OutputCheck[] = [];

/** What a container hands to a part of it. Field by field: a map makes one for each item. */
export function within(frame: Frame, change: Partial<Frame>): Frame {
  return {
    advance: frame.advance,
    tenure: frame.tenure,
    path: change.path ?? frame.path,
    state: change.state ?? frame.state,
    stop: change.stop ?? frame.stop,
    scopes: change.scopes ?? frame.scopes,
    freshFrom: change.freshFrom ?? frame.freshFrom,
    checks: change.checks ?? unchecked,
    deadline: change.deadline ?? frame.deadline,
    footprint: change.footprint ?? frame.footprint,
  };
}

/** For reducers: the stored form of `undefined`. */
export const absent: Json = { $type: "undefined" };
