/** What `flujo up` tells of itself and its runs. */

/** A happening, as `flujo up --json` prints it, with the moment before it. */
export type Happening =
  | {
      readonly type: "serving";
      readonly version: string;
      readonly folder: string;
      readonly store: string;
      readonly pipelines: readonly { readonly name: string; readonly file: string }[];
      /** Null: with --no-http. */
      readonly url: string | null;
      /** The queues it takes runs of; null: of all. Absent: nobody has named any. */
      readonly queues?: readonly string[] | null;
      /** Of a worker: what hands it runs, beside the store. */
      readonly engine?: string;
    }
  /** A file that was to be served. */
  | {
      readonly type: "not-served";
      readonly file: string;
      readonly message: string;
      readonly hint: string | null;
    }
  /** There are runs of a pipeline that is not served here: one of them. */
  | { readonly type: "left-alone"; readonly pipeline: string; readonly runId: string }
  | {
      readonly type: "run-advanced";
      readonly why: "started" | "resumed" | "taken-over" | "woken";
      readonly runId: string;
      readonly pipeline: string;
    }
  | {
      readonly type: "run-ended";
      readonly status: "completed" | "failed" | "halted" | "waiting" | "cancelled";
      readonly runId: string;
      readonly pipeline: string;
      /** Since this process began to advance it. */
      readonly tookMs: number;
      /** The error; what it waits for. */
      readonly message: string | null;
    }
  /** A run that cannot be gone on with as it stands. */
  | {
      readonly type: "run-refused";
      readonly runId: string;
      readonly pipeline: string;
      readonly message: string;
      readonly hint: string | null;
    }
  /** Something people should know: a hook that failed, a sink that did not take an event, a stray error. */
  | { readonly type: "trouble"; readonly message: string }
  | { readonly type: "stopping"; readonly running: number; readonly graceMs: number }
  | { readonly type: "stopped"; readonly handedOver: readonly string[]; readonly cutOff: readonly string[] };

/** Tells a happening. */
export type Tell = (happening: Happening) => void;
