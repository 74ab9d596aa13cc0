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
import { BudgetExceededError, type FlujoError, LeaseLostError } from "../core/errors.ts";
import type { Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { type ScopeRecord, termsAt } from "../core/scopes.ts";
import type { Lease, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { storeError } from "./archive.ts";
import { estatesOf } from "./estate.ts";
import { Interruption } from "./interruption.ts";
import type { Stop } from "./stop.ts";
import { callLines, lineOf, type Place } from "./waiting-line.ts";

/** Money held on shared accounts for one call. */
export interface SharedHold {
  readonly id: string;
  readonly accounts: readonly string[];
  readonly outputTokens: number;
  readonly amount: Spent;
}

/** Who is nearest to the head of a queue asks again after so long, then twice as long, and so on up to the longest. */
const firstPauseMs = 20;
const longestPauseMs = 250;
/** Who is not only keeps the place. */
const keepingPauseMs = 3_000;
/** How long a place in the queue is kept for a process that does not ask again. */
const patienceMs = 10_000;
/** Who has waited so long looks whether those ahead have an owner at all. */
const lookAfterMs = 1_000;

interface Call {
  readonly id: string;
  readonly path: Path;
  readonly quote: Quote;
}

/** The answer to a call that has to wait: for which accounts, with which number, and behind whom. */
interface Waiting {
  readonly scopes: readonly string[];
  readonly number: number;
  readonly behind: readonly string[];
}

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
    const first = await this.#ask(id, path, quote);
    if ("held" in first) return first.held;
    const place = lineOf(this.#store, first.scopes).join();
    try {
      return await this.#holdInTurn(place, { id, path, quote }, first, stop);
    } finally {
      place.leave();
    }
  }

  async #holdInTurn(place: Place, call: Call, first: Waiting, stop: Stop): Promise<SharedHold> {
    let answer: { readonly held: SharedHold } | Waiting = first;
    let pauseMs = firstPauseMs;
    const lookAt = this.#world.now() + lookAfterMs;
    while (!("held" in answer)) {
      place.hear(answer.number);
      if (place.isNearest && this.#world.now() >= lookAt) {
        const others = answer.behind.filter((runId) => runId !== this.#lease.runId);
        await estatesOf(this.#store).settle(this.#world, others);
      }
      await this.#pause(place.isNearest ? pauseMs : keepingPauseMs, place, stop).catch(async (reason) => {
        const { scopes } = answer as Waiting; // it was not held
        await this.#store.ledger({ kind: "leave", ids: [call.id], scopes }).catch(() => {}); // the place expires by itself
        throw reason;
      });
      if (place.isNearest) pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      answer = await this.#ask(call.id, call.path, call.quote);
    }
    return answer.held;
  }

  /** What resolves a hold, at the true cost. */
  postings({ id, accounts }: SharedHold, actual: Spent): Posting[] {
    const amount = tallyOf(actual);
    return accounts.map((scope) => ({ scope, hold: id, amount }));
  }

  /** Something was posted: who waits in this process may ask again. */
  call(): void {
    callLines(this.#store);
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

  /** @throws BudgetExceededError when the call is refused; an Interruption when the run cannot go on here. */
  async #ask(id: string, path: Path, quote: Quote): Promise<{ readonly held: SharedHold } | Waiting> {
    const { runId, fence } = this.#lease;
    const accounts = this.#terms();
    const scopes = accounts.map(({ scope }) => scope);
    const now = this.#world.now();
    let answer: LedgerAnswer;
    try {
      const hold = { kind: "hold", id, runId, fence, path, quote, accounts, now, patienceMs } as const;
      answer = await this.#store.ledger(hold);
    } catch (cause) {
      throw this.#lost(storeError(cause, "hold money"));
    }
    switch (answer.outcome) {
      case "granted": {
        this.#alerting = answer.alerting;
        const { outputTokens, amount } = answer;
        return { held: { id, accounts: scopes, outputTokens, amount: spentIn(amount) } };
      }
      case "wait":
        return { number: answer.number, behind: answer.behind, scopes };
      case "refused":
        throw refusal(answer.scope, quote, answer.why);
      default:
        throw this.#lost(takenOver(this.#lease));
    }
  }

  /** Waits a while, or until called. @throws the stop's reason. */
  async #pause(ms: number, place: Place, stop: Stop): Promise<void> {
    let offTimer = (): void => {};
    let offStop = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        offTimer = this.#world.timer(ms * (0.5 + this.#world.random() / 2), resolve);
        place.onCall(resolve);
        offStop = stop.onFire(reject);
      });
    } finally {
      offTimer();
      offStop();
      place.onCall(undefined);
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

function refusal(scope: string, quote: Quote, why: Shortage): BudgetExceededError {
  if (why.kind === "unpriced") {
    return new BudgetExceededError(
      `${quote.model} has no known price, and the shared budget ${scope} has a cost limit`,
      { hint: priceHint(quote) },
    );
  }
  const { limit, allowed, used, needed, text } = why;
  const more = {
    cost: "'$…'",
    tokens: "--tokens …",
    calls: "--calls …",
    toolCalls: "--tool-calls …",
    time: "",
  };
  return new BudgetExceededError(
    `the shared budget ${scope} does not allow a call to ${quote.model}: it ${text}`,
    {
      exceeded: { of: "shared", scope, limit, allowed, used, needed },
      hint: `Nothing was sent. Look at it (flujo budget show '${scope}'), raise it (flujo budget top-up '${scope}' ${more[limit]}), and resume the run.`,
    },
  );
}
