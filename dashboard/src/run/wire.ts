/** What the API answers about one run, beside the views of `lens/` as they are. */
import type { Json } from "../../../src/core/json.ts";
import type { OperationView, RunView } from "../../../src/lens/show.ts";

export interface RunDetail {
  readonly run: RunView;
  readonly advancedBy: string | null;
  /** Whether it can be resumed here. */
  readonly served: boolean;
  readonly operations: number;
  /** The number its next event will have. */
  readonly next: number;
}

export interface OperationDetail extends OperationView {
  /** What its model was sent, and what it answered. */
  readonly messages?: readonly MessageView[];
  /** What it changed in the run's state. */
  readonly state?: readonly {
    readonly op: "add" | "replace" | "remove";
    readonly path: string;
    readonly value?: Json;
  }[];
}

export interface MessageView {
  readonly direction: "to" | "from";
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly kind?: "reasoning" | "tool-call" | "tool-result";
  readonly tool?: string;
  readonly failed?: true;
  readonly text: string;
}

/** A pipeline's places in the order of the tree, and how the run stands at each. */
export interface GraphAnswer {
  /** Null where the pipeline is not served. */
  readonly graph: Json;
  /** Whether that is the version the run was recorded under. */
  readonly current: boolean;
  readonly places: readonly PlaceStanding[];
}

export interface PlaceStanding {
  /** `[]` stands for any item or turn. */
  readonly path: string;
  readonly after: string;
  readonly operations: { readonly [status: string]: number };
  readonly costUsd: string;
}
