import type { Account, LedgerAnswer, LedgerRequest, Posting } from "../core/account.ts";
import type { Entry } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import type { RunStatus } from "../core/run-record.ts";

export type { RunStatus };

/** A run at a glance, kept beside its journal for listing; the journal is the truth. */
export interface RunSummary {
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly status: RunStatus;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** A decimal string of pico-dollars. */
  readonly picoUsd: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  /** When a waiting run goes on by itself, in milliseconds since 1970. Absent: somebody has to send it something. */
  readonly wakeAt?: number;
  /** Of a waiting run: how many of its signals it had seen when it came to stand. Absent: none. */
  readonly heard?: number;
}

/** One run in a list. */
export interface RunListing extends RunSummary {
  readonly runId: string;
  /** Who advances the run, and until when, as far as the store knows. */
  readonly lease?: Lease;
  /** Signals sent to a waiting run since it came to stand: it has to be gone on with to hear them. Absent: none. */
  readonly unheard?: number;
}

/** Leave to advance a run, until `expiresAt`. Each new one has a higher `fence`. */
export interface Lease {
  readonly runId: string;
  readonly owner: string;
  readonly fence: number;
  /** Milliseconds since 1970, by the clock of whoever asked. */
  readonly expiresAt: number;
}

/** A request for the lease of a run. */
export interface LeaseRequest {
  readonly runId: string;
  readonly owner: string;
  readonly now: number;
  readonly ttlMs: number;
  /** The fence of a lease whose owner is known to be gone: it counts as expired. */
  readonly supersede?: number;
  /** Make the run, which must not exist. Without it the run must exist. */
  readonly create?: boolean;
}

export type LeaseAnswer =
  | { readonly outcome: "granted"; readonly lease: Lease }
  | { readonly outcome: "held"; readonly lease: Lease }
  | { readonly outcome: "exists" }
  | { readonly outcome: "unknown" };

/** Text kept by the hash of its content: any text without lone surrogates, as JSON is. */
export interface Blob {
  readonly hash: string;
  readonly text: string;
}

/** Entries to add to one journal, all or none. */
export interface Append {
  readonly runId: string;
  readonly fence: number;
  /** Consecutive, the first one following the last in the journal; otherwise `commit` throws StoreCorruptError. */
  readonly entries: readonly Entry[];
  readonly blobs: readonly Blob[];
  /** The new summary, when it changed in a way that lists show. */
  readonly summary?: RunSummary;
  /**
   * What the entries settle in the shared ledger: part of the same transaction where the store can, else done right
   * after the entries are safe. A store that dies in between leaves holds open, which the run's next owner resolves.
   */
  readonly postings?: readonly Posting[];
}

/**
 * `fenced`: the lease is not, or no longer, the run's newest, was given back, or the run is unknown. Nothing was
 * written, or (files only) it was written just before the new owner read the journal, who then knows it too.
 */
export type AppendOutcome = "appended" | "fenced";

/** Something sent to a run from outside; kept until the run records it. */
export interface Signal {
  readonly id: string;
  readonly path: Path;
  readonly data: Json;
  readonly at: number;
  /** Who sent it, as they say. */
  readonly by?: string;
}

/** A result kept for steps that are `cached`. */
export interface CacheRecord {
  readonly value: Json;
  /** Milliseconds since 1970; absent: never. */
  readonly expiresAt?: number;
}

/** A small value that processes share, changed by whoever has seen its present version. */
export interface Note {
  /** 1 to 400 printable ASCII characters. */
  readonly key: string;
  readonly value: Json;
  /** Another one with every change; nothing else can be read from it. */
  readonly version: string;
}

export interface NoteFilter {
  /** Only notes whose keys begin so. */
  readonly prefix: string;
  /** Only those that come after this key: where the next page begins. */
  readonly after?: string;
  /** At most so many, by key. Default 1,000. */
  readonly limit?: number;
}

export interface RunFilter {
  readonly status?: readonly RunStatus[];
  /** Only runs of this pipeline, or of one of these. */
  readonly pipeline?: string | readonly string[];
  /** Only runs whose id starts so. */
  readonly idPrefix?: string;
  /**
   * Only waiting runs that have been sent something they have not heard, and those that go on by themselves at this
   * moment or before. They come in this order, the latter as they are due.
   */
  readonly dueBefore?: number;
  /**
   * Only runs that are running, as far as is recorded, under a lease that ends before this moment or was given back.
   * Those come first that nobody has had for longest. Not together with `dueBefore`.
   */
  readonly leaseEndsBefore?: number;
  /** Only runs made at this moment or after, and before that one, in milliseconds since 1970. */
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  /** Only runs whose summary is of this moment or later: what has changed since. */
  readonly updatedFrom?: number;
  /** Only those that come after this run in the order of age: where the next page begins. Not with the two before. */
  readonly after?: Pick<RunListing, "createdAt" | "runId">;
  /** At most so many, newest first (unless `dueBefore` or `leaseEndsBefore` says otherwise). Default 100. */
  readonly limit?: number;
}

export interface AccountFilter {
  /** Only these; those that do not exist are left out. */
  readonly scopes?: readonly string[];
  /** Only accounts on which this run has money held. */
  readonly heldBy?: string;
  /** At most so many, by name. Default 1,000. */
  readonly limit?: number;
}

/**
 * Whoever wants to hear at once of what they would otherwise find by looking. News are hints: they may be lost, come twice, or
 * come for nothing, and what they are of stands in the store.
 */
export interface Watcher {
  /** Whichever process did it, a run was sent something, or let go of before its end: it runs on, or is to be woken. */
  readonly news: (runId: string) => void;
  /**
   * Whether news come from now on, as far as one can know; before the first call they do not. Where they begin to, look once:
   * nobody tells of what was before.
   */
  readonly live: (isLive: boolean) => void;
}

/** What a store promises about acknowledged appends: they survive power loss, only a killed process, or neither. */
export type Durability = "synced" | "relaxed" | "volatile";

/**
 * Where journals live. Entries are opaque; every meaning is in `core`. Passing `testStore()` of `flujo/testing` is
 * what makes a store.
 *
 * Any method may throw StoreUnavailableError (full, read-only, unreachable), StoreCorruptError, StoreNewerError.
 */
export interface Store {
  /** For messages: `sqlite:.flujo/flujo.db`. */
  readonly name: string;
  readonly durability: Durability;
  /**
   * Adds every append atomically, in order, each fenced in the same statement or transaction; one sync for all of
   * them. An append of a stale fence is refused alone. When it throws, none of the appends is acknowledged.
   * A lease is used through the store object that granted it, and counts until there is a newer one, expired or not.
   */
  commit(appends: readonly Append[]): Promise<readonly AppendOutcome[]>;
  /** The entries from `from` on, at most `limit`. Empty past the end; undefined for an unknown run. */
  read(runId: string, from: number, limit: number): Promise<readonly Entry[] | undefined>;
  blob(hash: string): Promise<string | undefined>;
  /** Grants a free or expired lease under a higher fence, or says who holds it. */
  acquire(request: LeaseRequest): Promise<LeaseAnswer>;
  /** Extends a lease, even an expired one. False when a newer one exists or it was given back. */
  renew(lease: Lease, expiresAt: number): Promise<boolean>;
  /** Gives a lease back: the run is free at once. Nothing happens when a newer one exists. */
  release(lease: Lease): Promise<void>;
  list(filter: RunFilter): Promise<readonly RunListing[]>;
  /** Keeps a signal; a second one with the same id changes nothing. False for an unknown run. */
  send(runId: string, signal: Signal): Promise<boolean>;
  /** The signals sent to a run so far, in order. */
  signals(runId: string): Promise<readonly Signal[]>;
  cacheGet(key: string, now: number): Promise<CacheRecord | undefined>;
  cachePut(key: string, record: CacheRecord): Promise<void>;
  /**
   * Changes the shared ledger as `decide` of `core/account.ts` says: reads the accounts the request names, and writes
   * what it changed, as one atomic step among all processes. A hold is refused with `fenced` when its fence is not that
   * of the run's present lease. What is answered is as safe as the next commit through the same store object makes it.
   */
  ledger(request: LedgerRequest): Promise<LedgerAnswer>;
  /** The accounts there are, by name. */
  accounts(filter: AccountFilter): Promise<readonly Account[]>;
  /** The notes there are, by key in the order of their characters' codes. */
  notes(filter: NoteFilter): Promise<readonly Note[]>;
  /**
   * Writes a note when its version is still `seen` (undefined: when there is none), as one atomic step among all
   * processes. Returns the new version; undefined when somebody else was first, and nothing was written. What is
   * answered is as safe as the next commit through the same store object makes it.
   */
  putNote(key: string, value: Json, seen: string | undefined): Promise<string | undefined>;
  /** Removes a note of which this is the present version. False when it is not, and nothing was removed. */
  dropNote(key: string, seen: string): Promise<boolean>;
  /**
   * Removes a run for good: its journal, its signals, its place in lists. Its id is free again. What its journal has kept
   * aside stays, for `sweep`; shared accounts keep their sums. False, and nothing is removed, when the lease is not, or no
   * longer, the run's newest, or was given back; or when the run has been sent more than `heard` signals.
   *
   * @param heard how many signals whoever drops it knows of. Default: nobody asks about them.
   */
  drop(lease: Lease, heard?: number): Promise<boolean>;
  /**
   * Removes values kept aside, where the store can do so while others write: of `hashes`, those that `used` does not name
   * and that no commit has brought since this began. A store that cannot keeps them all.
   *
   * @param used finds out what journals refer to. Called once `hashes` are marked, so that no commit can be missed.
   * @returns how many were removed.
   */
  sweep(hashes: readonly string[], used: () => Promise<ReadonlySet<string>>): Promise<number>;
  /**
   * Tells a watcher from now on, in the background, until what it returns is called or the store is closed. Keeps no process
   * alive. Absent: processes can only look.
   */
  watch?(watcher: Watcher): () => void;
  close(): Promise<void>;
}
