import { type Duration, milliseconds } from "../core/duration.ts";
import type { RunEvent } from "../core/events.ts";
import { type Budget, limitsOf, type Usd } from "../core/limits.ts";
import { nodeOf, type Step } from "../core/step.ts";
import { refuseBadRunId } from "../ports/store-rules.ts";
import type { Entrance } from "./enter.ts";
import { makeFork } from "./fork.ts";
import { forkOrder } from "./fork-order.ts";
import { freshFor } from "./fresh.ts";
import type {
  Advanced,
  AdvanceOptions,
  Drained,
  EngineOptions,
  EventsOptions,
  ForkOptions,
  ResumeOptions,
  RunHandle,
  RunResult,
  SignalOptions,
  StartOptions,
  SubmitOptions,
  Submitted,
  SweepOptions,
  Swept,
} from "./options.ts";
import { topUpRun, topUpScope } from "./raises.ts";
import { type ReplayStage, replayRun } from "./replay/replay.ts";
import type { CheckOptions, ReplayOptions, ReplayReport } from "./replay/report.ts";
import { rootOf } from "./root.ts";
import { Roster } from "./roster.ts";
import { firstWanted, followEvents } from "./run-events.ts";
import { checkPolicy, type Setting } from "./setting.ts";
import { sendSignal } from "./signals.ts";
import { makeRun, submitTerms, tellDispatcher } from "./submit.ts";
import { limitsOver } from "./terms.ts";
import { type Allotment, advanceWithin, allotted, sweep } from "./within.ts";

/** Runs a pipeline: everything `Flujo` does, with its world handed in. */
export class Runner<In, Out, State = unknown> implements AsyncDisposable {
  readonly #roster: Roster<Out, State>;

  /** @throws InvalidPipelineError, InvalidOptionError */
  constructor(step: Step<In, Out, State>, options: EngineOptions<State>) {
    this.#roster = new Roster(rootOf(nodeOf(step, "what Flujo was given to run")), options);
  }

  /** Starts a run, or goes on with the one of that id. What is wrong shows in `result()`. */
  start(input: In, options: StartOptions = {}): RunHandle<Out> {
    const { options: shared } = this.#setting;
    const runId = options.runId ?? shared.world.id();
    const second = options.onlyNew ? this.#roster.second(runId) : undefined;
    if (second !== undefined) return second;
    return this.#roster.activate(runId, options.signal, async (): Promise<Entrance> => {
      const limits = limitsOver(shared.budget, options.budget);
      const fresh = await freshFor(this.#setting, runId, input, options);
      const { version } = shared;
      return {
        ...{ runId, why: "started", fresh },
        ...(version === undefined ? {} : { version }),
        ...(limits ? { limits } : {}),
      };
    });
  }

  /** `start`, and its result. */
  run(input: In, options?: StartOptions): Promise<RunResult<Out>> {
    return this.start(input, options).result();
  }

  /**
   * Makes a run in the store and returns: whichever process serves its pipeline goes on with it, as `flujo worker` or
   * `flujo up`. The `dispatcher` is told, where there is one. The same id again makes no second run.
   *
   * ```ts
   * const flujo = new Flujo(greet);
   * const { runId } = await flujo.submit("Ada", { queue: "mail", priority: 10, tenant: "acme", delay: "5m" });
   * ```
   *
   * @throws InvalidInputError, InvalidOptionError, InvalidRunIdError, RunExistsError, UnpricedModelError.
   */
  async submit(input: In, options: SubmitOptions = {}): Promise<Submitted> {
    const { world, dispatcher } = this.#setting.options;
    const runId = checkedRunId(options.runId ?? world.id());
    const dispatch = submitTerms(options, world.now());
    const fresh = { ...(await freshFor(this.#setting, runId, input, options)), dispatch };
    const { isNew, job } = await makeRun(this.#setting, { runId, fresh });
    const untold = await tellDispatcher(dispatcher, job);
    return { runId, isNew, ...(untold === undefined ? {} : { untold }) };
  }

  /** Goes on with a run that exists: crashed, failed, halted, waiting. A finished one returns its recorded result. */
  resume(runId: string, options: ResumeOptions = {}): RunHandle<Out> {
    if (options.version !== undefined) checkPolicy(options.version);
    return this.#roster.goOn(runId, "resumed", options);
  }

  /**
   * The events of a run, whichever process advances it: from any number on, then live, until the run has come to stand.
   * A reader that was interrupted goes on at the number after its last event.
   *
   * @throws UnknownRunError, InvalidOptionError when they are read.
   */
  async *events(runId: string, { from = 0, signal }: EventsOptions = {}): AsyncGenerator<RunEvent> {
    const { store, world } = this.#setting.options;
    const ticker = () => this.#roster.get(runId)?.ticker;
    yield* followEvents({ store, world, ticker }, checkedRunId(runId), firstWanted(from), signal);
  }

  /**
   * Cancels a run, here or in another process (which notices within a second). What it has done that can be undone is
   * undone first; this process does it for a run that nobody advances.
   *
   * @throws UnknownRunError, RunEndedError; what keeps the run from being advanced, where there is something to undo.
   */
  async cancel(runId: string, reason = "cancelled"): Promise<void> {
    return this.#roster.cancel(runId, reason);
  }

  /**
   * Sends an answer or an event to a place that waits, or will wait, for it; or an answer to a tool of an agent that
   * waits now. Resume the run to let it go on, or say `resume: true`. In the path of a `waitFor`, `[]` stands for any
   * item or turn: whichever is first takes it.
   *
   * @throws UnknownRunError, RunEndedError; SignalRefusedError when nothing waits at that path, it has its answer (then
   *   the message says who gave it), its time is over, or the answer does not fit.
   */
  async signal(runId: string, path: string, payload: unknown, options: SignalOptions = {}): Promise<void> {
    const { root, options: shared } = this.#setting;
    const post = { store: shared.store, world: shared.world, tree: root.node };
    await sendSignal(post, checkedRunId(runId), path, payload, options);
    if (options.resume) this.#roster.goOnSoon(runId);
  }

  /**
   * Raises the limits of a run by so much: `topUp(id, "$1")` adds a dollar. A run that advances, here or in another
   * process (which notices within a second), goes on with it, and calls that wait are looked at again; one that has
   * halted waits to be resumed. `topUp({ scope: "tenant:acme" }, "$1")` raises those of a shared budget.
   *
   * @throws UnknownRunError, RunEndedError; InvalidOptionError when there is no such limit.
   */
  async topUp(target: string | { readonly scope: string }, by: Usd | Budget): Promise<void> {
    const { store, world } = this.#setting.options;
    if (typeof target !== "string") return topUpScope(store, target.scope, limitsOf(by));
    await topUpRun(store, world, checkedRunId(target), limitsOf(by));
    await this.#roster.get(target)?.lookForWord();
  }

  /**
   * Takes over the abandoned runs of this pipeline there are now, and goes on with those whose time has come. Returns
   * their handles. Those that sleep on are woken when they are due, unless `takeOver` is false.
   */
  async recover(): Promise<RunHandle<Out>[]> {
    return this.#roster.recover();
  }

  /** The ids of the runs that this process advances now. */
  get running(): readonly string[] {
    return this.#roster.ids;
  }

  /**
   * Goes on with one run, as `takeOver` would: for whoever looks for runs of several pipelines at once. The journal says
   * why.
   */
  adopt(runId: string, why: "taken-over" | "woken"): RunHandle<Out> {
    return this.#roster.goOn(runId, why);
  }

  /**
   * Goes on with a run that was submitted, handed over, answered or is due, for a limited time: where a platform ends a
   * function after so many seconds. It ends in time if the bodies heed their signals and the store answers: no operation
   * begins that is not likely to fit into what is left, and what is under way in the end is cut off, which the journal says.
   * Of a run that has come to stand it tells how; `more: true` asks to be called again.
   *
   * ```ts
   * const flujo = new Flujo(greet, { takeOver: false });
   * const { more, status } = await flujo.advance("greet-ada", { within: "25s" });
   * ```
   *
   * @throws UnknownRunError; LeaseHeldError while somebody else has it; VersionChangedError; OutOfTimeError for an operation
   *   that was cut off before and would be again.
   */
  async advance(runId: string, options: AdvanceOptions): Promise<Advanced<Out>> {
    const time = allotted(options, this.#setting.options.world.now());
    return advanceWithin(this.#roster, checkedRunId(runId), time);
  }

  /**
   * The same for the runs of this pipeline that nobody attends to, for functions that are called by a clock: each of them is
   * gone on with once, those that have waited longest first. None is begun when there is less left than the `least`.
   *
   * ```ts
   * const flujo = new Flujo(greet, { takeOver: false });
   * const { runs, refused, more } = await flujo.advanceAll({ within: "50s", most: 20 });
   * ```
   */
  async advanceAll(options: SweepOptions): Promise<Swept<Out>> {
    return sweep(this.#roster, options);
  }

  /**
   * From now on, every run that is begun or gone on with here has what is left of this time, and is handed over then: for
   * whoever serves several pipelines, as `adopt`.
   */
  limit(time: Allotment): void {
    this.#roster.limit(time);
  }

  /** Lets a run of this process go, unfinished and at once, for whoever takes it over. Nothing happens when it has none of that id. */
  letGo(runId: string): void {
    void this.#roster.get(runId)?.handOver();
  }

  /**
   * Before a shutdown: begins no operation any more, and lets those under way finish, so that nothing is done twice. Runs
   * that have not ended by then are handed over at once to whoever takes them over. From now on this `Flujo` starts and
   * resumes none; dispose of it afterwards.
   *
   * ```ts
   * process.once("SIGTERM", async () => {
   *   const { cutOff } = await flujo.drain("10s");
   *   if (cutOff.length > 0) console.error("in the middle of an operation:", cutOff);
   *   await flujo[Symbol.asyncDispose]();
   * });
   * ```
   *
   * @param grace how long operations may take to finish; then they are cut off, and done again by whoever goes on. Default
   *   `"30s"`.
   */
  async drain(grace: Duration = "30s"): Promise<Drained> {
    return this.#roster.drain(milliseconds(grace));
  }

  /**
   * Starts a new run that shares what another one has recorded, but for a point and all that follows from it, and pays
   * only for that. The other run stays as it is. What is wrong shows in `result()`.
   *
   * ```ts
   * const flujo = new Flujo(greet);
   * const fork = flujo.fork("greet-ada", { at: "/hello/greet", input: "Grace" });
   * ```
   */
  fork(runId: string, options: ForkOptions): RunHandle<Out> {
    const forkId = options.runId ?? this.#setting.options.world.id();
    return this.#roster.activate(forkId, options.signal, async (): Promise<Entrance> => {
      await makeFork(this.#setting, await forkOrder(this.#setting, forkId, checkedRunId(runId), options));
      return { runId: forkId, why: "resumed" };
    });
  }

  /**
   * Walks a run again on its record, with today's code, and says what that would do otherwise. What is recorded answers;
   * branches, verdicts, items and requests are made anew and compared. No model, tool or operation is called, and nothing
   * is written.
   *
   * @throws UnknownRunError; InvalidOptionError when the run is of another pipeline.
   */
  async replay(runId: string, options: ReplayOptions = {}): Promise<ReplayReport> {
    const { root, options: shared } = this.#setting;
    const { store, world, models } = shared;
    const call = <T>(work: () => T): T => work();
    const enclosure = { within: call, outside: call };
    return await replayRun(
      { root, store, world, models, enclosure, ...(await this.stage()) },
      checkedRunId(runId),
      options,
    );
  }

  /**
   * Replays the newest runs of this pipeline, however far they have come: before a new version goes live, whom would it
   * break? A run that was given its id and never began is left out.
   */
  async checkRuns({ runs = 100, ...options }: CheckOptions = {}): Promise<readonly ReplayReport[]> {
    const { root, options: shared } = this.#setting;
    const newest = { pipeline: root.pipeline.name, limit: runs };
    const reports: ReplayReport[] = [];
    for (const { runId } of await shared.store.list(newest)) reports.push(await this.replay(runId, options));
    return reports;
  }

  /** What a replay takes place in, where that is not the engine alone. */
  protected async stage(): Promise<ReplayStage> {
    return {};
  }

  /**
   * Stops taking over; hands unfinished runs over to whoever resumes them; gives hooks, sinks and instruments, where there are
   * any, a few seconds for what they are about; closes nothing it was given.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.#roster.close();
  }

  get #setting(): Setting<State> {
    return this.#roster.setting;
  }
}

function checkedRunId(runId: string): string {
  refuseBadRunId(runId);
  return runId;
}
