import type { Posting } from "../core/account.ts";
import type { Entry, Fact } from "../core/entries.ts";
import { type FlujoError, LeaseLostError } from "../core/errors.ts";
import { record } from "../core/fold.ts";
import type { RunRecord } from "../core/run-record.ts";
import { spentWith } from "../core/spending.ts";
import { wakeAt } from "../core/waiting.ts";
import type { Append, AppendOutcome, Blob, Lease, RunSummary } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { storeError } from "./archive.ts";
import type { CommitQueue, Source } from "./commit-queue.ts";
import { Interruption } from "./interruption.ts";

/** Entries nobody waits for are committed after so many milliseconds, when no other commit takes them along. */
const lingerMs = 25;

/** What is said of an operation that begins, while it is not over. */
interface Start {
  readonly fact: Omit<Extract<Fact, { type: "step-started" }>, "type">;
  over: boolean;
}

/** The fact itself becomes the entry: nobody else has it, and a run makes hundreds of thousands. */
function numbered(fact: Fact, seq: number, at: number): Entry {
  const entry = fact as Fact & { seq: number; at: number }; // it is one from the next two lines on
  entry.seq = seq;
  entry.at = at;
  return entry;
}

interface Batch {
  readonly entries: Entry[];
  readonly blobs: Blob[];
  readonly postings: Posting[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a walk writes with. */
export type Pen = Pick<
  Journal,
  "runId" | "run" | "put" | "post" | "announce" | "sync" | "onCommit" | "close"
>;

/**
 * One run's journal while this process holds its lease: the record so far, and the only way to add to it. An entry
 * enters the record when the store has it, never before.
 */
export class Journal implements Source {
  readonly run: RunRecord;
  readonly #lease: Lease;
  readonly #queue: CommitQueue;
  readonly #world: World;
  readonly #listeners = new Set<(entries: readonly Entry[]) => void>();
  #starts: Start[] = [];
  readonly #onLost: (error: FlujoError) => void;
  #next: number;
  #open: Batch | undefined;
  #underWay: Batch | undefined;
  #linger: (() => void) | undefined;
  #ended = false;
  #broken: Interruption | undefined;

  constructor(
    run: RunRecord,
    lease: Lease,
    queue: CommitQueue,
    world: World,
    onLost: (error: FlujoError) => void,
  ) {
    this.run = run;
    this.#lease = lease;
    this.#queue = queue;
    this.#world = world;
    this.#onLost = onLost;
    this.#next = run.next;
  }

  get fence(): number {
    return this.#lease.fence;
  }

  get runId(): string {
    return this.#lease.runId;
  }

  /**
   * Adds a fact to the next commit, where it becomes an entry, and tells its number. Wait for `sync` where others must not go on before it is safe.
   * Once the run has come to stand, nothing is added: what is late belongs to whoever resumes it.
   */
  put(fact: Fact, ...blobs: readonly (Blob | undefined)[]): number {
    if (this.#ended) return this.#next;
    this.#ended = endsTenure(fact);
    const batch = this.#batch();
    const seq = this.#next++;
    batch.entries.push(numbered(fact, seq, this.#world.now()));
    for (const blob of blobs) if (blob !== undefined) batch.blobs.push(blob);
    this.#lingerOn();
    return seq;
  }

  /** Adds to the next commit what its entries settle in the shared ledger. */
  post(postings: readonly Posting[]): void {
    if (this.#ended || postings.length === 0) return;
    this.#batch().postings.push(...postings);
    this.#lingerOn();
  }

  /** Says that an operation has begun: written only when it is still under way a moment later. Whoever ends it says so. */
  announce(fact: Start["fact"]): Start {
    const start = { fact, over: false };
    this.#starts.push(start);
    this.#lingerOn();
    return start;
  }

  /** Resolves when everything put so far is in the store. */
  sync(): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const last = this.#open ?? this.#underWay;
    if (last === undefined) return Promise.resolve();
    if (last === this.#open) this.#queue.request(this);
    return last.done; // one promise for all who wait: a fan-out has thousands of them
  }

  /** Calls back with entries as they are committed; the returned function calls it off. */
  onCommit(listener: (entries: readonly Entry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(): Append | undefined {
    if (this.#underWay !== undefined || this.#open === undefined) return undefined;
    this.#underWay = this.#open;
    this.#open = undefined;
    const { entries, blobs, postings } = this.#underWay;
    const { runId, fence } = this.#lease;
    const append = { runId, fence, entries, blobs, ...(postings.length > 0 ? { postings } : {}) };
    return entries.some(changesStanding) ? { ...append, summary: summaryWith(this.run, entries) } : append;
  }

  settle(outcome: AppendOutcome): void {
    if (outcome === "fenced") {
      const { runId } = this.#lease;
      this.fail(
        new LeaseLostError(`another process has taken over run ${runId}; this one has stopped`, { runId }),
      );
      return;
    }
    const batch = this.#underWay as Batch; // settle follows take
    this.#underWay = undefined;
    for (const entry of batch.entries) record(this.run, entry);
    for (const listener of this.#listeners) listener(batch.entries);
    batch.resolve();
  }

  fail(cause: unknown): void {
    const error = Interruption.lost(storeError(cause, "take entries"));
    this.#broken = error;
    const batches = [this.#underWay, this.#open];
    this.#underWay = undefined;
    this.#open = undefined;
    for (const batch of batches) batch?.reject(error);
    this.#onLost(error.error as FlujoError);
  }

  /** Drops what waits; nothing is written any more. */
  close(): void {
    this.#linger?.();
    this.#linger = undefined;
    this.#starts = [];
  }

  #batch(): Batch {
    if (this.#open !== undefined) return this.#open;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // whoever waits in sync() hears of it
    this.#open = { entries: [], blobs: [], postings: [], done: promise, resolve, reject };
    return this.#open;
  }

  #lingerOn(): void {
    this.#linger ??= this.#world.timer(
      lingerMs,
      () => {
        this.#linger = undefined;
        const starts = this.#starts;
        this.#starts = [];
        for (const { fact, over } of starts) if (!over) this.put({ type: "step-started", ...fact });
        if (this.#open !== undefined && this.#broken === undefined) this.#queue.request(this);
      },
      { background: true },
    );
  }
}

const endsTenure = ({ type }: Fact): boolean =>
  type.startsWith("run-") && type !== "run-created" && type !== "run-resumed";

const changesStanding = (entry: Entry): boolean =>
  entry.type.startsWith("run-") || entry.type === "cancellation-requested";

const standings = {
  "run-created": "running",
  "run-resumed": "running",
  "run-completed": "completed",
  "run-failed": "failed",
  "run-halted": "halted",
  "run-waiting": "waiting",
  "run-cancelled": "cancelled",
  "cancellation-requested": "running",
} as const;

/** The run at a glance once these entries are in. */
export function summaryWith(run: RunRecord, entries: readonly Entry[] = []): RunSummary {
  const created = run.created ?? entries.find((entry) => entry.type === "run-created");
  const last = entries.findLast(changesStanding);
  const fingerprint = entries.findLast((entry) => "fingerprint" in entry && entry.fingerprint !== undefined);
  const spent = spentWith(run, entries);
  const waits = last === undefined ? run.waits : last.type === "run-waiting" ? (last.waits ?? []) : [];
  const due = wakeAt(waits);
  const { heard = 0 } = last?.type === "run-waiting" ? last : {};
  return {
    pipeline: created?.pipeline ?? "",
    fingerprint: (fingerprint as { fingerprint?: string } | undefined)?.fingerprint ?? run.fingerprint,
    status: last ? standings[last.type as keyof typeof standings] : run.status,
    createdAt: created?.at ?? 0,
    updatedAt: entries.at(-1)?.at ?? run.updatedAt,
    picoUsd: spent.picoUsd.toString(),
    inputTokens: spent.inputTokens,
    outputTokens: spent.outputTokens,
    calls: spent.calls,
    ...(due === undefined ? {} : { wakeAt: due }),
    ...(heard > 0 ? { heard } : {}),
  };
}
