/** What stands on shared accounts, worked out a second time: from the journals, entry by entry, and from the provider's meter. */
import { type Account, spentIn } from "../../core/account.ts";
import type { Entry } from "../../core/entries.ts";
import type { Append, AppendOutcome, Store } from "../../ports/store.ts";
import type { Provider } from "./provider.ts";

interface Sum {
  picoUsd: number;
  tokens: number;
  calls: number;
  toolCalls: number;
}
/** A reservation with money on shared accounts, as a journal tells of it. */
interface Kept extends Sum {
  readonly hold: string;
  readonly accounts: readonly string[];
  open: boolean;
}

const nothing = (): Sum => ({ picoUsd: 0, tokens: 0, calls: 0, toolCalls: 0 });

export class Books {
  readonly violations: string[] = [];
  /** The store, in which nothing happens unseen. */
  readonly store: Store;
  /** How often somebody was told to wait. */
  waits = 0;
  /** How many tries of tools, and streamed pieces, the journals tell of. */
  toolCalls = 0;
  pieces = 0;
  readonly #inner: Store;
  readonly #kept = new Map<string, Kept>();
  readonly #providers = new Map<string, Provider>();
  /** The accounts each run is charged to, as its creation says, by the beginning of their names. */
  readonly #charged = new Map<string, readonly string[]>();
  readonly #alerts = new Set<string>();
  #accounts: readonly Account[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(inner: Store) {
    this.#inner = inner;
    this.store = {
      ...inner,
      commit: (appends) =>
        this.#inTurn(async () => {
          const outcomes = await inner.commit(appends);
          for (const [i, append] of appends.entries()) this.#appended(append, outcomes[i]);
          return outcomes;
        }),
      ledger: (request) =>
        this.#inTurn(async () => {
          const answer = await inner.ledger(request);
          if (answer.outcome === "wait") this.waits++;
          return answer;
        }),
    };
  }

  /** One change after another, so that each look sees the journals and the ledger of one moment. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      const answer = await change();
      await this.#look();
      return answer;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  say(violation: string): void {
    if (!this.violations.includes(violation)) this.violations.push(violation);
  }

  follow(runId: string, provider: Provider): void {
    this.#providers.set(runId, provider);
  }

  /** Doubles every limit that there is. */
  async raiseAll(): Promise<void> {
    for (const { scope, limits } of await this.#inner.accounts({})) {
      await this.store.ledger({ kind: "amend", scope, raise: limits });
    }
  }

  /** The provider has billed: its meter, and that of all runs of an account together, are within the limits. */
  check(): void {
    for (const { scope, limits } of this.#accounts) {
      const sum = nothing();
      for (const [runId, provider] of this.#providers) {
        const isAlways = this.#charged.get(runId)?.includes(scope); // an account of a day pays only for its day
        if (isAlways) add(sum, { ...provider.bill, toolCalls: 0 }); // it knows nothing of tools
      }
      this.#within(`the provider's meter says the runs of ${scope}`, sum, limits);
    }
  }

  /** After everything has settled: nothing is held, and what is posted is what the journals say was spent. */
  async close(): Promise<void> {
    await this.#look();
    for (const { scope, holds, posted } of this.#accounts) {
      for (const { id, runId, path } of holds) this.say(`${scope} still holds ${id} for ${path} of ${runId}`);
      const spent = this.#sum(scope, () => true);
      if (Number(posted.picoUsd) !== spent.picoUsd)
        this.say(`${scope} has posted ${posted.picoUsd}, and the journals say ${spent.picoUsd}`);
    }
    for (const [id, { open }] of this.#kept) if (open) this.say(`the reservation ${id} is still open`);
  }

  #appended({ runId, entries }: Append, outcome: AppendOutcome | undefined): void {
    if (outcome === "appended") for (const entry of entries) this.#entry(runId, entry);
  }

  #entry(runId: string, entry: Entry): void {
    switch (entry.type) {
      case "run-created":
        this.#charged.set(
          runId,
          (entry.scopes ?? []).filter(({ per }) => per === undefined).map(({ scope }) => scope),
        );
        return;
      case "budget-reserved": {
        const { hold, accounts, amount, kind } = entry;
        if (hold === undefined || accounts === undefined) {
          this.say(`${entry.path} of ${runId} reserved nothing on shared accounts`);
          return;
        }
        const counts = { calls: kind === undefined ? 1 : 0, toolCalls: kind === "tool-call" ? 1 : 0 };
        const kept = { hold, accounts, open: true, ...sumOf(amount), ...counts };
        this.#kept.set(`${runId} ${entry.seq}`, kept);
        this.toolCalls += kept.toolCalls;
        return;
      }
      case "text-streamed":
        this.pieces += entry.chunks.length;
        return;
      case "budget-settled":
      case "budget-released": {
        const kept = this.#kept.get(`${runId} ${entry.of}`);
        if (kept === undefined || !kept.open) {
          this.say(`${entry.type} of ${runId} settles ${entry.of}, which is not open`);
          return;
        }
        const actual = entry.type === "budget-settled" ? sumOf(entry.amount) : nothing();
        Object.assign(kept, actual, { calls: kept.calls, toolCalls: kept.toolCalls, open: false });
        return;
      }
      case "budget-threshold": {
        const mark = `${entry.scope} ${entry.percent}`;
        if (this.#alerts.has(mark)) this.say(`the alert at ${entry.percent} % of ${entry.scope} came twice`);
        if (entry.path === "/") this.#alerts.add(mark);
        return;
      }
      default:
        return;
    }
  }

  /** Every account against its limits, and against the journals. */
  async #look(): Promise<void> {
    this.#accounts = await this.#inner.accounts({});
    for (const account of this.#accounts) {
      const { scope, limits, posted, holds } = account;
      const ledger = nothing();
      for (const tally of [posted, ...holds.map(({ amount }) => amount)])
        add(ledger, { ...sumOf(tally), calls: tally.calls, toolCalls: tally.toolCalls });
      this.#within(`the ledger says ${scope}`, ledger, limits);
      this.#within(
        `the journals say ${scope}`,
        this.#sum(scope, () => true),
        limits,
      );
      const settled = this.#sum(scope, ({ open }) => !open);
      const wrong =
        settled.picoUsd !== Number(posted.picoUsd) ||
        settled.calls !== posted.calls ||
        settled.toolCalls !== posted.toolCalls;
      if (wrong) {
        this.say(
          `${scope} has posted ${posted.picoUsd}, ${posted.calls} calls and ${posted.toolCalls} of tools, and the journals have settled ${settled.picoUsd}, ${settled.calls} and ${settled.toolCalls}`,
        );
      }
      for (const kept of this.#kept.values()) {
        if (!kept.open || !kept.accounts.includes(scope)) continue;
        const open = holds.find(({ id }) => id === kept.hold);
        if (open === undefined || Number(spentIn(open.amount).picoUsd) !== kept.picoUsd)
          this.say(`${scope} does not hold what the journal has reserved under ${kept.hold}`);
      }
    }
  }

  #sum(scope: string, which: (kept: Kept) => boolean): Sum {
    const sum = nothing();
    for (const kept of this.#kept.values()) if (kept.accounts.includes(scope) && which(kept)) add(sum, kept);
    return sum;
  }

  #within(who: string, used: Sum, limits: Account["limits"]): void {
    const { picoUsd, tokens, calls, toolCalls } = limits;
    if (picoUsd !== undefined && used.picoUsd > Number(picoUsd))
      this.say(`${who} has used ${used.picoUsd} of ${picoUsd} pico-dollars`);
    if (tokens !== undefined && used.tokens > tokens)
      this.say(`${who} has used ${used.tokens} of ${tokens} tokens`);
    if (calls !== undefined && used.calls > calls)
      this.say(`${who} has used ${used.calls} of ${calls} calls`);
    if (toolCalls !== undefined && used.toolCalls > toolCalls)
      this.say(`${who} has used ${used.toolCalls} of ${toolCalls} tool calls`);
  }
}

function add(sum: Sum, more: Readonly<Sum>): void {
  sum.picoUsd += more.picoUsd;
  sum.tokens += more.tokens;
  sum.calls += more.calls;
  sum.toolCalls += more.toolCalls;
}

const sumOf = (amount: { picoUsd: string; inputTokens: number; outputTokens: number }): Sum => ({
  picoUsd: Number(amount.picoUsd),
  tokens: amount.inputTokens + amount.outputTokens,
  calls: 0,
  toolCalls: 0,
});
