/**
 * Operations that are more than work and its result: one may ask a person's leave, be tried again under terms of its
 * own, and, when it must not happen twice, is announced in the store before it begins.
 */
import type { Scope } from "../budget/ledger.ts";
import { type Approval, approvalSchema } from "../core/approval.ts";
import type { Errand, ErrandAttempt, ErrandTerms } from "../core/context.ts";
import { recordError } from "../core/error-record.ts";
import { BudgetExceededError, OutcomeUnknownError, TimeoutError } from "../core/errors.ts";
import type { Awaitable, Json } from "../core/json.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import { type Outcome, outcomeSchema } from "../core/outcome.ts";
import type { Path } from "../core/paths.ts";
import type { Terms, Words } from "../core/waiting.ts";
import { type Attempt, durable } from "./durable.ts";
import { instrumented } from "./instrumented.ts";
import { Interruption } from "./interruption.ts";
import { isWorthTrying, waitMs } from "./nodes/retry.ts";
import { answerTo, askPerson } from "./question.ts";
import { Stop, untilAborted } from "./stop.ts";
import type { Hold } from "./treasury.ts";

const kind = "tool-call";
/** Whoever can find out what happened may take their time. */
const endless: Terms = { rounds: [{}] };
const noTokens = { inputTokens: 0, outputTokens: 0 } as const;

/** Where an errand stands, what stops it, and how it is to be run. */
interface Assignment {
  readonly path: Path;
  readonly stop: Stop;
  readonly scopes: readonly Scope[];
  /** Whether a path is that of the same operation in an earlier attempt of the same place. */
  readonly isEarlier: (path: Path) => boolean;
  readonly key: string;
  readonly terms: ErrandTerms;
}

/**
 * Runs an errand once. One that must not happen twice is treated as a paid call: when its place is stopped it has the
 * grace period to come back, and whoever is to do it again meanwhile waits for it.
 */
export async function errand<T>(
  attempt: Attempt,
  assignment: Assignment,
  body: (errand: Errand) => Promise<T>,
): Promise<Json> {
  const { path, stop, terms } = assignment;
  const { tenure } = attempt;
  const run = (): Promise<Json> =>
    durable(attempt, path, kind, () => body(new ErrandUnderWay(attempt, assignment)));
  if (terms.onUnknown === "retry") return run();
  const { underWay } = tenure;
  for (let known = underWay.get(path); known !== undefined; known = underWay.get(path)) {
    try {
      return await stop.race(() => known);
    } catch {
      stop.check(); // it was stopped, or waits for a person: this one looks for itself
    }
  }
  const running = tenure.track(run(), stop).finally(() => underWay.delete(path));
  underWay.set(path, running);
  running.catch(() => {}); // whoever waits hears of it
  return stop.race(() => running);
}

class ErrandUnderWay implements Errand {
  readonly #attempt: Attempt;
  readonly #assignment: Assignment;

  constructor(attempt: Attempt, assignment: Assignment) {
    this.#attempt = attempt;
    this.#assignment = assignment;
  }

  get path(): Path {
    return this.#assignment.path;
  }
  get idempotencyKey(): string {
    return this.#assignment.key;
  }

  async approval(words: () => Awaitable<Words | undefined>, terms: Terms): Promise<Approval | undefined> {
    const { run } = this.#attempt.tenure;
    const inquiry = {
      path: this.path,
      kind: "human",
      asks: "approval",
      schema: approvalSchema,
      terms,
    } as const;
    const asked = run.questions.get(this.path)?.find(({ asks }) => asks === "approval");
    if (asked !== undefined) return answerTo(this.#attempt, inquiry, asked);
    if (run.started.has(this.path) || run.retries.has(this.path)) return undefined; // it had its leave
    const question = await words();
    return question === undefined ? undefined : askPerson(this.#attempt, inquiry, question);
  }

  async carryOut<T>(work: (attempt: ErrandAttempt) => Awaitable<T>): Promise<T> {
    const { tenure } = this.#attempt;
    const { stop, terms } = this.#assignment;
    for (;;) {
      const past = tenure.run.retries.get(this.path) ?? [];
      const last = past.at(-1);
      if (last !== undefined) await tenure.rest(last.due, stop);
      const doubtful = terms.onUnknown === "retry" ? [] : this.#doubtful();
      if (doubtful.length > 0) {
        const outcome = await this.#outcome(doubtful);
        if ("result" in outcome) return outcome.result as T; // in the place of what `work` returns
        if ("failed" in outcome) throw new Error(outcome.failed);
      }
      try {
        return await this.#bought(work, past.length + 1);
      } catch (error) {
        if (error instanceof Interruption || error instanceof BudgetExceededError || error === stop.reason)
          throw error;
        if (terms.onUnknown !== "retry" && this.#isOwnTimeout(error)) continue; // begun, and no end to it is known
        const tries = past.length + 1;
        if (terms.retry === undefined || tries >= terms.retry.attempts || !isWorthTrying(terms.retry, error))
          throw error;
        const { journal, world } = tenure;
        const due = world.now() + waitMs(terms.retry, tries, error, () => world.random());
        const record = recordError(error, this.path);
        journal.put({ type: "retry-scheduled", path: this.path, attempt: tries, due, error: record });
        await journal.sync();
      }
    }
  }

  /** One try, its price held before it begins. One that throws costs all of it. */
  async #bought<T>(work: (attempt: ErrandAttempt) => Awaitable<T>, number: number): Promise<T> {
    const { tenure } = this.#attempt;
    const held = await this.#reserve();
    const fee = this.#assignment.terms.quote.fee ?? 0n;
    let cost = fee;
    const costs = (amount: Usd): void => {
      cost = picoUsd(amount);
    };
    const settle = (): void => tenure.treasury.settle(held, { ...noTokens, picoUsd: cost.toString() });
    try {
      await this.#announce();
    } catch (error) {
      tenure.treasury.release(held);
      throw error;
    }
    try {
      const result = await this.#once((signal) =>
        instrumented(tenure, this.path, () => work({ number, signal, costs })),
      );
      settle();
      return result;
    } catch (error) {
      if (fee === 0n) settle();
      else tenure.treasury.doubt(held);
      throw error;
    }
  }

  async #reserve(): Promise<Hold> {
    const { tenure } = this.#attempt;
    const { scopes, stop, terms } = this.#assignment;
    try {
      return await tenure.treasury.reserve(this.path, terms.quote, scopes, stop);
    } catch (error) {
      throw error instanceof BudgetExceededError && error.onLimit === "halt" ? tenure.halt(error) : error;
    }
  }

  /** What must not happen twice is announced, durably, before it begins. @throws the stop's reason: it does not begin. */
  async #announce(): Promise<void> {
    const { stop, terms } = this.#assignment;
    const { journal } = this.#attempt.tenure;
    if (terms.onUnknown !== "retry") {
      journal.put({ type: "operation-started", path: this.path, kind });
      await journal.sync();
      if (stop.reason !== undefined) journal.put({ type: "operation-withdrawn", path: this.path });
    }
    stop.check();
  }

  async #once<T>(work: (signal: AbortSignal) => Awaitable<T>): Promise<T> {
    const { stop, terms } = this.#assignment;
    const { world } = this.#attempt.tenure;
    const own = new Stop(stop);
    const { timeoutMs } = terms;
    const off =
      timeoutMs === undefined
        ? () => {}
        : world.timer(timeoutMs, () => {
            own.fire(lateAt(this.path, timeoutMs));
            own.cut();
          });
    try {
      if (terms.onUnknown === "retry") return await own.race(() => work(own.signal));
      const { callSignal } = own;
      return await untilAborted((async () => work(callSignal))(), callSignal);
    } finally {
      off();
      own.end();
    }
  }

  /** Tries that began and have no end: of this operation, or of the same in an attempt that was given up. */
  #doubtful(): readonly Path[] {
    const { started } = this.#attempt.tenure.run;
    if (started.has(this.path)) return [this.path];
    return [...started.keys()].filter(this.#assignment.isEarlier);
  }

  /** What became of them. Whatever is said here of those of earlier attempts, they are in doubt no more. */
  async #outcome(doubtful: readonly Path[]): Promise<Outcome> {
    const { run, journal } = this.#attempt.tenure;
    const earlier = doubtful.filter((path) => path !== this.path);
    const dismiss = (): void => {
      for (const path of earlier) journal.put({ type: "operation-withdrawn", path });
    };
    if (this.#assignment.terms.onUnknown === "fail") {
      dismiss();
      throw unknownAt(this.path, doubtful);
    }
    const inquiry = {
      path: this.path,
      kind: "human",
      asks: "outcome",
      schema: outcomeSchema,
      terms: endless,
    } as const;
    const begun = Math.max(...doubtful.map((path) => run.started.get(path) ?? 0));
    const asked = run.questions
      .get(this.path)
      ?.findLast(({ asks, seq }) => asks === "outcome" && seq > begun);
    if (asked === undefined) {
      const prompt = `Did ${doubtful.join(", ")} happen? It had begun, and its end was not recorded.`;
      return askPerson(this.#attempt, inquiry, { prompt });
    }
    const outcome = await answerTo(this.#attempt, inquiry, asked);
    dismiss();
    return outcome;
  }

  #isOwnTimeout(error: unknown): boolean {
    return error instanceof TimeoutError && error.path === this.path;
  }
}

const lateAt = (path: Path, timeoutMs: number): TimeoutError =>
  new TimeoutError(`${path} was not done after ${timeoutMs} ms`, { path, retryable: true });

const unknownAt = (path: Path, doubtful: readonly Path[]): OutcomeUnknownError =>
  new OutcomeUnknownError(
    `nobody knows whether ${doubtful.join(", ")} happened: it had begun, and its end was not recorded`,
    {
      path,
      hint: "Find out whether it happened. Resuming the run starts the agent's conversation anew, and it may call the tool again.",
    },
  );
