import { reviveError } from "../core/error-record.ts";
import { type FlujoError, LeaseLostError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { Values } from "../core/resolve.ts";
import { awaitedPaths, type RunRecord, undoneIn } from "../core/run-record.ts";
import { type Wait, wakeAt } from "../core/waiting.ts";
import type { Store } from "../ports/store.ts";
import { cancelId, cancelled, runItself } from "./cancel.ts";
import { conduct } from "./conduct.ts";
import { type Entered, type Entrance, enter } from "./enter.ts";
import { Interruption } from "./interruption.ts";
import { keepAlive } from "./lease.ts";
import { entriesOf } from "./load.ts";
import type { RunHandle, RunResult, Undone } from "./options.ts";
import { raisesIn } from "./raises.ts";
import { firstWanted, readEvents, Ticker } from "./run-events.ts";
import type { Setting } from "./setting.ts";
import type { StintTerms } from "./stint.ts";
import type { Tenure } from "./tenure.ts";
import { open } from "./values.ts";

/** A run this process advances, from entering it to letting it go. */
export class ActiveRun<Out, State> implements RunHandle<Out> {
  readonly runId: string;
  readonly ticker = new Ticker();
  readonly #setting: Setting<State>;
  readonly #result: Promise<RunResult<Out>>;
  #tenure: Tenure | undefined;
  #stopAsked: FlujoError | undefined;
  #handOver = false;
  readonly #stint: StintTerms | undefined;
  /** Why the run is let go before its end, where nothing is wrong with it. */
  readonly #handedOver: FlujoError;

  constructor(
    setting: Setting<State>,
    entrance: () => Promise<Entrance>,
    runId: string,
    { signal, stint }: { readonly signal?: AbortSignal | undefined; readonly stint?: StintTerms | undefined },
  ) {
    this.#setting = setting;
    this.runId = runId;
    this.#stint = stint;
    this.#handedOver = handedOver(runId);
    this.#result = this.#live(entrance).finally(() => this.ticker.end());
    this.#result.catch(() => {}); // result() hands it on
    if (signal?.aborted) void this.cancel(reasonOf(signal));
    else signal?.addEventListener("abort", () => void this.cancel(reasonOf(signal)), { once: true });
  }

  get events(): AsyncIterable<RunEvent> {
    return this.eventsFrom(0);
  }

  eventsFrom(seq: number): AsyncIterable<RunEvent> {
    const from = firstWanted(seq);
    return { [Symbol.asyncIterator]: () => readEvents(this.#store, this.runId, this.ticker, from) };
  }

  result(): Promise<RunResult<Out>> {
    return this.#result;
  }

  async begun(): Promise<void> {
    if (!(await this.ticker.first)) await this.#result;
  }

  async cancel(reason = "cancelled"): Promise<void> {
    const error = cancelled(this.runId, reason);
    this.#stopAsked ??= error;
    this.#tenure?.cancel(error);
    await this.#result.catch(() => {}); // result() tells; cancel() only waits for the end
  }

  /**
   * Lets the run go at its next operation, for whoever takes it over: what is under way in it may finish.
   *
   * @returns whether it came to stand instead.
   */
  async depart(): Promise<boolean> {
    this.#handOver = true;
    this.#tenure?.depart(this.#handedOver);
    return this.#result.then(
      () => true,
      () => false,
    );
  }

  /** Cuts off what is under way in a run that is let go. */
  cut(): void {
    this.#tenure?.lose(this.#handedOver);
  }

  /**
   * How far the run had come when it was let go, where that is why it has no result: what it has spent, and from when on there
   * is something to be gone on with.
   *
   * @param error what its result was rejected with.
   */
  letGo(error: unknown): { readonly spent: Spent; readonly resumesAt: number | undefined } | undefined {
    const tenure = this.#tenure;
    if (error !== this.#handedOver || tenure === undefined) return undefined;
    return { spent: tenure.run.spent, resumesAt: tenure.resumesAt };
  }

  /** Lets the run go, unfinished, for whoever takes it over. */
  async handOver(): Promise<void> {
    this.#handOver = true;
    this.#tenure?.leave(this.#handedOver);
    await this.#result.catch(() => {}); // as above
  }

  get #store(): Store {
    return this.#setting.options.store;
  }

  async #live(entrance: () => Promise<Entrance>): Promise<RunResult<Out>> {
    try {
      let entered = await enter(this.#setting, await entrance());
      for (;;) {
        if ("ended" in entered) return await this.#resultOf(entered.ended);
        const result = await this.#advance(entered);
        const again = await this.#again(result, entered.tenure);
        if (again === undefined) return result;
        entered = again;
      }
    } catch (error) {
      throw error instanceof Interruption ? (error.error ?? error) : error; // an interruption is the engine's own affair
    }
  }

  async #advance({
    tenure,
    lease,
    beginning,
  }: Extract<Entered, { tenure: Tenure }>): Promise<RunResult<Out>> {
    this.#tenure = tenure;
    if (this.#stopAsked !== undefined) tenure.cancel(this.#stopAsked);
    if (this.#handOver) tenure.leave(this.#handedOver);
    const off = this.#stint === undefined ? () => {} : tenure.limit(this.#stint, this.#handedOver);
    const { ttlMs, isTold } = this.#setting;
    const rest = keepAlive(tenure, lease, ttlMs, {
      store: this.#store,
      look: () => this.#hear(tenure),
      isTold,
    });
    try {
      await this.#hear(tenure);
      const output = await conduct(tenure, beginning);
      return await this.#resultOf(tenure.run, output);
    } finally {
      rest();
      off();
      tenure.journal.close();
      await this.#store.release(lease).catch(() => {}); // it ends by itself in a while
    }
  }

  /**
   * Enters a waiting run again when it was sent something while it came to stand. Whoever sent it has found the run in
   * our hands, and left it to us; had they looked after we let it go, they would have it themselves.
   */
  async #again(result: RunResult<Out>, tenure: Tenure): Promise<Entered | undefined> {
    if (result.status !== "waiting" || this.#handOver || this.#stopAsked !== undefined) return undefined;
    try {
      if (!(await tenure.mail.hasWord(result.waits))) return undefined;
      return await enter(this.#setting, { runId: this.runId, why: "resumed" });
    } catch {
      return undefined; // another process is at it, or the store does not answer: the run stands as recorded
    }
  }

  /** Looks for messages to the run now, instead of after a while. */
  async lookForWord(): Promise<void> {
    if (this.#tenure !== undefined) await this.#hear(this.#tenure);
  }

  /** Heeds what was sent to the run itself. */
  async #hear(tenure: Tenure): Promise<void> {
    const signals = await this.#store.signals(this.runId);
    for (const raise of raisesIn(signals)) tenure.treasury.raise(raise);
    const asked = signals.find(({ id, path }) => path === runItself && id === cancelId);
    if (asked !== undefined) tenure.cancel(cancelled(this.runId, String(asked.data)));
    tenure.mail.note(signals.length);
  }

  async #resultOf(run: RunRecord, output?: Json): Promise<RunResult<Out>> {
    const { runId } = this;
    const { spent } = run;
    switch (run.status) {
      case "completed":
        return {
          status: "completed",
          runId,
          spent,
          output: (await this.#open(output ?? (await this.#recorded(run)))) as Out,
        }; // as recorded
      case "waiting":
        return { status: "waiting", runId, spent, ...waitingOf(run) };
      case "failed":
      case "halted":
      case "cancelled":
        return { status: run.status, runId, spent, error: errorOf(run, runId), ...undoneOf(run) };
      default:
        throw new LeaseLostError(`run ${runId} is not finished`, { runId, retryable: true });
    }
  }

  #open(json: Json | undefined): unknown {
    return json === undefined ? undefined : open(json, this.#store);
  }

  /** The output of a run that had ended: in its last entry, or where that one points. */
  async #recorded(run: RunRecord): Promise<Json | undefined> {
    if (run.output === undefined || run.output.json !== undefined) return run.output?.json;
    const entries = await entriesOf(this.#store, this.runId);
    return new Values(entries, ({ hash }) => this.#store.blob(hash)).output(run.output);
  }
}

function waitingOf(run: RunRecord): { signals: readonly Path[]; waits: readonly Wait[]; until?: Date } {
  const due = wakeAt(run.waits);
  return {
    signals: awaitedPaths(run),
    waits: run.waits,
    ...(due === undefined ? {} : { until: new Date(due) }),
  };
}

function undoneOf(run: RunRecord): { undone?: Undone } {
  const undone = undoneIn(run);
  return undone === undefined ? {} : { undone };
}

const errorOf = (run: RunRecord, runId: string): FlujoError =>
  reviveError(
    run.error ?? { code: "step-failed", message: "no error was recorded", retryable: false },
    runId,
  );

const handedOver = (runId: string): LeaseLostError =>
  new LeaseLostError(`run ${runId} was handed over: this process ended its work before it was finished`, {
    runId,
    retryable: true,
    hint: "Resume it, here or in another process.",
  });

const reasonOf = (signal: AbortSignal): string =>
  signal.reason instanceof Error && signal.reason.name !== "AbortError"
    ? signal.reason.message
    : "its signal was aborted";
