import { ask, hold, openScope, post, type Scope, type ScopeOptions, shrink } from "../budget/ledger.ts";
import { countOf, type LimitKind, reached, type Weighed } from "../core/balance.ts";
import type { Purchase, Quote } from "../core/context.ts";
import type { Amount, Entry } from "../core/entries.ts";
import { addSpent, type Limits, nothingSpent, raised, type Spent } from "../core/limits.ts";
import { enclosing, type Path, undoAround } from "../core/paths.ts";
import { alertKey } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import type { World } from "../ports/world.ts";
import type { Commons, SharedHold } from "./commons.ts";
import type { Pen } from "./journal.ts";
import { PriceNotes } from "./price-notes.ts";
import type { Raise } from "./raises.ts";
import type { Stop } from "./stop.ts";
import type { Kept } from "./values.ts";

/** Money held for one call. */
export interface Hold {
  readonly path: Path;
  readonly seq: number;
  readonly kind: Purchase;
  readonly scopes: readonly Scope[];
  readonly worst: Spent;
  readonly outputTokens: number;
  /** What is held on the accounts the run shares with others. */
  readonly shared: SharedHold | undefined;
  /** It was spent before it was asked for. */
  readonly reported: boolean;
}

type Granted = Extract<Weighed, { verdict: "granted" }>;

interface Waiting {
  readonly scopes: readonly Scope[];
  readonly look: () => boolean;
}

/**
 * Spends a run's budget: one call at a time is asked for, held, and settled; who must wait is served in order. First
 * on the run's own accounts, then on those it shares with others, so that nobody holds the latter while waiting for
 * the former.
 */
export class Treasury {
  readonly #journal: Pen;
  readonly #world: World;
  readonly #commons: Commons | undefined;
  readonly #prices: PriceNotes;
  readonly #queue: Waiting[] = [];
  /** What earlier owners of the run spent inside each path. */
  readonly #inherited = new Map<Path, Spent>();
  readonly #scopes = new Map<string, Scope>();
  readonly #alerts: Set<string>;
  readonly #raises: Set<string>;
  #run: Scope | undefined;
  #looking: Promise<void> | undefined;

  /** @param commons the accounts the run shares with others, when there are any. */
  constructor(journal: Pen, world: World, commons?: Commons) {
    this.#journal = journal;
    this.#world = world;
    this.#commons = commons;
    this.#prices = new PriceNotes(journal);
    this.#alerts = new Set(journal.run.alerts);
    this.#raises = new Set(journal.run.raises);
    for (const { path, amount, kind, settled } of journal.run.reservations.values()) {
      const spent = spentOf(settled ?? amount, kind);
      const undo = undoAround(path) ?? ""; // paid by the run, not by what is around the place it undoes
      for (const scope of enclosing(path)) {
        if (scope.length < undo.length) continue;
        this.#inherited.set(scope, addSpent(this.#inherited.get(scope) ?? nothingSpent, spent));
      }
    }
    if (commons !== undefined) journal.onCommit((entries) => this.#committed(entries));
  }

  /** The account of the run itself. */
  openRun(path: Path, limits: Limits, since: number, spent: Spent, options: ScopeOptions): Scope {
    this.#run = openScope(path, limits, since, spent, options);
    this.#alert([this.#run]);
    return this.#run;
  }

  /**
   * The account of a place, with what was spent inside it before: one account, however often the place is entered.
   *
   * @param covers the paths of all it pays for: `a.to(b)` and `a.fallback(b)` have two.
   */
  open(path: Path, limits: Limits, covers: readonly Path[], options: ScopeOptions = {}): Scope {
    const key = `${path} ${JSON.stringify(limits)}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const since = this.#journal.run.scopes.get(path);
    if (since === undefined) this.#journal.put({ type: "scope-opened", path, limits });
    const before = covers.map((covered) => this.#inherited.get(covered) ?? nothingSpent);
    const spent = before.reduce(addSpent, nothingSpent);
    const scope = openScope(path, limits, since ?? this.#world.now(), spent, options);
    this.#scopes.set(key, scope);
    this.#alert([scope]);
    return scope;
  }

  /** Raises the run's limits, once for each message that asks for it; who waits is looked at again. */
  raise({ id, by }: Raise): void {
    if (this.#run === undefined || this.#raises.has(id)) return;
    this.#raises.add(id);
    const limits = raised(this.#run.limits, by) ?? this.#run.limits;
    this.#journal.put({ type: "budget-raised", by: id, limits });
    this.#run.limits = limits;
    this.#serve();
  }

  /**
   * Holds a call's worst case on every scope, durably, before the call is made. Waits while it may become affordable.
   *
   * @param sent what the model is sent, to be recorded with it.
   * @throws BudgetExceededError when it never will.
   * @throws the stop's reason, when that comes first.
   */
  async reserve(path: Path, quote: Quote, scopes: readonly Scope[], stop: Stop, sent?: Kept): Promise<Hold> {
    const granted = await this.#held(quote, scopes, stop);
    const shared = await this.#heldWithOthers(path, quote, scopes, granted, stop);
    const worst = shared?.amount ?? granted.worst;
    const { kind = "model-call" } = quote;
    this.#prices.note(quote);
    const seq = this.#journal.put(
      {
        type: "budget-reserved",
        path,
        model: quote.model,
        ...(kind === "model-call" ? {} : { kind }),
        amount: amountOf(worst),
        ...(quote.asked === undefined ? {} : { asked: quote.asked }),
        ...(sent === undefined ? {} : { sent: sent.entry }),
        ...(shared === undefined ? {} : { hold: shared.id, accounts: shared.accounts }),
      },
      sent?.blob,
    );
    if (shared !== undefined || !isFree(worst, scopes)) await this.#journal.sync();
    const outputTokens = shared?.outputTokens ?? granted.outputTokens;
    return { path, seq, kind, scopes, worst, outputTokens, shared, reported: quote.reported === true };
  }

  /** Posts what a call cost. The fact goes into the caller's next append, beside the result. */
  settle(held: Hold, actual: Amount, doubt = false): void {
    const mark = doubt ? ({ doubt: true } as const) : {};
    const { path, seq: of, kind } = held;
    this.#journal.put({ type: "budget-settled", path, of, amount: actual, ...mark });
    const allowed = held.reported ? payable(held) : held.worst;
    if (exceeds(actual, allowed)) {
      this.#journal.put({
        type: "budget-breached",
        path,
        of,
        allowed: amountOf(allowed),
        amount: actual,
      });
    }
    this.#post(held, spentOf(actual, kind));
  }

  /** Nobody knows what the call cost: all that was held is spent. */
  doubt(held: Hold): void {
    this.settle(held, amountOf(held.worst), true);
  }

  /** The call provably cost nothing. It still counts as a call. */
  release(held: Hold): void {
    this.#journal.put({ type: "budget-released", path: held.path, of: held.seq });
    this.#post(held, { ...nothingSpent, ...countOf(held.kind) });
  }

  /** Resolves when every alert of shared accounts that is due by now is in the journal. To be called at the run's end. */
  async close(): Promise<void> {
    if (this.#commons === undefined || this.#commons.labels.size === 0) return;
    await this.#journal.sync();
    await this.#looking;
    await this.#look(this.#commons);
  }

  #post(held: Hold, actual: Spent): void {
    post(held.scopes, held.worst, actual);
    if (held.shared !== undefined) this.#journal.post(this.#commons?.postings(held.shared, actual) ?? []);
    this.#alert(held.scopes);
    this.#serve();
  }

  /** Records the parts of their limits that scopes have reached, each once. */
  #alert(scopes: readonly Scope[]): void {
    for (const { path, limits, posted, alertAt } of scopes) {
      for (const { percent, of } of reached(limits, posted, alertAt)) this.#record(path, path, percent, of);
    }
  }

  #record(path: Path, scope: string, percent: number, of: LimitKind): void {
    const key = alertKey(scope, percent);
    if (this.#alerts.has(key)) return;
    this.#alerts.add(key);
    this.#journal.put({ type: "budget-threshold", path, scope, percent, of });
  }

  /** What was settled is posted on the shared accounts now: others may go on, and a part of a limit may be reached. */
  #committed(entries: readonly Entry[]): void {
    const commons = this.#commons;
    if (commons === undefined || !entries.some(isSettlement)) return;
    commons.call();
    if (!commons.isAlerting) return;
    this.#looking ??= this.#look(commons).finally(() => {
      this.#looking = undefined;
    });
  }

  /** The store notes each alert once, with the run that caused it: ours are recorded. */
  async #look(commons: Commons): Promise<void> {
    for (const { scope, alerts } of await commons.read()) {
      for (const { percent, of, runId } of alerts) {
        if (runId === this.#journal.runId) this.#record("/", scope, percent, of);
      }
    }
  }

  /** The same on the accounts the run shares. What they do not pay for is given back to the run's own. */
  async #heldWithOthers(
    path: Path,
    quote: Quote,
    scopes: readonly Scope[],
    { worst, outputTokens }: Granted,
    stop: Stop,
  ): Promise<SharedHold | undefined> {
    if (this.#commons === undefined) return undefined;
    try {
      const least = Math.min(quote.outputTokens.least, outputTokens);
      const capped = { ...quote, outputTokens: { wanted: outputTokens, least } };
      const shared = await this.#commons.hold(path, capped, stop);
      shrink(scopes, worst, shared.amount);
      this.#serve();
      return shared;
    } catch (error) {
      post(scopes, worst, nothingSpent);
      this.#serve();
      throw error;
    }
  }

  /** A granted answer, its worst case held at the moment it was granted. */
  async #held(quote: Quote, scopes: readonly Scope[], stop: Stop): Promise<Granted> {
    stop.check();
    const isNext = quote.reported === true || !this.#blocked(scopes);
    const first = isNext ? this.#ask(quote, scopes) : undefined;
    if (first !== undefined) return first;
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        try {
          const granted = this.#ask(quote, scopes);
          if (granted === undefined) return false;
          resolve(granted);
        } catch (refusal) {
          reject(refusal);
        }
        off();
        return true;
      };
      const waiting = { scopes, look };
      const off = stop.onFire((reason) => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(reason);
      });
      this.#queue.push(waiting);
    });
  }

  #ask(quote: Quote, scopes: readonly Scope[]): Granted | undefined {
    const answer = ask(scopes, quote, this.#world.now());
    if (answer.verdict === "refused") throw answer.error;
    if (answer.verdict === "wait") return undefined;
    hold(scopes, answer.worst);
    return answer;
  }

  /** Serves the queue in order; nobody overtakes one who waits for the same scope. */
  #serve(): void {
    const blocked = new Set<Scope>();
    for (const waiting of [...this.#queue]) {
      if (waiting.scopes.some((scope) => blocked.has(scope)) || !waiting.look()) {
        for (const scope of waiting.scopes) blocked.add(scope);
      } else this.#queue.splice(this.#queue.indexOf(waiting), 1);
    }
  }

  #blocked(scopes: readonly Scope[]): boolean {
    return this.#queue.some((waiting) => waiting.scopes.some((scope) => scopes.includes(scope)));
  }
}

const isSettlement = ({ type }: Entry): boolean => type === "budget-settled" || type === "budget-released";

const exceeds = (actual: Amount, worst: Spent): boolean =>
  BigInt(actual.picoUsd) > worst.picoUsd ||
  actual.inputTokens > worst.inputTokens ||
  actual.outputTokens > worst.outputTokens;

/** What costs nothing and counts against no limit need not be safe before it is done. */
const isFree = (worst: Spent, scopes: readonly Scope[]): boolean =>
  worst.picoUsd === 0n &&
  worst.inputTokens + worst.outputTokens + worst.calls === 0 &&
  (worst.toolCalls === 0 || scopes.every(({ limits }) => limits.toolCalls === undefined));

/** What the scopes of a hold could have paid for it: what is left on the tightest. */
function payable({ scopes, worst }: Hold): Spent {
  let { picoUsd } = worst;
  for (const { limits, posted } of scopes) {
    if (limits.picoUsd === undefined) continue;
    const left = BigInt(limits.picoUsd) - posted.picoUsd;
    if (left < picoUsd) picoUsd = left > 0n ? left : 0n;
  }
  return { ...worst, picoUsd };
}

export function amountOf(spent: Spent): Amount {
  return {
    picoUsd: spent.picoUsd.toString(),
    inputTokens: spent.inputTokens,
    outputTokens: spent.outputTokens,
  };
}
