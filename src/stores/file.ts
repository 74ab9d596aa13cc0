import { join, resolve } from "node:path";
import { type HoldRequest, type LedgerAnswer, noTally } from "../core/account.ts";
import { StoreCorruptError, StoreUnavailableError } from "../core/errors.ts";
import { isRunId } from "../core/paths.ts";
import type { Append, AppendOutcome, Store } from "../ports/store.ts";
import { chosenAccounts, chosenNotes, refuseBadRunId } from "../ports/store-rules.ts";
import { storeError } from "./file/faults.ts";
import { type Place, readEntries } from "./file/journal.ts";
import { blob, blobKeeper, cacheGet, cachePut } from "./file/kept.ts";
import { acquire, isCurrent, release, renew } from "./file/lease.ts";
import { accountsIn, changeLedger } from "./file/ledger.ts";
import { dropNote, notesIn, putNote } from "./file/notes.ts";
import { isThere, putAllBack, removeRun } from "./file/removal.ts";
import { list } from "./file/runs.ts";
import { send, sentTo, signals } from "./file/signals.ts";
import { writers } from "./file/writers.ts";

/** How {@link file} keeps its promises. */
export interface FileOptions {
  /**
   * `"synced"` (default): what is acknowledged survives power loss, at the price of one disk sync a commit.
   * `"relaxed"`: it survives a killed process; power loss may cost a run its last entries, or damage its file.
   */
  readonly durability?: "synced" | "relaxed";
}

/** Runs whose last reading is remembered, so that the next page begins where it ended. */
const maxRemembered = 1_000;

/**
 * A store of plain files, which several processes of one machine may use at once: a folder for each run, its journal
 * in lines of JSON that one can read with any tool. Needs a disk with hard links (all usual ones; not exFAT).
 *
 * ```ts
 * const flujo = new Flujo(greet, { store: file(".flujo/journals") });
 * ```
 */
export function file(directory: string, options: FileOptions = {}): Store {
  const name = `file:${directory}`;
  const root = resolve(directory);
  const durability = options.durability ?? "synced";
  const synced = durability === "synced";
  const open = writers(synced, blobKeeper(root, synced));
  const places = new Map<string, Place>();
  let last: Promise<unknown> = Promise.resolve();
  let isUsed = false;
  let closed = false;

  const use = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (closed)
      throw new StoreUnavailableError(`${name} is closed`, {
        hint: "Keep the store open until its runs end.",
      });
    try {
      if (!isUsed) putAllBack(root);
      isUsed = true;
      return await work();
    } catch (error) {
      throw storeError(error, name);
    }
  };

  /** One after another: what changes the open segments must not meet a commit that waits for its sync. */
  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const turn = last.then(() => use(work));
    last = turn.catch(() => {});
    return turn;
  };

  /** A text that is no run id never becomes a path. */
  const folderOf = (runId: string): string | undefined =>
    isRunId(runId) ? join(root, "runs", runId) : undefined;

  /** The folder of a run, in its place, if there is such a run. */
  const placeOf = (runId: string): string | undefined => {
    const folder = folderOf(runId);
    return folder !== undefined && isThere(root, folder) ? folder : undefined;
  };

  const read = (folder: string, runId: string, from: number, limit: number) => {
    const page = readEntries(folder, from, limit, places.get(runId));
    if (places.size >= maxRemembered) places.clear();
    if (page?.place !== undefined) places.set(runId, page.place);
    return page?.entries;
  };

  const ledger = join(root, "ledger");

  /** What the journals settle is posted once they are safe. Should that fail, the run's next owner posts it. */
  const commit = async (appends: readonly Append[]): Promise<readonly AppendOutcome[]> => {
    const outcomes = await open.commit(appends);
    const postings = appends.flatMap((append, i) =>
      outcomes[i] === "appended" ? (append.postings ?? []) : [],
    );
    if (postings.length > 0) changeLedger(ledger, { kind: "settle", postings }, synced);
    return outcomes;
  };

  /** Between the look at the lease and the hold another process may take the run over: it is looked at again, after. */
  const hold = (request: HoldRequest): LedgerAnswer => {
    const folder = folderOf(request.runId);
    const isStale = (): boolean => folder === undefined || !isCurrent(folder, request);
    if (isStale()) return { outcome: "fenced" };
    const answer = changeLedger(ledger, request, synced);
    if (answer.outcome !== "granted" || !isStale()) return answer;
    const postings = request.accounts.map(({ scope }) => ({ scope, hold: request.id, amount: noTally }));
    changeLedger(ledger, { kind: "settle", postings }, synced);
    return { outcome: "fenced" };
  };

  return {
    name,
    durability,
    commit: (appends) => inTurn(() => commit(appends)),

    read: (runId, from, limit) =>
      use(() => {
        const folder = placeOf(runId);
        if (folder === undefined) return undefined;
        try {
          return read(folder, runId, from, limit);
        } catch (error) {
          if (!(error instanceof StoreCorruptError)) throw error;
          places.delete(runId); // its owner may just have taken back an append that failed: look once more
          return read(folder, runId, from, limit);
        }
      }),

    blob: (hash) => use(() => blob(root, hash)),

    acquire: (request) =>
      inTurn(() => {
        if (request.create) refuseBadRunId(request.runId);
        const folder = placeOf(request.runId) ?? (request.create ? folderOf(request.runId) : undefined);
        if (folder === undefined) return { outcome: "unknown" };
        const answer = acquire(folder, request);
        if (answer.outcome !== "granted") return answer;
        open.open(folder, answer.lease, answer.opened);
        return { outcome: "granted", lease: answer.lease };
      }),

    renew: (lease, expiresAt) =>
      use(() => {
        const folder = folderOf(lease.runId);
        return folder !== undefined && renew(folder, lease, expiresAt);
      }),

    drop: (lease, heard = Number.POSITIVE_INFINITY) =>
      inTurn(() => {
        const folder = folderOf(lease.runId);
        if (folder === undefined || !isCurrent(folder, lease) || sentTo(folder) > heard) return false;
        open.close(lease.runId, lease.fence);
        places.delete(lease.runId);
        return removeRun(root, folder, lease.fence, heard);
      }),

    // A value's file and the line that refers to it are written one after the other: it can never be told for sure, while
    // others write, that nobody is about to refer to a file.
    sweep: async () => 0,

    release: (lease) =>
      inTurn(() => {
        const folder = folderOf(lease.runId);
        open.close(lease.runId, lease.fence);
        if (folder !== undefined) release(folder, lease);
      }),

    list: (filter) => use(() => list(join(root, "runs"), filter)),

    send: (runId, signal) =>
      use(() => {
        for (;;) {
          const folder = placeOf(runId);
          if (folder === undefined) return false;
          if (send(folder, signal, synced)) return true; // else it was taken away at this moment
        }
      }),

    signals: (runId) =>
      use(() => {
        const folder = placeOf(runId);
        return folder === undefined ? [] : signals(folder);
      }),

    cacheGet: (key, now) => use(() => cacheGet(root, key, now)),
    cachePut: (key, record) => use(() => cachePut(root, key, record)),

    ledger: (request) =>
      use(() => (request.kind === "hold" ? hold(request) : changeLedger(ledger, request, synced))),
    accounts: (filter) => use(() => chosenAccounts(accountsIn(ledger), filter)),

    notes: (filter) => use(() => chosenNotes(notesIn(root), filter)),
    putNote: (key, value, seen) => use(() => putNote(root, key, value, seen, synced)),
    dropNote: (key, seen) => use(() => dropNote(root, key, seen, synced)),

    async close() {
      await last;
      closed = true;
      open.closeAll();
    },
  };
}
