import { priceHint } from "../budget/ledger.ts";
import {
  type Account,
  type LedgerAnswer,
  type Posting,
  spentIn,
  type Terms,
  tallyOf,
} from "../core/account.ts";
import type { Shortage } from "../core/balance.ts";
import type { Quote } from "../core/context.ts";
import { BudgetExceededError, FlujoError, LeaseLostError, StoreUnavailableError } from "../core/errors.ts";
import type { Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { type ScopeRecord, termsAt } from "../core/scopes.ts";
import type { Lease, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { settleEstate } from "./estate.ts";
import { Interruption } from "./interruption.ts";
import type { Stop } from "./stop.ts";

/** Money held on shared accounts for one call. */
export interface SharedHold {
  readonly id: string;
  readonly accounts: readonly string[];
  readonly outputTokens: number;
  readonly amount: Spent;
}

/** Who waits asks again after so long, then twice as long, and so on up to the longest. */
const firstPauseMs = 20;
const longestPauseMs = 1_000;
/** How long a place in the queue is kept for a process that does not ask again. */
const patienceMs = 10_000;
/** How often who waits looks whether those ahead have an owner at all, and at how many of them. */
const estatesEveryMs = 5_000;
const estatesAtOnce = 8;

interface CommonsParts {
  readonly store: Store;
  readonly world: World;
  readonly lease: Lease;
  readonly scopes: readonly ScopeRecord[];
}

/** The accounts a run shares with others, as its owner uses them. */
export class Commons {
  /** The accounts used so far. */
  readonly labels: Set<string>;
  readonly #store: Store;
  readonly #world: World;
  readonly #lease: Lease;
  readonly #scopes: readonly ScopeRecord[];
  readonly #onLost: (error: FlujoError) => void;
  #alerting = true;

  /** @param onLost is called when the run cannot go on here: its lease is gone, or the store does not answer. */
  constructor(
    { store, world, lease, scopes }: CommonsParts,
    labels: Iterable<string>,
    onLost: (error: FlujoError) => void,
  ) {
    this.#store = store;
    this.#world = world;
    this.#lease = lease;
    this.#scopes = scopes;
    this.#onLost = onLost;
    this.labels = new Set(labels);
  }

  /** Whether an alert of the accounts may have yet to come. */
  get isAlerting(): boolean {
    return this.#alerting;
  }

  /**
   * Holds a call's worst case on all accounts, waiting in their queues while it may become affordable.
   *
   * @throws BudgetExceededError when it never will; the stop's reason, when that comes first.
   */
  async hold(path: Path, quote: Quote, stop: Stop): Promise<SharedHold> {
    const id = this.#world.id();
    const began = this.#world.now();
    let pauseMs = firstPauseMs;
    let lookAt = began + estatesEveryMs;
    for (;;) {
      const accounts = this.#terms();
      const answer = await this.#ask(id, path, quote, accounts);
      if (answer.outcome === "granted") {
        this.#alerting = answer.alerting;
        const { outputTokens, amount } = answer;
        return { id, accounts: accounts.map(({ scope }) => scope), outputTokens, amount: spentIn(amount) };
      }
      if (answer.outcome === "refused") throw refusal(answer.scope, quote, answer.why);
      if (answer.outcome !== "wait") throw this.#lost(takenOver(this.#lease));
      if (this.#world.now() >= lookAt) {
        await this.#settleEstates(answer.behind);
        lookAt = this.#world.now() + estatesEveryMs;
      }
      await this.#pause(pauseMs, stop, id, accounts);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
  }

  /** What resolves a hold, at the true cost. */
  postings({ id, accounts }: SharedHold, actual: Spent): Posting[] {
    const amount = tallyOf(actual);
    return accounts.map((scope) => ({ scope, hold: id, amount }));
  }

  /** The accounts used so far, as they stand; none when the store does not say: it will at the next commit. */
  read(): Promise<readonly Account[]> {
    return this.#store.accounts({ scopes: [...this.labels] }).catch(() => []);
  }

  /** Today's accounts, each once. */
  #terms(): Terms[] {
    const now = this.#world.now();
    const terms = new Map(this.#scopes.map((scope) => termsAt(scope, now)).map((term) => [term.scope, term]));
    for (const scope of terms.keys()) this.labels.add(scope);
    return [...terms.values()];
  }

  async #ask(id: string, path: Path, quote: Quote, accounts: readonly Terms[]): Promise<LedgerAnswer> {
    const { runId, fence } = this.#lease;
    const now = this.#world.now();
    try {
      return await this.#store.ledger({
        kind: "hold",
        id,
        runId,
        fence,
        path,
        quote,
        accounts,
        now,
        patienceMs,
      });
    } catch (cause) {
      throw this.#lost(storeError(cause));
    }
  }

  async #settleEstates(runIds: readonly string[]): Promise<void> {
    const others = runIds.filter((runId) => runId !== this.#lease.runId).slice(0, estatesAtOnce);
    for (const runId of others) {
      try {
        await settleEstate(this.#store, this.#world, runId);
      } catch {
        // Its journal cannot be read or written now; what it holds stays held, and is looked at again.
      }
    }
  }

  /** Waits a while. Who is stopped meanwhile gives the place in the queue up. */
  async #pause(ms: number, stop: Stop, id: string, accounts: readonly Terms[]): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const offTimer = this.#world.timer(ms * (0.5 + this.#world.random() / 2), () => {
          offStop();
          resolve();
        });
        const offStop = stop.onFire((reason) => {
          offTimer();
          reject(reason);
        });
      });
    } catch (reason) {
      const scopes = accounts.map(({ scope }) => scope);
      await this.#store.ledger({ kind: "leave", id, scopes }).catch(() => {}); // the place expires by itself
      throw reason;
    }
  }

  /** What was asked of the store may have been done: the run's next owner finds it. */
  #lost(error: FlujoError): Interruption {
    this.#onLost(error);
    return Interruption.lost(error);
  }
}

const takenOver = ({ runId }: Lease): LeaseLostError =>
  new LeaseLostError(`another process has taken over run ${runId}; this one has stopped`, { runId });

const storeError = (cause: unknown): FlujoError =>
  FlujoError.isInstance(cause)
    ? cause
    : new StoreUnavailableError(`the store does not hold money: ${cause}`, { cause });

function refusal(scope: string, quote: Quote, why: Shortage): BudgetExceededError {
  if (why.kind === "unpriced") {
    return new BudgetExceededError(
      `${quote.model} has no known price, and the shared budget ${scope} has a cost limit`,
      { hint: priceHint(quote.model) },
    );
  }
  return new BudgetExceededError(
    `the shared budget ${scope} does not allow a call to ${quote.model}: it ${why.text}`,
    {
      hint: `Nothing was sent. Look at it (flujo budget show '${scope}'), raise it (flujo budget top-up '${scope}' '$…'), and resume the run.`,
    },
  );
}
