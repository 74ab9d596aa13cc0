/**
 * Whether what the shared ledger has answered fits one order of all requests in which each takes effect in one moment between its
 * question and its answer, by the rules of `core/account.ts`. Unlike journals, accounts do not show in which order they came to
 * be what they are: that is searched for.
 */
import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../../core/account.ts";
import { sha256 } from "../../core/fingerprint.ts";
import type { AppendOutcome } from "../../ports/store.ts";
import { chosenAccounts } from "../../ports/store-rules.ts";
import type { AppendAsked, Call } from "./call.ts";
import { withoutUnseen } from "./evidence.ts";
import { deadEnd, type Move, type SearchOptions } from "./order.ts";
import { groupsOf, partOf } from "./parts.ts";

/** What one moment knows: accounts, and the newest fence of each run. */
interface Books {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly fences: ReadonlyMap<string, number>;
  /** As they were, back to the last that a crash of the server cannot undo. Empty where no crash is to come. */
  readonly undoable: readonly Books[];
}

const empty: Books = { accounts: new Map(), fences: new Map(), undoable: [] };

export interface LedgerOptions {
  /** States each search enters, at most. Default 50,000. */
  readonly most?: number;
}
const mostStates = 50_000;

/**
 * What is wrong, as sentences. None: such an order exists for each group of accounts that are decided on together. Histories of
 * several objects are linearisable when those of each are (Herlihy and Wing 1990); what groups share, the leases of a run and
 * the moment to which a crash goes back, each of them may see at another moment of the same call.
 *
 * @throws RangeError when a search has entered `most` states and knows neither, and nothing is wrong in other groups.
 */
export function checkLedger(history: readonly Call[], options: LedgerOptions = {}): string[] {
  const wrong: string[] = [];
  let undecided: RangeError | undefined;
  for (const group of groupsOf(history)) {
    try {
      wrong.push(...checkPart(partOf(history, group), options));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      undecided = error;
    }
  }
  if (wrong.length === 0 && undecided !== undefined) throw undecided;
  return wrong;
}

/**
 * Where nobody was told what became of some calls, an order is guessed at first: of what has left no trace nothing was done, and
 * the rest was done when somebody was told what cannot be otherwise. Nearly always that explains everything. Only a search with
 * all of them, wherever they can be, tells that there is no order.
 */
function checkPart(history: readonly Call[], options: LedgerOptions): string[] {
  const { most = mostStates } = options;
  if (history.some(({ answer }) => answer === undefined)) {
    const [seen, asked] = [withoutUnseen(history), withoutUnseen(history, "ledger")];
    const guesses = [
      { calls: seen, inARow: 1 },
      { calls: asked, inARow: 1 },
      { calls: asked, inARow: 2 },
    ];
    for (const { calls, inARow } of guesses) if (isOrdered(calls, { most, inARow })) return [];
  }
  return ordered(history, { most });
}

function isOrdered(history: readonly Call[], options: SearchOptions): boolean {
  try {
    return ordered(history, options).length === 0;
  } catch (error) {
    if (error instanceof RangeError) return false; // another guess may be easier
    throw error;
  }
}

function ordered(history: readonly Call[], options: SearchOptions): string[] {
  const owners = new Set(history.flatMap(ownersIn));
  const calls = history.filter((call) => concerns(call, owners));
  const hasCrashes = calls.some(({ kind }) => kind === "crash");
  const moves = calls.map(
    (call): Move<Books> => ({
      ...{ start: call.start, end: call.end },
      after: (books) => after(books, call).map((next) => (hasCrashes ? remembering(books, next) : next)),
    }),
  );
  const end = deadEnd(moves, empty, keyOf, options);
  if (end === undefined) return [];
  const next = end.next.map((i) => told(calls[i])).join("; ");
  const state = shown({ ...end.state, undoable: [] });
  return [
    `after ${end.placed} of ${calls.length} calls none of these can come next: ${next}. Then the books are ${state}`,
  ];
}

/** The runs that hold money, or settle some. */
function ownersIn(call: Call): string[] {
  if (call.kind === "ledger") return call.asked.kind === "hold" ? [call.asked.runId] : [];
  if (call.kind === "commit") return call.asked.filter(settles).map(({ runId }) => runId);
  return [];
}

const settles = ({ postings }: AppendAsked): boolean => postings.length > 0;

function concerns(call: Call, owners: ReadonlySet<string>): boolean {
  switch (call.kind) {
    case "commit":
      return call.asked.some(settles);
    case "acquire":
      return owners.has(call.asked.runId);
    case "accounts":
      return call.answer !== undefined;
    case "read":
      return false;
    default:
      return true;
  }
}

/** What the books may be after a call; none where its answer could not be given. */
function after(books: Books, call: Call): readonly Books[] {
  switch (call.kind) {
    case "acquire":
      return afterAcquire(books, call);
    case "commit": {
      if (call.answer === "refused") return [books];
      const outcomes = call.asked.map((append) => outcomeOf(books, append));
      if (call.answer !== undefined && !same(call.answer, outcomes)) return [];
      const added = call.asked.filter((_, i) => outcomes[i] === "appended");
      if (added.length === 0) return [books];
      const postings = added.flatMap((append) => append.postings);
      return [synced(request(books, { kind: "settle", postings }).books)];
    }
    case "ledger": {
      const { answer, books: next } = request(books, call.asked);
      if (call.answer !== undefined && !same(call.answer, answer)) return [];
      return [call.asked.kind === "amend" ? synced(next) : next];
    }
    case "accounts": {
      const seen = chosenAccounts(books.accounts.values(), { scopes: call.asked });
      return same(call.answer, seen) ? [books] : [];
    }
    case "crash":
      return [books, ...books.undoable].map((kept) => ({ ...kept, undoable: [] }));
    default:
      return [books];
  }
}

function afterAcquire(books: Books, { asked, answer }: Call<"acquire">): readonly Books[] {
  const known = books.fences.get(asked.runId);
  if (answer !== undefined && answer.outcome !== "granted") return [books];
  const fence = answer?.lease.fence ?? (known ?? 0) + 1;
  if (known !== undefined && fence !== known + 1) return [];
  return [{ ...books, fences: new Map(books.fences).set(asked.runId, fence) }];
}

const outcomeOf = ({ fences }: Books, { runId, fence }: AppendAsked): AppendOutcome =>
  fences.get(runId) === fence ? "appended" : "fenced";

function request(
  books: Books,
  asked: LedgerRequest,
): { readonly answer: LedgerAnswer; readonly books: Books } {
  if (asked.kind === "hold" && books.fences.get(asked.runId) !== asked.fence)
    return { answer: { outcome: "fenced" }, books };
  const { answer, changed } = decide((scope) => books.accounts.get(scope), asked);
  if (changed.length === 0) return { answer, books };
  const accounts = new Map(books.accounts);
  for (const account of changed) accounts.set(account.scope, account);
  return { answer, books: { ...books, accounts } };
}

/** Holds and leases are as safe as the next commit makes them: until then a crash may undo them, the last ones first. */
function remembering(before: Books, next: Books): Books {
  if (next === before || next.undoable !== before.undoable) return next;
  return { ...next, undoable: [...before.undoable, { ...before, undoable: [] }] };
}

const synced = (books: Books): Books => ({ ...books, undoable: [] });

const keys = new WeakMap<Books, string>();

function keyOf(books: Books): string {
  const known = keys.get(books);
  if (known !== undefined) return known;
  const key = sha256(shown(books)); // short: a search remembers very many
  keys.set(books, key);
  return key;
}

function shown(books: Books): string {
  const accounts = chosenAccounts(books.accounts.values(), { limit: Number.MAX_SAFE_INTEGER });
  const fences = [...books.fences].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([accounts, fences, books.undoable.map(keyOf)]);
}

/** Both come of the same rules, which put fields in one order. */
const same = (one: unknown, other: unknown): boolean => textOf(one) === textOf(other);

const textOf = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}` : part));

/** For messages. */
const told = (call: Call | undefined): string =>
  call === undefined ? "" : `${call.id} ${call.kind} ${textOf(call.asked)}: ${textOf(call.answer)}`;
