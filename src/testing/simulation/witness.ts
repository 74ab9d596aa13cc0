/** Sees every entry as it is written and every piece of work as it is done, and says what should not be. */
import type { Entry, EntryOf } from "../../core/entries.ts";
import { fold } from "../../core/fold.ts";
import { pathSegment } from "../../core/paths.ts";
import type { RunRecord } from "../../core/run-record.ts";
import type { Undo } from "../../core/step.ts";
import type { Append, AppendOutcome, LeaseAnswer, Store } from "../../ports/store.ts";
import type { VirtualProcess } from "../virtual-world.ts";
import { Accounts, type Budgets, exceeded } from "./accounts.ts";
import { textOf } from "./digest.ts";
import type { Bill, Call } from "./provider.ts";

/** Entries of which each path has at most one. */
const once = new Set<Entry["type"]>([
  "step-completed",
  "operation-completed",
  "signal-received",
  "container-completed",
  "branch-chosen",
  "loop-judged",
  "map-started",
  "timer-set",
  "scope-opened",
  "signal-awaited",
  "question-answered",
  "fallback-taken",
  "failure-collected",
  "cache-missed",
  "value-altered",
  "compensation-owed",
  "compensation-started",
  "compensation-completed",
]);
const results = new Set<Entry["type"]>(["step-completed", "operation-completed", "signal-received"]);
const ends = new Set<Entry["type"]>([
  "run-completed",
  "run-failed",
  "run-halted",
  "run-waiting",
  "run-cancelled",
]);

export class Witness {
  readonly entries: Entry[] = [];
  readonly violations: string[] = [];
  /** Work done more than once, rightly: it was not recorded. */
  repeats = 0;
  readonly #runId: string;
  readonly #accounts = new Accounts();
  /** Who got which fence. */
  readonly #owners = new Map<number, string>();
  readonly #fences = new Map<string, number>();
  readonly #budgets = new Map<string, Budgets>();
  /** The fence under which each path got its result. */
  readonly #recorded = new Map<string, number>();
  readonly #unique = new Set<string>();
  readonly #done = new Set<string>();
  readonly #keys = new Map<string, string>();
  /** Tools begun, by the journal, and those that ran since somebody knew what had become of them. */
  readonly #begun = new Set<string>();
  readonly #ranOnce = new Set<string>();
  /** How many questions of each tool are answered. */
  readonly #answers = new Map<string, number>();
  /** How often each place has failed. */
  readonly #failed = new Map<string, number>();
  /** The signals that places have taken. */
  readonly #taken = new Set<string>();
  /** What compensations were handed, by the place they undo. */
  readonly handed = new Map<string, Set<string>>();
  readonly #callKeys = new Set<string>();
  /** What the provider has sent of each streamed answer, and what is recorded of it, by the call's reservation. */
  readonly #sent = new Map<number, string>();
  readonly #heard = new Map<number, string>();
  #highest = 0;

  constructor(runId: string) {
    this.#runId = runId;
  }

  /** Calls of models so far. */
  get calls(): number {
    return this.#callKeys.size;
  }

  /** The fence of the newest lease. */
  get fence(): number {
    return this.#highest;
  }

  fenceOf(process: VirtualProcess): number {
    return this.#fences.get(process.owner) ?? 0;
  }

  /** Which budgets the tree has that a process built. */
  expect(process: VirtualProcess, budgets: Budgets): void {
    this.#budgets.set(process.owner, budgets);
  }

  say(violation: string): void {
    if (!this.violations.includes(violation)) this.violations.push(violation);
  }

  /** A store in which nothing happens unseen. */
  watch(store: Store): Store {
    return {
      ...store,
      commit: async (appends) => {
        const outcomes = await store.commit(appends);
        for (const [i, append] of appends.entries()) this.#appended(append, outcomes[i]);
        return outcomes;
      },
      acquire: async (request) => {
        const answer = await store.acquire(request);
        if (request.runId === this.#runId) this.#leased(answer);
        return answer;
      },
    };
  }

  /** Work is about to be done. */
  work(process: VirtualProcess, path: string, operation: string | undefined, key: string): void {
    const at = operation === undefined ? path : `${path}:${pathSegment(operation)}#0`;
    const recorded = this.#recorded.get(at);
    // A process that has not yet noticed that it lost the run may repeat what its successor recorded.
    if (recorded !== undefined && recorded <= this.fenceOf(process))
      this.say(`${at} ran again after its result was recorded`);
    if (this.#done.has(at)) this.repeats++;
    this.#done.add(at);
    const known = this.#keys.get(path);
    if (known !== undefined && known !== key) this.say(`${path} was handed two idempotency keys`);
    this.#keys.set(path, key);
  }

  /** Something is about to be undone. */
  undo(path: string, { input, output }: Undo<unknown, unknown>): void {
    const place = path.slice(0, path.lastIndexOf("@undo"));
    this.handed.set(place, (this.handed.get(place) ?? new Set()).add(textOf([input, output])));
  }

  /** A tool is about to do its work. */
  tool(process: VirtualProcess, path: string, key: string, twice: boolean): void {
    this.work(process, path, undefined, key);
    if (twice || this.fenceOf(process) < this.#highest) return; // whoever lost the run may be late
    if (!this.#begun.has(path)) this.say(`${path} ran, and the journal did not say that it would`);
    if (this.#ranOnce.has(path)) this.say(`${path} ran twice, and nobody was asked`);
    this.#ranOnce.add(path);
  }

  /** A call has arrived at the provider. */
  call(process: VirtualProcess, { key, inputTokens, cap, picoUsd }: Call): void {
    const seq = seqIn(key);
    if (this.#callKeys.has(key)) this.say(`two calls were made with the key ${key}`);
    this.#callKeys.add(key);
    const held = this.#accounts.openAt(seq);
    if (held === undefined) {
      const isStale = this.fenceOf(process) < this.#highest;
      if (!isStale) this.say(`a call was made under reservation ${key}, which is not open in the journal`);
      return;
    }
    if (held.picoUsd < picoUsd || held.tokens < inputTokens + cap)
      this.say(`the call at ${held.path} may cost more than was reserved`);
    const recorded = this.#recorded.get(held.path);
    if (recorded !== undefined && recorded <= this.fenceOf(process))
      this.say(`${held.path} was bought again after its result was recorded`);
  }

  /** The provider sends a piece of a streamed answer. */
  sent(key: string, piece: string): void {
    this.#sent.set(seqIn(key), (this.#sent.get(seqIn(key)) ?? "") + piece);
  }

  bill(bill: Readonly<Bill>): void {
    for (const wrong of exceeded("the provider's meter says the run", bill, this.#accounts.limits))
      this.say(wrong);
  }

  /** The run as the store has it. */
  record(): RunRecord {
    return fold(this.entries);
  }

  #leased(answer: LeaseAnswer): void {
    if (answer.outcome !== "granted") return;
    const { fence, owner } = answer.lease;
    if (fence <= this.#highest) this.say(`the fence ${fence} was handed out after ${this.#highest}`);
    this.#highest = Math.max(this.#highest, fence);
    this.#owners.set(fence, owner);
    this.#fences.set(owner, fence);
  }

  #appended(append: Append, outcome: AppendOutcome | undefined): void {
    if (append.runId !== this.#runId || outcome !== "appended") return;
    if (append.fence !== this.#highest)
      this.say(`the stale owner with fence ${append.fence} wrote ${append.entries[0]?.type}`);
    for (const entry of append.entries) this.#entry(entry, append.fence);
  }

  #entry(entry: Entry, fence: number): void {
    const before = this.entries.at(-1);
    this.entries.push(entry);
    if (entry.seq !== this.entries.length - 1)
      this.say(`entry ${entry.seq} stands at ${this.entries.length - 1}`);
    if (before !== undefined && ends.has(before.type)) {
      const settlesDoubt = entry.type === "budget-settled" && entry.doubt === true;
      const cancels = entry.type === "run-cancelled" || entry.type === "cancellation-requested";
      if (entry.type !== "run-resumed" && !settlesDoubt && !cancels)
        this.say(`${entry.type} was written after ${before.type}`);
    }
    if (once.has(entry.type) && "path" in entry) {
      const kind = results.has(entry.type) ? "result" : entry.type;
      const mark = `${kind} ${entry.path} ${this.#which(entry)}`;
      if (this.#unique.has(mark)) this.say(`${entry.type} of ${entry.path} was recorded twice`);
      this.#unique.add(mark);
      if (kind === "result") this.#recorded.set(entry.path, fence);
    }
    if (entry.type === "question-answered")
      this.#answers.set(entry.path, (this.#answers.get(entry.path) ?? 0) + 1);
    if (entry.type === "step-failed") this.#failed.set(entry.path, (this.#failed.get(entry.path) ?? 0) + 1);
    if (entry.type === "signal-received" && entry.id !== undefined) {
      if (this.#taken.has(entry.id)) this.say(`the signal ${entry.id} was delivered twice`);
      this.#taken.add(entry.id);
    }
    if (entry.type === "operation-started") this.#begun.add(entry.path);
    if (entry.type === "question-answered" || entry.type === "retry-scheduled")
      this.#ranOnce.delete(entry.path);
    if (entry.type === "text-streamed") this.#streamed(entry);
    if (entry.type === "operation-completed") this.#told(entry);
    const budgets = this.#budgets.get(this.#owners.get(fence) ?? "") ?? new Map();
    for (const wrong of this.#accounts.take(entry, budgets)) this.say(`${wrong} (entry ${entry.seq})`);
  }

  /** Tells entries of one type and path apart that may rightly come more than once. */
  #which(entry: Entry): string | number {
    if (entry.type === "fallback-taken") return entry.error.message;
    if (entry.type === "question-answered") return entry.of;
    const isQuestion = entry.type === "signal-awaited" && entry.asks !== undefined;
    if (isQuestion) return this.#answers.get(entry.path) ?? 0; // the next one comes after an answer
    return entry.type === "signal-awaited" ? (this.#failed.get(entry.path) ?? 0) : ""; // or after nobody has answered
  }

  /** What is recorded of an answer is the beginning of what was sent, while its call is open. */
  #streamed({ of, path, chunks, seq }: EntryOf<"text-streamed">): void {
    const heard = (this.#heard.get(of) ?? "") + chunks.join("");
    this.#heard.set(of, heard);
    if (!this.#sent.get(of)?.startsWith(heard))
      this.say(`entry ${seq} of ${path} has "${heard}", and "${this.#sent.get(of)}" was sent`);
    if (this.#accounts.openAt(of) === undefined)
      this.say(`entry ${seq} of ${path} belongs to the call ${of}, which is not open`);
  }

  /** A result refers to all that was sent of its answer, and repeats none of it. */
  #told({ path, texts = [], output }: EntryOf<"operation-completed">): void {
    const calls = texts.map(({ from }) => from.at(-1)?.[0] ?? 0);
    for (const of of calls) {
      if (this.#heard.get(of) !== this.#sent.get(of))
        this.say(`the result of ${path} refers to the call ${of}, of which not all is recorded`);
    }
    const whole = JSON.stringify(output);
    for (const [of, text] of this.#heard) {
      const isOwn = this.#accounts.pathOf(of) === path;
      if (isOwn && text.length > 20 && whole.includes(text))
        this.say(`the result of ${path} repeats its text`);
    }
  }
}

/** The number of the reservation a call was made under, from its idempotency key. */
const seqIn = (key: string): number => Number(key.slice(key.lastIndexOf(":") + 1));
