import { type Answer, ask, hold, openScope, post, type Scope } from "../budget/ledger.ts";
import type { Quote } from "../core/context.ts";
import type { Amount } from "../core/entries.ts";
import { spentOf } from "../core/fold.ts";
import { addSpent, type Limits, nothingSpent, type Spent } from "../core/limits.ts";
import { enclosing, type Path } from "../core/paths.ts";
import type { World } from "../ports/world.ts";
import type { Journal } from "./journal.ts";
import type { Stop } from "./stop.ts";

/** Money held for one call. */
export interface Hold {
  readonly path: Path;
  readonly seq: number;
  readonly scopes: readonly Scope[];
  readonly worst: Spent;
  readonly outputTokens: number;
}

type Granted = Extract<Answer, { verdict: "granted" }>;

interface Waiting {
  readonly scopes: readonly Scope[];
  readonly look: () => boolean;
}

/** Spends a run's budget: one call at a time is asked for, held, and settled; who must wait is served in order. */
export class Treasury {
  readonly #journal: Journal;
  readonly #world: World;
  readonly #queue: Waiting[] = [];
  /** What earlier owners of the run spent inside each path. */
  readonly #inherited = new Map<Path, Spent>();
  readonly #scopes = new Map<string, Scope>();

  constructor(journal: Journal, world: World) {
    this.#journal = journal;
    this.#world = world;
    for (const { path, amount, settled } of journal.run.reservations.values()) {
      const spent = { ...spentOf(settled ?? amount), calls: 1 };
      for (const scope of enclosing(path)) {
        this.#inherited.set(scope, addSpent(this.#inherited.get(scope) ?? nothingSpent, spent));
      }
    }
  }

  /**
   * The account of a place, with what was spent inside it before: one account, however often the place is entered.
   *
   * @param covers the paths of all it pays for: `a.to(b)` and `a.fallback(b)` have two.
   */
  open(path: Path, limits: Limits, covers: readonly Path[]): Scope {
    const key = `${path} ${JSON.stringify(limits)}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const since = this.#journal.run.scopes.get(path);
    if (since === undefined) this.#journal.put({ type: "scope-opened", path, limits });
    const before = covers.map((covered) => this.#inherited.get(covered) ?? nothingSpent);
    const scope = openScope(path, limits, since ?? this.#world.now(), before.reduce(addSpent, nothingSpent));
    this.#scopes.set(key, scope);
    return scope;
  }

  /**
   * Holds a call's worst case on every scope, durably, before the call is made. Waits while it may become affordable.
   *
   * @throws BudgetExceededError when it never will.
   * @throws the stop's reason, when that comes first.
   */
  async reserve(path: Path, quote: Quote, scopes: readonly Scope[], stop: Stop): Promise<Hold> {
    const { worst, outputTokens } = await this.#held(quote, scopes, stop);
    const seq = this.#journal.put({
      type: "budget-reserved",
      path,
      model: quote.model,
      amount: amountOf(worst),
    });
    await this.#journal.sync();
    return { path, seq, scopes, worst, outputTokens };
  }

  /** Posts what a call cost. The fact goes into the caller's next append, beside the result. */
  settle(held: Hold, actual: Amount, doubt = false): void {
    const mark = doubt ? ({ doubt: true } as const) : {};
    this.#journal.put({ type: "budget-settled", path: held.path, of: held.seq, amount: actual, ...mark });
    if (exceeds(actual, held.worst)) {
      this.#journal.put({
        type: "budget-breached",
        path: held.path,
        of: held.seq,
        allowed: amountOf(held.worst),
        amount: actual,
      });
    }
    this.#post(held, { ...spentOf(actual), calls: 1 });
  }

  /** Nobody knows what the call cost: all that was held is spent. */
  doubt(held: Hold): void {
    this.settle(held, amountOf(held.worst), true);
  }

  /** The call provably cost nothing. It still counts as a call. */
  release(held: Hold): void {
    this.#journal.put({ type: "budget-released", path: held.path, of: held.seq });
    this.#post(held, { ...nothingSpent, calls: 1 });
  }

  #post(held: Hold, actual: Spent): void {
    post(held.scopes, held.worst, actual);
    this.#serve();
  }

  /** A granted answer, its worst case held at the moment it was granted. */
  async #held(quote: Quote, scopes: readonly Scope[], stop: Stop): Promise<Granted> {
    stop.check();
    const first = this.#blocked(scopes) ? undefined : this.#ask(quote, scopes);
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

const exceeds = (actual: Amount, worst: Spent): boolean =>
  BigInt(actual.picoUsd) > worst.picoUsd ||
  actual.inputTokens > worst.inputTokens ||
  actual.outputTokens > worst.outputTokens;

export function amountOf(spent: Spent): Amount {
  return {
    picoUsd: spent.picoUsd.toString(),
    inputTokens: spent.inputTokens,
    outputTokens: spent.outputTokens,
  };
}
