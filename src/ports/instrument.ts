import type { CallSampling } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import type { Node } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "./store.ts";

/** A run that this process is about to advance. */
export interface WatchedRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly node: Node;
  /** Where its journal is, for what other processes have written. */
  readonly store: Pick<Store, "read" | "blob">;
}

/** Where work is done: a place or an operation of a run, or one physical call of a model. */
export interface Whereabouts {
  readonly runId: string;
  readonly path: Path;
  readonly call?: WatchedCall;
}

export interface WatchedCall {
  /** Of its reservation. */
  readonly seq: number;
  readonly sampling: CallSampling | undefined;
}

/**
 * Watches runs from inside the process that advances them: it is told of entries once they are in the store, and work
 * runs inside of it. Of what it throws in `enter`, `committed` and `leave`, nobody hears.
 */
export interface Instrument {
  /** Called where the run was asked for, in the caller's own async context. */
  enter(run: WatchedRun): void;
  /** In the order of the journal. What is already recorded when a run is resumed does not come again. */
  committed(runId: string, entries: readonly Entry[]): void;
  /** Calls `work` once and returns, or throws, what it does. Never fails by itself. */
  within<T>(where: Whereabouts, work: () => T): T;
  /** This process advances the run no more. */
  leave(runId: string): void;
  /** Hands on what has been gathered. Awaited when a `Flujo` is disposed of. */
  flush?(): Promise<void>;
}
