/**
 * The accounts that runs share, and all that can be done to them: account x request -> account x answer. A store
 * keeps accounts and makes each request one atomic change; what a request means is decided here, once, for every store.
 *
 * An account's money is held before a call and posted after it. Who cannot be served yet takes a place in a queue. A
 * place is no money: it expires when nobody comes back for it. A hold never expires.
 */
import { type Balance, type LimitKind, reached, type Shortage, weigh } from "./balance.ts";
import type { Quote } from "./context.ts";
import type { Amount } from "./entries.ts";
import { addSpent, type Limits, nothingSpent, raised, type Spent } from "./limits.ts";
import type { Path } from "./paths.ts";

/** What is used, as JSON keeps it: an amount, and counts of calls. */
export interface Tally extends Amount {
  readonly calls: number;
  readonly toolCalls: number;
}

/** One account. Plain JSON. */
export interface Account {
  /** Its name: `tenant:acme`, `day:2026-11-25`. */
  readonly scope: string;
  readonly limits: Limits;
  /** Parts of the limits, in percent, at which an alert is due. */
  readonly alertAt: readonly number[];
  readonly posted: Tally;
  readonly holds: readonly OpenHold[];
  /** Who waits, first come first. */
  readonly queue: readonly Ticket[];
  /** Alerts that were due, each once, with the run that caused it. */
  readonly alerts: readonly AccountAlert[];
}

/** Money held for one call that is not settled yet. */
export interface OpenHold {
  readonly id: string;
  readonly runId: string;
  readonly path: Path;
  /** What is bought: the model, the tool. */
  readonly model: string;
  readonly amount: Tally;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A place in the queue of an account; the id is that of the hold to be. */
export interface Ticket {
  readonly id: string;
  readonly runId: string;
  /** Of the lease under which it was taken. Under a newer one nobody comes back for it. */
  readonly fence: number;
  /** Higher than those of all before it. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface AccountAlert {
  readonly percent: number;
  readonly of: LimitKind;
  readonly runId: string;
}

/** An account as a run names it. Limits and alerts are those it gets when there is no such account yet. */
export interface Terms {
  readonly scope: string;
  readonly limits: Limits;
  readonly alertAt: readonly number[];
}

/** Resolves one hold, at what the call cost; a call that was never made costs nothing, and is no call. */
export interface Posting {
  readonly scope: string;
  /** The id of the hold. One that is not open any more changes nothing. */
  readonly hold: string;
  readonly amount: Tally;
}

/** A change of the ledger, atomic over all the accounts it names. */
export type LedgerRequest = HoldRequest | SettleRequest | LeaveRequest | AmendRequest;

/** Holds a call's worst case on all accounts, or on none. Asked again with the same id, it answers as before. */
export interface HoldRequest {
  readonly kind: "hold";
  /** Unique among all holds there ever are. */
  readonly id: string;
  readonly runId: string;
  /** The fence of the run's lease: the request of a stale owner is refused. */
  readonly fence: number;
  readonly path: Path;
  readonly quote: Quote;
  readonly accounts: readonly Terms[];
  readonly now: number;
  /** How long a place in the queue is kept for who does not ask again, in milliseconds. */
  readonly patienceMs: number;
}

/** Resolves holds. */
export interface SettleRequest {
  readonly kind: "settle";
  readonly postings: readonly Posting[];
}

/** Gives places in queues up. */
export interface LeaveRequest {
  readonly kind: "leave";
  readonly ids: readonly string[];
  readonly scopes: readonly string[];
}

/** Sets or raises limits of an account, which is made when there is none. */
export interface AmendRequest {
  readonly kind: "amend";
  readonly scope: string;
  /** Limits to set; null takes one away. Those not named stay. */
  readonly set?: { readonly [K in keyof Limits]?: Limits[K] | null };
  readonly raise?: Limits;
  readonly alertAt?: readonly number[];
}

export type LedgerAnswer =
  | {
      readonly outcome: "granted";
      /** The output cap that all accounts can pay. */
      readonly outputTokens: number;
      readonly amount: Tally;
      /** Whether an alert of these accounts has yet to come. */
      readonly alerting: boolean;
    }
  /**
   * `number`: of its place; of several, the highest. `behind`: the runs of the first that stand before it, and those that
   * have money held there.
   */
  | { readonly outcome: "wait"; readonly number: number; readonly behind: readonly string[] }
  | { readonly outcome: "refused"; readonly scope: string; readonly why: Shortage }
  /** The run has a newer lease than the one that asks. Nothing was held. */
  | { readonly outcome: "fenced" }
  | { readonly outcome: "done" }
  /** There is no such limit to raise. */
  | { readonly outcome: "unlimited" };

export interface Decision {
  readonly answer: LedgerAnswer;
  /** The accounts that are another now; the others stay as they are. */
  readonly changed: readonly Account[];
}

/** What comes of a request. `find` gives the accounts it names as they stand, undefined where there is none. */
export function decide(find: (scope: string) => Account | undefined, request: LedgerRequest): Decision {
  switch (request.kind) {
    case "hold":
      return hold(find, request);
    case "settle":
      return { answer: { outcome: "done" }, changed: settle(find, request.postings) };
    case "leave": {
      const known = request.scopes.map(find).filter((account) => account !== undefined);
      const after = known.map((account) => without(account, request.ids));
      return { answer: { outcome: "done" }, changed: after.filter((account, i) => account !== known[i]) };
    }
    case "amend":
      return amend(find, request);
  }
}

/** Of those who stand before somebody in a queue, so many are named: it moves on when the first of them does. */
const mostNamed = 8;

function hold(find: (scope: string) => Account | undefined, request: HoldRequest): Decision {
  const { id, runId, path, now, quote } = request;
  const stored = request.accounts.map(({ scope }) => find(scope));
  const known = request.accounts.map((terms, i) => stored[i] ?? opened(terms));
  const decision = (answer: LedgerAnswer, after: readonly Account[]): Decision => ({
    answer,
    changed: after.filter((account, i) => account !== stored[i]),
  });
  const standing = known[0]?.holds.find((open) => open.id === id);
  if (standing !== undefined) return decision(granted(known, standing.amount), []);
  const accounts = known.map((account) => punctual(account, now));
  const weighed = weigh(accounts.map(balanceOf), quote, now);
  if (weighed.verdict === "refused") {
    const { scope } = accounts[weighed.at] as Account; // one of those that were weighed
    const left = accounts.map((account) => without(account, [id]));
    return decision({ outcome: "refused", scope, why: weighed.why }, left);
  }
  const isFirst = accounts.every(({ queue }) => queue.length === 0 || queue[0]?.id === id);
  if (weighed.verdict === "wait" || !(isFirst || quote.reported)) {
    const waiting = accounts.map((account) => queued(account, request));
    const number = Math.max(
      ...waiting.map(({ queue }) => queue.find((ticket) => ticket.id === id)?.number ?? 0),
    );
    const first = waiting.flatMap(({ queue }) => aheadOf(queue, id).slice(0, mostNamed));
    const behind = [...first, ...accounts.flatMap(({ holds }) => holds)].map((one) => one.runId);
    return decision({ outcome: "wait", number, behind: [...new Set(behind)] }, waiting);
  }
  const amount = tallyOf(weighed.worst);
  const open: OpenHold = { id, runId, path, model: quote.model, amount, at: now };
  const after = accounts.map((account) => ({
    ...without(account, [id]),
    holds: [...account.holds, open],
  }));
  return decision(granted(after, amount), after);
}

const granted = (accounts: readonly Account[], amount: Tally): LedgerAnswer => ({
  outcome: "granted",
  outputTokens: amount.outputTokens,
  amount,
  alerting: accounts.some((account) => pendingAlerts(account).length > 0),
});

/** Without the places of those who have not come back. */
function punctual(account: Account, now: number): Account {
  const queue = account.queue.filter(({ expiresAt }) => expiresAt > now);
  return queue.length === account.queue.length ? account : { ...account, queue };
}

function without(account: Account, ids: readonly string[]): Account {
  const queue = account.queue.filter((ticket) => !ids.includes(ticket.id));
  return queue.length === account.queue.length ? account : { ...account, queue };
}

const aheadOf = (queue: readonly Ticket[], id: string): readonly Ticket[] =>
  queue.slice(
    0,
    queue.findIndex((ticket) => ticket.id === id),
  );

/** With a place in the queue: the last, or the one there is, kept longer when half of its time is over. */
function queued(account: Account, { id, runId, fence, now, patienceMs }: HoldRequest): Account {
  const known = account.queue.find((other) => other.id === id);
  const number = known?.number ?? (account.queue.at(-1)?.number ?? 0) + 1;
  const ticket: Ticket = { id, runId, fence, number, expiresAt: now + patienceMs };
  if (known === undefined) return { ...account, queue: [...account.queue, ticket] };
  if (known.expiresAt - now > patienceMs / 2) return account;
  return { ...account, queue: account.queue.map((other) => (other === known ? ticket : other)) };
}

/** Each hold is resolved at most once: what is not open any more is passed over. */
function settle(find: (scope: string) => Account | undefined, postings: readonly Posting[]): Account[] {
  const changed = new Map<string, Account>();
  for (const { scope, hold: id, amount } of postings) {
    const account = changed.get(scope) ?? find(scope);
    const open = account?.holds.find((held) => held.id === id);
    if (account === undefined || open === undefined) continue;
    const posted = addSpent(spentIn(account.posted), spentIn(amount));
    changed.set(scope, {
      ...account,
      holds: account.holds.filter((held) => held !== open),
      posted: tallyOf(posted),
      alerts: [...account.alerts, ...alertsDue(account, posted, open.runId)],
    });
  }
  return [...changed.values()];
}

function alertsDue(account: Account, posted: Spent, runId: string): AccountAlert[] {
  return reached(account.limits, posted, pendingAlerts(account)).map((alert) => ({ ...alert, runId }));
}

const pendingAlerts = ({ alertAt, alerts }: Account): readonly number[] =>
  alertAt.filter((percent) => alerts.every((alert) => alert.percent !== percent));

function amend(find: (scope: string) => Account | undefined, request: AmendRequest): Decision {
  const { scope, set = {}, raise, alertAt } = request;
  const account = find(scope) ?? opened({ scope, limits: {}, alertAt: [] });
  const named = Object.entries({ ...account.limits, ...set }).filter(([, limit]) => limit != null);
  const standing: Limits = Object.fromEntries(named);
  const limits = raise === undefined ? standing : raised(standing, raise);
  if (limits === undefined) return { answer: { outcome: "unlimited" }, changed: [] };
  const changed = { ...account, limits, ...(alertAt === undefined ? {} : { alertAt }) };
  return { answer: { outcome: "done" }, changed: [changed] };
}

const opened = ({ scope, limits, alertAt }: Terms): Account => ({
  scope,
  limits,
  alertAt,
  posted: tallyOf(nothingSpent),
  holds: [],
  queue: [],
  alerts: [],
});

/** What of an account's limits is used. */
export function balanceOf({ limits, posted, holds }: Account): Balance {
  const pending = holds.map(({ amount }) => spentIn(amount)).reduce(addSpent, nothingSpent);
  return { limits, posted: spentIn(posted), pending, open: holds.length };
}

export const tallyOf = (spent: Spent): Tally => ({ ...spent, picoUsd: spent.picoUsd.toString() });
export const spentIn = (tally: Tally): Spent => ({ ...tally, picoUsd: BigInt(tally.picoUsd) });
/** A call that was never made. */
export const noTally: Tally = tallyOf(nothingSpent);
