import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../core/account.ts";
import type { Entry } from "../core/entries.ts";
import type {
  Append,
  AppendOutcome,
  CacheRecord,
  Lease,
  Note,
  RunListing,
  RunSummary,
  Signal,
  Store,
} from "../ports/store.ts";
import {
  chosenAccounts,
  chosenNotes,
  follow,
  grant,
  isFree,
  listed,
  listingOf,
  refuseBadKey,
  refuseBadRunId,
  shows,
} from "../ports/store-rules.ts";

interface Run {
  readonly entries: Entry[];
  readonly signals: Signal[];
  fence: number;
  lease: Lease | undefined;
  summary: RunSummary | undefined;
}

const oneAppended: readonly AppendOutcome[] = Object.freeze(["appended"] as const);

/**
 * A store that lives and dies with the process: for tests, and for runs that need no memory. Several `Flujo` may
 * share it. It keeps the very objects it is given; whoever appends an entry must not change it afterwards.
 *
 * ```ts
 * const flujo = new Flujo(greet, { store: memory() });
 * ```
 */
export function memory(): Store {
  const runs = new Map<string, Run>();
  const blobs = new Map<string, string>();
  const cache = new Map<string, CacheRecord>();
  const accounts = new Map<string, Account>();
  const notes = new Map<string, Note>();
  /** What each sweep under way is about to remove. */
  const condemned = new Set<Set<string>>();
  let noteVersions = 0;

  /** The run, while the fence is the one of its present lease. */
  const owned = (runId: string, fence: number): Run | undefined => {
    const run = runs.get(runId);
    return run?.lease !== undefined && run.fence === fence ? run : undefined;
  };

  const change = (request: LedgerRequest): LedgerAnswer => {
    const { answer, changed } = decide((scope) => accounts.get(scope), request);
    for (const account of changed) accounts.set(account.scope, account);
    return answer;
  };

  const add = (run: Run, append: Append): void => {
    for (const entry of append.entries) run.entries.push(entry);
    for (const { hash, text } of append.blobs) {
      blobs.set(hash, text);
      for (const hashes of condemned) hashes.delete(hash);
    }
    if (append.summary !== undefined) run.summary = append.summary;
    if (append.postings !== undefined) change({ kind: "settle", postings: append.postings });
  };

  /** Refuses the whole batch before anything of it is kept. */
  const check = (appends: readonly Append[]): void => {
    const next = new Map<Run, number>();
    for (const append of appends) {
      const run = owned(append.runId, append.fence);
      if (run !== undefined) next.set(run, follow(append, next.get(run) ?? run.entries.length));
    }
  };

  return {
    name: "memory:",
    durability: "volatile",

    async commit(appends) {
      if (appends.length === 1) {
        const append = appends[0] as Append; // the length says so
        const run = owned(append.runId, append.fence);
        if (run === undefined) return ["fenced"];
        follow(append, run.entries.length);
        add(run, append);
        return oneAppended;
      }
      check(appends);
      return appends.map((append) => {
        const run = owned(append.runId, append.fence);
        if (run === undefined) return "fenced";
        add(run, append);
        return "appended";
      });
    },

    async read(runId, from, limit) {
      return runs.get(runId)?.entries.slice(from, from + limit);
    },

    async blob(hash) {
      return blobs.get(hash);
    },

    async acquire(request) {
      let run = runs.get(request.runId);
      if (request.create) {
        if (run !== undefined) return { outcome: "exists" };
        refuseBadRunId(request.runId);
        run = { entries: [], signals: [], fence: 0, lease: undefined, summary: undefined };
        runs.set(request.runId, run);
      }
      if (run === undefined) return { outcome: "unknown" };
      if (run.lease !== undefined && !isFree(run.lease, request))
        return { outcome: "held", lease: run.lease };
      run.fence++;
      run.lease = grant(request, run.fence);
      return { outcome: "granted", lease: run.lease };
    },

    async renew(lease, expiresAt) {
      const run = owned(lease.runId, lease.fence);
      if (run?.lease === undefined) return false;
      run.lease = { ...run.lease, expiresAt };
      return true;
    },

    async release(lease) {
      const run = owned(lease.runId, lease.fence);
      if (run !== undefined) run.lease = undefined;
    },

    async list(filter) {
      const found: RunListing[] = [];
      for (const [runId, { summary, lease, signals }] of runs) {
        if (summary === undefined) continue;
        const run = listingOf(runId, summary, lease, signals.length);
        if (shows(filter, run)) found.push(run);
      }
      return listed(found, filter);
    },

    async send(runId, signal) {
      const run = runs.get(runId);
      if (run === undefined) return false;
      if (!run.signals.some((sent) => sent.id === signal.id)) run.signals.push(signal);
      return true;
    },

    async signals(runId) {
      return [...(runs.get(runId)?.signals ?? [])];
    },

    async cacheGet(key, now) {
      const record = cache.get(key);
      return record?.expiresAt !== undefined && record.expiresAt <= now ? undefined : record;
    },

    async cachePut(key, record) {
      cache.set(key, record);
    },

    async ledger(request) {
      const isStale = request.kind === "hold" && owned(request.runId, request.fence) === undefined;
      return isStale ? { outcome: "fenced" } : change(request);
    },

    async accounts(filter) {
      return chosenAccounts(accounts.values(), filter);
    },

    async notes(filter) {
      return chosenNotes(notes.values(), filter);
    },

    async putNote(key, value, seen) {
      refuseBadKey(key);
      if (notes.get(key)?.version !== seen) return undefined;
      const version = String(++noteVersions);
      notes.set(key, { key, value, version });
      return version;
    },

    async dropNote(key, seen) {
      return notes.get(key)?.version === seen && notes.delete(key);
    },

    async drop({ runId, fence }, heard = Number.POSITIVE_INFINITY) {
      const run = owned(runId, fence);
      return run !== undefined && run.signals.length <= heard && runs.delete(runId);
    },

    async sweep(hashes, used) {
      const doomed = new Set(hashes);
      condemned.add(doomed);
      try {
        for (const hash of await used()) doomed.delete(hash);
        return [...doomed].filter((hash) => blobs.delete(hash)).length;
      } finally {
        condemned.delete(doomed);
      }
    },

    async close() {},
  };
}
