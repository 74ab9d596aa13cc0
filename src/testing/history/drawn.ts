/** Draws what many processes ask of a ledger, and what an honest store answers, among kills, cuts and ends of its server. */
import {
  type Account,
  decide,
  type HoldRequest,
  type LedgerAnswer,
  type LedgerRequest,
  type Posting,
  type Tally,
  tallyOf,
} from "../../core/account.ts";
import type { AppendOutcome } from "../../ports/store.ts";
import { chosenAccounts } from "../../ports/store-rules.ts";
import type { Chance } from "../chance.ts";
import type { Call, Kind, Kinds } from "./call.ts";

export interface DrawnPlan {
  readonly chance: Chance;
  readonly processes: number;
  /** Purchases of each process. */
  readonly turns: number;
  /** How likely it is that a call is the last of its process, that its answer is lost, and that the server ends meanwhile. */
  readonly killed: number;
  readonly cut: number;
  readonly crashed: number;
  /** Whether such an end may undo what no commit has followed. */
  readonly forgets: boolean;
}

interface Books {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly fences: ReadonlyMap<string, number>;
}

/** A call under way: whoever asked hears of it, or that nobody knows. */
type Tell = (isAnswered: boolean) => void;

/** Each process buys on its own, and is followed by another when it is killed. */
export function drawnHistory(plan: DrawnPlan): readonly Call[] {
  const server = new Server(plan);
  for (let i = 0; i < plan.processes; i++) new Buyer(server, plan, `p${i}`).begin();
  server.run();
  const scopes = [...server.accounts.keys()];
  server.ask("last look", "accounts", scopes, () => {});
  for (const runId of server.runIds) server.ask(`last of ${runId}`, "read", runId, () => {});
  server.run();
  return server.calls;
}

type Outcome<K extends Kind> = Kinds[K]["answer"] | "lost" | "killed";

/** One moment after another: a call is asked, done and answered at moments of their own, and others come between. */
class Server {
  readonly calls: Call[] = [];
  readonly #plan: DrawnPlan;
  readonly #agenda: { readonly at: number; readonly work: () => void }[] = [];
  readonly #underWay = new Set<Tell>();
  readonly #entries = new Map<string, string[]>();
  #now = 0;
  #books: Books = { accounts: new Map(), fences: new Map() };
  /** As they were since the last that is safe. */
  #undoable: Books[] = [];
  #isDisturbed = true;

  constructor(plan: DrawnPlan) {
    this.#plan = plan;
  }

  get accounts(): ReadonlyMap<string, Account> {
    return this.#books.accounts;
  }

  get runIds(): readonly string[] {
    return [...this.#entries.keys()];
  }

  later(ms: number, work: () => void): void {
    this.#agenda.push({ at: this.#now + ms, work });
  }

  /** Until nobody asks any more. What is asked afterwards is not disturbed. */
  run(): void {
    for (;;) {
      const next = this.#agenda.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      next.work();
    }
    this.#isDisturbed = false;
  }

  ask<K extends Kind>(
    id: string,
    kind: K,
    asked: Kinds[K]["asked"],
    then: (answer: Outcome<K>) => void,
  ): void {
    const { chance, killed, cut, crashed } = this.#plan;
    const at = this.calls.length;
    const call = {
      kind,
      id,
      start: this.#now,
      asked,
      end: Number.POSITIVE_INFINITY,
      answer: undefined,
    } as Call; // its parts fit
    this.calls.push(call);
    const fate = this.#isDisturbed ? chance.next() : 1;
    const isLost = fate < killed + cut;
    let answer: Kinds[K]["answer"] | undefined;
    let isOver = false;
    const tell: Tell = (isAnswered) => {
      if (isOver) return;
      isOver = true;
      this.#underWay.delete(tell);
      if (isAnswered && !isLost) this.calls[at] = { ...call, end: this.#now, answer } as Call; // as above
      const heard =
        fate < killed ? "killed" : isAnswered && !isLost ? (answer as Kinds[K]["answer"]) : "lost"; // it was done
      this.later(chance.whole(1, 4), () => then(heard));
    };
    this.#underWay.add(tell);
    const doneAt = chance.whole(1, 9);
    // What nobody will be told of may be done long after it was given up, or never.
    this.later(doneAt, () => {
      if (!isOver || chance.flip()) answer = this.#done(kind, asked);
    });
    this.later(isLost ? chance.whole(1, 15) : doneAt + chance.whole(1, 9), () => tell(true));
    if (this.#isDisturbed && chance.next() < crashed) this.later(chance.whole(1, 9), () => this.#crash());
  }

  #crash(): void {
    const { chance, forgets } = this.#plan;
    if (forgets) {
      const call = { kind: "crash", id: `crash ${this.calls.length}`, asked: null, answer: null } as const;
      this.calls.push({ ...call, start: this.#now, end: this.#now + 1 });
      this.#books = chance.pick([this.#books, ...this.#undoable]);
    }
    this.#undoable = [];
    for (const tell of [...this.#underWay]) tell(false);
    this.#now += 2;
  }

  #done<K extends Kind>(kind: K, asked: Kinds[K]["asked"]): Kinds[K]["answer"] {
    const doing = { kind, asked } as Pick<Call, "kind" | "asked"> as Call; // its parts fit
    return this.#answer(doing) as Kinds[K]["answer"]; // that of its kind
  }

  #answer(call: Call): Kinds[Kind]["answer"] {
    switch (call.kind) {
      case "acquire": {
        const { runId } = call.asked;
        const fence = (this.#books.fences.get(runId) ?? 0) + 1;
        this.#keep({ ...this.#books, fences: new Map(this.#books.fences).set(runId, fence) });
        return { outcome: "granted", lease: { runId, owner: call.id, fence, expiresAt: 0 } };
      }
      case "ledger":
        return this.#change(call.asked);
      case "commit": {
        const outcomes = call.asked.map(({ runId, fence, entries, postings }): AppendOutcome => {
          if (this.#books.fences.get(runId) !== fence) return "fenced";
          this.#entries.set(runId, [...(this.#entries.get(runId) ?? []), ...entries]);
          this.#change({ kind: "settle", postings });
          this.#undoable = [];
          return "appended";
        });
        return outcomes;
      }
      case "accounts":
        return chosenAccounts(this.#books.accounts.values(), { scopes: call.asked });
      case "read":
        return this.#entries.get(call.asked) ?? null;
      default:
        return null;
    }
  }

  #change(request: LedgerRequest): LedgerAnswer {
    if (request.kind === "hold" && this.#books.fences.get(request.runId) !== request.fence)
      return { outcome: "fenced" };
    const { answer, changed } = decide((scope) => this.#books.accounts.get(scope), request);
    const accounts = new Map(this.#books.accounts);
    for (const account of changed) accounts.set(account.scope, account);
    if (changed.length > 0) this.#keep({ ...this.#books, accounts });
    if (request.kind === "amend") this.#undoable = [];
    return answer;
  }

  #keep(books: Books): void {
    this.#undoable.push(this.#books);
    this.#books = books;
  }
}

const cap = "60";

/** Holds money on one account or two of an era, and settles it by a commit of its run, or gives its place up. */
class Buyer {
  readonly #server: Server;
  readonly #plan: DrawnPlan;
  readonly #name: string;
  #calls = 0;
  #turn = 0;
  #fence: number | undefined;

  constructor(server: Server, plan: DrawnPlan, name: string) {
    this.#server = server;
    this.#plan = plan;
    this.#name = name;
  }

  begin(): void {
    const { chance, turns } = this.#plan;
    const era = Math.floor(this.#turn / 40);
    const both = [`a-${era}`, `b-${era}`];
    const picoUsd = String(chance.whole(40, 90));
    if (this.#turn === turns) return;
    if (this.#fence === undefined) this.#take(both);
    else if (chance.flip(0.1)) this.#ask("accounts", both, () => this.begin());
    else if (chance.flip(0.03))
      this.#ask("ledger", { kind: "amend", scope: `a-${era}`, set: { picoUsd } }, () => this.begin());
    else
      this.#buy(
        `${this.#name}:${this.#turn++}`,
        chance.pick([[`a-${era}`], [`b-${era}`], both]),
        this.#fence,
      );
  }

  /** A killed one asks no more, and another takes its place. */
  #ask<K extends Kind>(
    kind: K,
    asked: Kinds[K]["asked"],
    then: (answer: Kinds[K]["answer"] | "lost") => void,
  ) {
    this.#server.ask(`${this.#name} ${this.#calls++}`, kind, asked, (answer) => {
      if (answer === "killed") new Buyer(this.#server, this.#plan, `${this.#name}+`).begin();
      else {
        if (answer === "lost") this.#fence = undefined;
        then(answer);
      }
    });
  }

  /** Its lease anew, where it does not know what became of its last call; and what others have seen of that. */
  #take(scopes: readonly string[]): void {
    const asked = { runId: this.#name, owner: this.#name, now: 0, ttlMs: 1 };
    this.#ask("acquire", asked, (answer) => {
      if (answer !== "lost" && answer.outcome === "granted") this.#fence = answer.lease.fence;
      this.#ask("accounts", scopes, () => this.begin());
    });
  }

  #buy(id: string, scopes: readonly string[], fence: number, tries = 0): void {
    const { chance } = this.#plan;
    this.#ask("ledger", holdOf(id, this.#name, fence, scopes, chance.whole(1, 12)), (answer) => {
      if (answer !== "lost" && answer.outcome === "granted")
        this.#settle(id, scopes, fence, answer.outputTokens);
      else if (answer !== "lost" && answer.outcome === "wait" && tries < 3)
        this.#buy(id, scopes, fence, tries + 1);
      else if (answer === "lost" || answer.outcome === "wait")
        this.#ask("ledger", { kind: "leave", ids: [id], scopes }, () => this.begin());
      else this.begin();
    });
  }

  #settle(id: string, scopes: readonly string[], fence: number, most: number): void {
    const cost = this.#plan.chance.whole(0, most);
    const postings = scopes.map((scope): Posting => ({ scope, hold: id, amount: spent(cost) }));
    this.#ask("commit", [{ runId: this.#name, fence, from: 0, entries: [id], postings }], () => this.begin());
  }
}

const holdOf = (
  id: string,
  runId: string,
  fence: number,
  scopes: readonly string[],
  wanted: number,
): HoldRequest => ({
  ...{ kind: "hold", id, runId, fence, path: "/p", now: 0, patienceMs: 1_000 },
  quote: {
    ...{ model: "m", inputTokens: 0, outputTokens: { wanted, least: 1 } },
    rates: { input: 0n, output: 1n },
  },
  accounts: scopes.map((scope) => ({ scope, limits: { picoUsd: cap }, alertAt: [50] })),
});

const spent = (cost: number): Tally =>
  tallyOf({ picoUsd: BigInt(cost), inputTokens: 0, outputTokens: cost, calls: 1, toolCalls: 0 });
