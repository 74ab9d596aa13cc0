/** What every store decides alike, so that it is decided once. */
import type { Account } from "../core/account.ts";
import { InvalidOptionError, InvalidRunIdError, StoreCorruptError } from "../core/errors.ts";
import { isRunId } from "../core/paths.ts";
import type {
  AccountFilter,
  Append,
  Lease,
  LeaseRequest,
  Note,
  NoteFilter,
  RunFilter,
  RunListing,
  RunSummary,
} from "./store.ts";

/** Runs in a list whose filter names no limit. */
export const defaultListLimit = 100;
/** Accounts in a list whose filter names no limit. */
export const defaultAccountLimit = 1_000;
/** Notes in a list whose filter names no limit. */
export const defaultNoteLimit = 1_000;

/** Whether a request may have the lease that stands now; `undefined` stands for a released one. */
export function isFree(lease: Lease | undefined, request: LeaseRequest): boolean {
  return lease === undefined || lease.expiresAt <= request.now || lease.fence === request.supersede;
}

/** The lease a request is granted under `fence`. */
export function grant(request: LeaseRequest, fence: number): Lease {
  return { runId: request.runId, owner: request.owner, fence, expiresAt: request.now + request.ttlMs };
}

/** @throws InvalidRunIdError before a run with such an id is made. */
export function refuseBadRunId(runId: string): void {
  if (isRunId(runId)) return;
  throw new InvalidRunIdError(`${JSON.stringify(runId)} is not a run id`, {
    hint: "Use 1 to 128 letters, digits, '.', '_' or '-', the first a letter or digit.",
  });
}

/**
 * The seq that follows an append, whose first entry must be numbered `next`.
 *
 * @throws StoreCorruptError for a gap or a repetition: writer and journal disagree about what is recorded.
 */
export function follow(append: Append, next: number): number {
  let expected = next;
  for (const entry of append.entries) {
    if (entry.seq !== expected) throw misplaced(append.runId, entry.seq, expected);
    expected++;
  }
  return expected;
}

export function misplaced(runId: string, seq: number, expected: number): StoreCorruptError {
  return new StoreCorruptError(
    `entry ${seq} cannot be added to run ${runId}: its journal goes on at ${expected}`,
    {
      runId,
      hint: "Nothing was written. Resume the run: it reads its journal anew.",
    },
  );
}

/** A run as lists show it. */
export function listingOf(
  runId: string,
  summary: RunSummary,
  lease: Lease | undefined,
  sent: number,
): RunListing {
  const unheard = summary.status === "waiting" ? sent - (summary.heard ?? 0) : 0;
  return {
    ...summary,
    runId,
    ...(lease === undefined ? {} : { lease }),
    ...(unheard > 0 ? { unheard } : {}),
  };
}

/** Whether a filter lets a run through; its limit aside. */
export function shows({ dueBefore, leaseEndsBefore, ...filter }: RunFilter, run: RunListing): boolean {
  return (
    (filter.status === undefined || filter.status.includes(run.status)) &&
    (filter.pipeline === undefined || pipelinesIn(filter.pipeline).includes(run.pipeline)) &&
    (filter.idPrefix === undefined || run.runId.startsWith(filter.idPrefix)) &&
    (dueBefore === undefined || dueAt(run) <= dueBefore) &&
    (leaseEndsBefore === undefined || (run.status === "running" && leaseEnd(run) < leaseEndsBefore)) &&
    (filter.createdFrom === undefined || run.createdAt >= filter.createdFrom) &&
    (filter.createdBefore === undefined || run.createdAt < filter.createdBefore) &&
    (filter.updatedFrom === undefined || run.updatedAt >= filter.updatedFrom) &&
    (filter.after === undefined || newestFirst(filter.after, run) < 0)
  );
}

/** The pipelines a filter names. */
export const pipelinesIn = (pipeline: string | readonly string[]): readonly string[] =>
  typeof pipeline === "string" ? [pipeline] : pipeline;

const dueAt = ({ unheard, wakeAt }: RunListing): number =>
  unheard === undefined ? (wakeAt ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;

const leaseEnd = ({ lease }: RunListing): number => lease?.expiresAt ?? 0;

type Aged = Pick<RunListing, "createdAt" | "runId">;

/** The runs a filter has let through, in its order and up to its limit. */
export function listed(runs: RunListing[], filter: RunFilter): RunListing[] {
  const order =
    filter.dueBefore !== undefined
      ? first(dueAt)
      : filter.leaseEndsBefore !== undefined
        ? first(leaseEnd)
        : newestFirst;
  return runs.sort(order).slice(0, filter.limit ?? defaultListLimit);
}

/** Newest first; runs made in one millisecond by id, the later one first. */
const newestFirst = (a: Aged, b: Aged): number =>
  b.createdAt - a.createdAt || (a.runId === b.runId ? 0 : a.runId < b.runId ? 1 : -1);

/** By a moment, the earliest first; runs of one millisecond by id, the earlier one first. */
const first =
  (moment: (run: RunListing) => number) =>
  (a: RunListing, b: RunListing): number => {
    const [x, y] = [moment(a), moment(b)];
    return x === y ? (a.runId < b.runId ? -1 : 1) : x < y ? -1 : 1;
  };

/** The accounts a filter lets through, by name. */
export function chosenAccounts(accounts: Iterable<Account>, filter: AccountFilter): readonly Account[] {
  const { scopes, heldBy, limit = defaultAccountLimit } = filter;
  const chosen = [...accounts].filter(
    ({ scope, holds }) =>
      (scopes === undefined || scopes.includes(scope)) &&
      (heldBy === undefined || holds.some(({ runId }) => runId === heldBy)),
  );
  return chosen.sort((a, b) => (a.scope < b.scope ? -1 : 1)).slice(0, limit);
}

/** @throws InvalidOptionError before a note with such a key is made. */
export function refuseBadKey(key: string): void {
  if (/^[\x20-\x7e]{1,400}$/.test(key)) return;
  throw new InvalidOptionError(`${JSON.stringify(key)} is no key of a note`, {
    hint: "Use 1 to 400 printable ASCII characters.",
  });
}

/** The notes a filter lets through, by key. */
export function chosenNotes(notes: Iterable<Note>, filter: NoteFilter): readonly Note[] {
  const { prefix, after = "", limit = defaultNoteLimit } = filter;
  const chosen = [...notes].filter(({ key }) => key.startsWith(prefix) && key > after);
  return chosen.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
}
