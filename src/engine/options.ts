import type { Duration } from "../core/duration.ts";
import type { FlujoError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { Budget, Spent, Usd } from "../core/limits.ts";
import type { Release } from "../core/outline.ts";
import type { Overlay } from "../core/overlay.ts";
import type { Path } from "../core/paths.ts";
import type { SharedScope } from "../core/scopes.ts";
import type { Wait } from "../core/waiting.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Instrument } from "../ports/instrument.ts";
import type { Listener } from "../ports/listener.ts";
import type { Models } from "../ports/models.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** Under which versions of its pipeline a run may be gone on with. */
export type VersionPolicy = "strict" | "compatible" | "force";

/** What every run of a `Flujo` shares. */
export interface CommonOptions<State = unknown> {
  /** Where journals live. Default: memory, which forgets with the process. */
  readonly store?: Store;
  /** The limit of each run. Default: the pipeline's own `.budget()`, else none. */
  readonly budget?: Usd | Budget;
  /**
   * Shared budgets that every run is charged to beside its own: names, as `"tenant:acme"`, or names with the limits a
   * new account gets. Kept in the store, for all processes and for good. A run keeps the ones it began with.
   */
  readonly scopes?: readonly (string | SharedScope)[];
  /** Parts of a run's limits, above 0 and up to 1, at which a `budget-threshold` event comes, once each: `[0.5, 0.8]`. */
  readonly alertAt?: readonly number[];
  /** The state each run begins with; its fields go over those of the pipeline's own `state`. */
  readonly state?: () => NoInfer<State>;
  /** Called with each event once it is in the store. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent, runId: string) => void;
  /** Watches runs from inside: what `telemetry()` of `flujo/telemetry` makes. Default: nothing does. */
  readonly instrument?: Instrument | readonly Instrument[];
  /** How long a dead process's lease keeps others out. From `"1s"`, default `"15s"`; renewed every third of it. */
  readonly lease?: Duration;
  /** Take over runs of this pipeline whose owner has died, and go on with those whose time has come. Default true. */
  readonly takeOver?: boolean;
  /** The longest sleep that keeps the process: a run that sleeps longer comes to stand, and holds none. Default `"1m"`. */
  readonly awake?: Duration;
  /** How long calls already paid for are awaited when a run is to stop. Default `"30s"`. */
  readonly grace?: Duration;
  /**
   * Under which versions of the pipeline a run may be gone on with that began under another one. `"strict"`: under none.
   * `"compatible"` (default): where all that is recorded is the same still; what comes later may have changed. `"force"`: any,
   * and the journal says what had changed. Runs that are refused wait for a process that serves their version.
   */
  readonly version?: VersionPolicy;
  /** What runs that are submitted are handed to processes by. Default: these find them in the store. */
  readonly dispatcher?: Dispatcher;
  /** Which package and commit the code is of: kept with each run. Default: what the files around it say. */
  readonly release?: Release;
  /** The file the pipeline was loaded from: recorded, so that `flujo resume` finds it. */
  readonly origin?: { readonly file: string; readonly export: string };
}

/** How a run is submitted: made in the store, for whichever process takes it. */
export interface SubmitOptions extends Omit<StartOptions, "signal"> {
  /** Which workers may take it: 1 to 100 letters, digits, dots, dashes and underscores. Default `"default"`. */
  readonly queue?: string;
  /** A whole number from 0 to 1,000. Higher ones go first. Default 0. */
  readonly priority?: number;
  /** How long from now it is not to begin. Something that is sent to the run in that time lets it begin. Default: at once. */
  readonly delay?: Duration;
  /** For whom it is: tenants take turns, and may have a limit of runs at once. As a queue is written. */
  readonly tenant?: string;
}

/** A run that was submitted. */
export interface Submitted {
  readonly runId: string;
  /** False: it was there already, and is left as it is. */
  readonly isNew: boolean;
  /** What kept the dispatcher from being told. The run is in the store, and workers find it there, a little later. */
  readonly untold?: FlujoError;
}

/** The options with the world they need. */
export interface EngineOptions<State = unknown> extends CommonOptions<State> {
  readonly store: Store;
  readonly world: World;
  readonly models?: Models;
  /** Who hears of the runs this process advances. */
  readonly listeners?: readonly Listener[];
}

export interface StartOptions {
  /** 1 to 128 letters, digits, `.`, `_`, `-`. The same id again resumes the run, or returns its result. */
  readonly runId?: string;
  /**
   * Refuse a run of which something is recorded, or that is under way here, with RunExistsError, instead of going on with it.
   * Default false.
   */
  readonly onlyNew?: boolean;
  /** Cancels the run when it fires. */
  readonly signal?: AbortSignal;
  /** The run's limit, over the `Flujo`'s. For a run that exists: its new limit; what is spent stays spent. */
  readonly budget?: Usd | Budget;
  /** Shared budgets beside those of the `Flujo`. Only those a run is created with count. */
  readonly scopes?: readonly (string | SharedScope)[];
  /** Fields over those of the initial state. */
  readonly state?: object;
  /**
   * Prompts and settings of agents, changed for this run: a JSON Patch (RFC 6902) over `improvables(pipeline)`. Recorded: the
   * run keeps the one it was created with.
   */
  readonly overlay?: Overlay;
}

/** How a run is forked. */
export interface ForkOptions {
  /**
   * The point: the path of a place, as `/q3/AnalyseAll[Alpha]/summarise`, which is done anew with all that follows from
   * it; or of an operation inside a body, as `/q3/report:call#1`, before which the body goes on.
   */
  readonly at: Path;
  /** The new run's id. The same again goes on with that fork. Default: a new one. */
  readonly runId?: string;
  /** The input of the place at the point, instead of what comes before it. */
  readonly input?: unknown;
  /** Prompts and settings of agents, changed for the new run: a JSON Patch (RFC 6902) over `improvables(pipeline)`. */
  readonly overlay?: Overlay;
  readonly signal?: AbortSignal;
  /** The new run's limit: what the shared part cost is no part of it. Default: the `Flujo`'s, else the pipeline's. */
  readonly budget?: Usd | Budget;
  /** Shared budgets of the new run, beside those of the `Flujo`. Default: those of the other run. */
  readonly scopes?: readonly (string | SharedScope)[];
  /** Share also what is recorded of places that have changed since. */
  readonly forceVersion?: boolean;
}

export interface ResumeOptions {
  readonly signal?: AbortSignal;
  readonly budget?: Usd | Budget;
  /** Over the `Flujo`'s own. */
  readonly version?: VersionPolicy;
  /** `version: "force"`. */
  readonly forceVersion?: boolean;
}

/** For how long runs are advanced. */
export interface AdvanceOptions {
  /** The most it may take, from `"1s"`: what the platform allows, less what the function does beside it. */
  readonly within: Duration;
  /**
   * What must be left of it for an operation to begin of which nothing is known. One like which others have been recorded in
   * the run begins where half as much again is left as they took at most. Default: half of `within`.
   */
  readonly least?: Duration;
}

/** How far a run came in the time there was. */
export type Advanced<Out> =
  | (Exclude<RunResult<Out>, { status: "waiting" }> & { readonly more: false; readonly until?: undefined })
  | (Extract<RunResult<Out>, { status: "waiting" }> & { readonly more: false })
  | {
      /** Handed over, to be gone on with by the next one who advances it. */
      readonly status: "running";
      readonly runId: string;
      readonly more: true;
      /** Before this moment there is nothing to be done: it pauses before another try. Absent: go on at once. */
      readonly until?: Date;
      readonly spent: Spent;
    };

export interface SweepOptions extends AdvanceOptions {
  /** Runs at once, at most: from 1. Default 10. */
  readonly most?: number;
}

/** What became of the runs that nobody attended to. */
export interface Swept<Out> {
  readonly runs: readonly Advanced<Out>[];
  /** Those that cannot be gone on with here, and why. */
  readonly refused: readonly { readonly runId: string; readonly error: FlujoError }[];
  /** There are runs that could be gone on with at once. */
  readonly more: boolean;
}

/** How something is sent to a run. */
export interface SignalOptions {
  /** Who sends it, for the journal and for whoever answers second. */
  readonly by?: string;
  /** The number of the `signal-awaited` event it answers: what was asked there before or since is left alone. */
  readonly of?: number;
  /** Go on with the run in this process, whether it waits now or is about to. Default false. */
  readonly resume?: boolean;
}

/** What became of the runs of a `Flujo` that was drained; those it does not name have come to stand. */
export interface Drained {
  /** Let go before their end, for whoever takes them over. */
  readonly handedOver: readonly string[];
  /** Of these, those that were in the middle of an operation when the time was up. */
  readonly cutOff: readonly string[];
}

/** How to read a run's events. */
export interface EventsOptions {
  /** The number of the first event wanted. Default 0: all of them. */
  readonly from?: number;
  /** Ends the reading when it fires. */
  readonly signal?: AbortSignal;
}

/** How a run came to stand. */
export type RunResult<Out> =
  | { readonly status: "completed"; readonly runId: string; readonly output: Out; readonly spent: Spent }
  | {
      readonly status: "waiting";
      readonly runId: string;
      /** The paths that somebody has to send something to. */
      readonly signals: readonly Path[];
      /** All it waits for. */
      readonly waits: readonly Wait[];
      /** When it goes on by itself. Absent: it needs a signal. */
      readonly until?: Date;
      readonly spent: Spent;
    }
  | {
      readonly status: "failed" | "cancelled" | "halted";
      readonly runId: string;
      readonly error: FlujoError;
      readonly spent: Spent;
      /** What became of `.compensate()`, where the run has begun to undo what it had done. */
      readonly undone?: Undone;
    };

/** Paths of places with a compensation, those that completed last first. */
export interface Undone {
  readonly places: readonly Path[];
  /** Not undone, or not yet: resuming the run tries these again. */
  readonly left: readonly Path[];
}

/** A run in progress. */
export interface RunHandle<Out> {
  readonly runId: string;
  /** The run's events from its first on, then live; ends when the run does. Any number of readers, at any time. */
  readonly events: AsyncIterable<RunEvent>;
  /** The same from the event numbered `seq` on: where a reader goes on that had come so far. */
  eventsFrom(seq: number): AsyncIterable<RunEvent>;
  /**
   * Resolves once this process has recorded that it begins the run, or goes on with it, or where there is nothing to go on with.
   * Rejects as `result()` does where it was refused: with `onlyNew: true` a run that another process has begun at this very moment.
   */
  begun(): Promise<void>;
  /** How the run came to stand. Rejects when it was refused or this process lost it: LeaseHeldError, VersionChangedError, ... */
  result(): Promise<RunResult<Out>>;
  /** Stops the run for good: bodies are told, calls already paid for are kept. */
  cancel(reason?: string): Promise<void>;
}
