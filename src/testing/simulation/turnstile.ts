/** Sees who waits for shared accounts, and who is served when: the order of a queue, worked out a second time. */
import { type Account, balanceOf, type HoldRequest, type LedgerAnswer } from "../../core/account.ts";
import { weigh } from "../../core/balance.ts";
import type { Entry } from "../../core/entries.ts";
import type { Store } from "../../ports/store.ts";
import type { VirtualProcess, VirtualWorld } from "../virtual-world.ts";

export interface TurnstileOptions {
  /** What each account can always pay beside what is posted, in pico-dollars: enough for any call, so that none is refused. */
  readonly room: { readonly [scope: string]: bigint };
  /** How long money that the first who waits could have may lie idle, in milliseconds. */
  readonly mostIdleMs: number;
  readonly onEntry: (entry: Entry, runId: string) => void;
}

interface Waiter {
  readonly process: VirtualProcess;
  readonly asked: HoldRequest;
  /** When it was asked for last, by the clock of who asked. */
  at: number;
}

/** Whoever does not come back for so long may lose its place: half of what a place is kept. */
const keptMs = 5_000;

export class Turnstile {
  readonly violations: string[] = [];
  waits = 0;
  longestIdleMs = 0;
  readonly #inner: Store;
  readonly #world: VirtualWorld;
  readonly #options: TurnstileOptions;
  /** In the order they came. */
  readonly #waiting = new Map<string, Waiter>();
  readonly #fences = new Map<string, number>();
  #idle: { readonly id: string; readonly since: number } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(inner: Store, world: VirtualWorld, options: TurnstileOptions) {
    this.#inner = inner;
    this.#world = world;
    this.#options = options;
  }

  /** The store as one process has it. */
  storeOf(process: VirtualProcess): Store {
    const inner = this.#inner;
    return {
      ...inner,
      commit: (appends) =>
        this.#inTurn(async () => {
          const outcomes = await inner.commit(appends);
          for (const [i, { runId, entries }] of appends.entries())
            if (outcomes[i] === "appended") for (const entry of entries) this.#options.onEntry(entry, runId);
          return outcomes;
        }),
      acquire: (request) =>
        this.#inTurn(async () => {
          const answer = await inner.acquire(request);
          if (answer.outcome === "granted") this.#fences.set(request.runId, answer.lease.fence);
          return answer;
        }),
      ledger: (request) =>
        this.#inTurn(async () => {
          const before = await this.#accounts();
          const answer = await inner.ledger(request);
          if (request.kind === "hold") this.#asked(process, request, answer, before);
          return answer;
        }),
    };
  }

  /** One after another, so that each look is at one moment. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      const answer = await change();
      await this.#makeRoom();
      await this.#look();
      return answer;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** A process has died, was stopped, or was woken. */
  look(): Promise<void> {
    return this.#inTurn(async () => {});
  }

  async #accounts(): Promise<ReadonlyMap<string, Account>> {
    return new Map((await this.#inner.accounts({})).map((account) => [account.scope, account]));
  }

  #asked(
    process: VirtualProcess,
    asked: HoldRequest,
    { outcome }: LedgerAnswer,
    before: ReadonlyMap<string, Account>,
  ): void {
    const now = this.#world.now();
    const { id } = asked;
    const known = this.#waiting.get(id);
    const hadPlace = asked.accounts.some(({ scope }) =>
      before.get(scope)?.queue.some((place) => place.id === id && place.expiresAt > asked.now),
    );
    if (known !== undefined && !hadPlace) {
      if (outcome !== "fenced" && now - known.at < keptMs)
        this.#say(`${asked.path} of ${asked.runId} has lost its place`);
      this.#waiting.delete(id); // it comes anew
    }
    if (outcome === "wait") {
      this.waits += 1;
      this.#waiting.set(id, { process, asked, at: asked.now }); // where it stood, when it is known
      return;
    }
    if (outcome === "granted") this.#passed(asked);
    if (outcome === "refused") this.#say(`${asked.path} of ${asked.runId} is refused, though there is room`);
    this.#waiting.delete(id);
  }

  /** Who is served has let nobody who lives stand behind. */
  #passed({ id, runId, accounts }: HoldRequest): void {
    for (const [other, waiter] of this.#waiting) {
      if (other === id) return;
      const isRival = waiter.asked.accounts.some(({ scope }) => accounts.some((one) => one.scope === scope));
      if (isRival && this.#lives(waiter) && this.#world.now() - waiter.at < keptMs)
        this.#say(`${runId} overtakes ${waiter.asked.runId}`);
    }
  }

  #lives({ process, asked }: Waiter): boolean {
    return process.isAlive && !process.isPaused && this.#fences.get(asked.runId) === asked.fence;
  }

  async #makeRoom(): Promise<void> {
    for (const { scope, limits, posted } of (await this.#accounts()).values()) {
      const picoUsd = `${BigInt(posted.picoUsd) + (this.#options.room[scope] ?? 0n)}`;
      if (limits.picoUsd !== picoUsd) await this.#inner.ledger({ kind: "amend", scope, set: { picoUsd } });
    }
  }

  /** Whether the first who lives could be served, and since when. */
  async #look(): Promise<void> {
    const now = this.#world.now();
    const first = [...this.#waiting].find(([, waiter]) => this.#lives(waiter));
    const id = first?.[0];
    if (this.#idle !== undefined) {
      const idleMs = now - this.#idle.since;
      this.longestIdleMs = Math.max(this.longestIdleMs, idleMs);
      if (idleMs > this.#options.mostIdleMs)
        this.#say(`money lies idle for ${idleMs} ms that ${first?.[1].asked.runId} waits for`);
    }
    if (first === undefined || !(await this.#canPay(first[1].asked))) this.#idle = undefined;
    else if (this.#idle?.id !== id) this.#idle = { id: first[0], since: now };
  }

  async #canPay({ accounts, quote }: HoldRequest): Promise<boolean> {
    const found = await this.#inner.accounts({ scopes: accounts.map(({ scope }) => scope) });
    return weigh(found.map(balanceOf), quote, this.#world.now()).verdict === "granted";
  }

  #say(violation: string): void {
    if (!this.violations.includes(violation)) this.violations.push(violation);
  }
}
