/** What the API answers about one run, beside the views of `lens/` as they are. */
import type { Json } from "../../../src/core/json.ts";
import type { PlaceStanding } from "../../../src/lens/place-tally.ts";
import type { RunView } from "../../../src/lens/show.ts";

export interface RunDetail {
  readonly run: RunView;
  readonly advancedBy: string | null;
  /** Whether it can be resumed here. */
  readonly served: boolean;
  readonly operations: number;
  /** The number its next event will have. */
  readonly next: number;
}

/** A pipeline's places in the order of the tree, and how the run stands at each. */
export interface GraphAnswer {
  /** Null where the pipeline is not served. */
  readonly graph: Json;
  /** Whether that is the version the run was recorded under. */
  readonly current: boolean;
  readonly places: readonly PlaceStanding[];
}

export type { PlaceStanding };
