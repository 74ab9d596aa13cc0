import type { Duration } from "../core/duration.ts";

/**
 * A hint that a run wants to be gone on with. The run itself is in the store, and its journal, lease and fence keep every
 * promise: a job that comes twice, late or never harms nothing.
 */
export interface Job {
  readonly runId: string;
  readonly pipeline: string;
  /** Which version of the pipeline the run belongs to. */
  readonly fingerprint: string;
  /** Default `"default"`. */
  readonly queue?: string;
  /** From 0 to 1,000; higher ones go first. Default 0. */
  readonly priority?: number;
  /** Not before so many milliseconds are over. Default 0. */
  readonly delayMs?: number;
  readonly tenant?: string;
}

/**
 * What became of a job. `done`: the run has come to stand, or somebody else is about it. `left`: this process cannot go on
 * with it now: the job is for another one, or for later.
 */
export type Taken = "done" | "left";

/** What a process does for a dispatcher. */
export interface Work {
  /** Jobs of these queues are taken. */
  readonly queues: readonly string[];
  /** So many jobs at once, at most. */
  readonly concurrency: number;
  /** How many more there is room for at this moment, where the process does other things, too. Default: as many as that leaves. */
  readonly room?: () => number;
  /** Never rejects. Until it resolves the job is under way; should this process die before, another one gets it. */
  readonly take: (job: Job) => Promise<Taken>;
  /** Told when what carries the jobs does not answer, once; `undefined`: it does again. */
  readonly onTrouble: (trouble: unknown) => void;
}

/** A process at work. */
export interface Shift {
  /** Takes no more jobs. Those under way go on; what becomes of them is still told, until `close` of the dispatcher. */
  stop(): Promise<void>;
}

/**
 * What hands runs to processes: a queue that exists. It carries jobs at least once, to one process at a time as far as it
 * knows. Passing `testDispatcher()` of `flujo/testing` is what makes one.
 */
export interface Dispatcher {
  /** For messages: `pg-boss on postgres://localhost/app`. */
  readonly name: string;
  /**
   * Hands a job over; returns once the queue has it. The same run again, while its job waits, need not make another one.
   *
   * @throws DispatcherUnavailableError when it does not answer; it may have the job all the same. The run waits in the store,
   *   and is found there.
   */
  submit(job: Job): Promise<void>;
  /** Takes jobs from now on, also when the queue cannot be reached yet. */
  work(work: Work): Promise<Shift>;
  /** @param within how long it waits for what is to be told of jobs. Default `"5s"`. */
  close(within?: Duration): Promise<void>;
}
