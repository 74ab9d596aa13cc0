import { checkedTerms, type DispatchTerms } from "../core/dispatch.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import type { Entry } from "../core/entries.ts";
import { FlujoError, InvalidOptionError, InvalidRunIdError, LeaseHeldError } from "../core/errors.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import { type Budget, type Limits, limitsOf, type Usd } from "../core/limits.ts";
import { isRunId } from "../core/paths.ts";
import { percents, type ScopeRecord, type SharedScope, scopeRecord, termsAt } from "../core/scopes.ts";
import { nodeOf, type Step } from "../core/step.ts";
import { ActiveRun } from "./active-run.ts";
import { Alarm } from "./alarm.ts";
import { cancelRun } from "./cancel.ts";
import { type Entrance, type Fresh, runExists, type Setting } from "./enter.ts";
import { makeFork } from "./fork.ts";
import { oneInstrument } from "./instrumented.ts";
import { load } from "./load.ts";
import type {
  Advanced,
  AdvanceOptions,
  Drained,
  EngineOptions,
  EventsOptions,
  FlujoOptions,
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
  VersionPolicy,
} from "./options.ts";
import { topUpRun, topUpScope } from "./raises.ts";
import { overlayOf } from "./recorded-overlay.ts";
import { type ReplayStage, replayRun } from "./replay/replay.ts";
import type { CheckOptions, ReplayOptions, ReplayReport } from "./replay/report.ts";
import {
  examineModels,
  fittingInput,
  initialState,
  overlaidRoot,
  type Root,
  recordedOverlay,
  rootOf,
} from "./root.ts";
import { firstWanted, followEvents } from "./run-events.ts";
import { sendSignal } from "./signals.ts";
import type { StintTerms } from "./stint.ts";
import { makeRun, tellDispatcher } from "./submit.ts";
import { abandonedRuns, TakeOver } from "./take-over.ts";
import { type Allotment, allotted, stintOf, sweep } from "./within.ts";
import { Word } from "./word.ts";

/** Sleeping runs that `recover` goes on with at once; the others follow. */
const mostDue = 1_000;

/** Runs a pipeline: everything `Flujo` does, with its world handed in. */
export class Runner<In, Out, State = unknown> implements AsyncDisposable {
  readonly #root: Root;
  readonly #options: EngineOptions<State>;
  readonly #setting: Setting<State>;
  readonly #active = new Map<string, ActiveRun<Out, State>>();
  readonly #takeOver: TakeOver | undefined;
  readonly #alarm: Alarm | undefined;
  readonly #word: Word;
  #time: Allotment | undefined;
  #disposed = false;

  /** @throws InvalidPipelineError, InvalidOptionError */
  constructor(step: Step<In, Out, State>, options: EngineOptions<State>) {
    const root = rootOf(nodeOf(step, "what Flujo was given to run"));
    if (typeof options.store?.commit !== "function") {
      throw new InvalidOptionError("the store Flujo was given is none", {
        hint: 'Make one: sqlite(".flujo/flujo.db") of "flujo/sqlite".',
      });
    }
    const ttlMs = milliseconds(options.lease ?? "15s");
    if (ttlMs < 1_000) throw new InvalidOptionError(`lease is ${options.lease}; it takes at least 1s`);
    if (options.budget !== undefined) limitsOf(options.budget);
    options.scopes?.forEach(scopeRecord);
    percents(options.alertAt);
    if (options.version !== undefined) checkPolicy(options.version);
    this.#root = root;
    this.#options = options;
    const instrument = oneInstrument(options.instrument);
    this.#setting = {
      root,
      options,
      ttlMs,
      graceMs: milliseconds(options.grace ?? "30s"),
      awakeMs: milliseconds(options.awake ?? "1m"),
      isTold: () => this.#word.isTold,
      instrument,
      onCommit: (runId, entries) => {
        this.#active.get(runId)?.ticker.tick();
        instrument?.committed(runId, entries);
        this.#tell(runId, entries);
      },
    };
    const attend = (run: ActiveRun<Out, State> | undefined): void => void run?.lookForWord().catch(() => {}); // it looks again
    this.#word = new Word(options.store, {
      one: (runId) => attend(this.#active.get(runId)),
      all: () => {
        for (const run of this.#active.values()) attend(run);
      },
    });
    if (options.takeOver ?? true) {
      const { store, world } = options;
      const { name } = root.pipeline;
      const alarm = new Alarm(store, world, name, ttlMs, (runId) =>
        this.#continue(runId, {}, "woken").result(),
      );
      const continued = (runId: string) => this.#continue(runId, {}, "taken-over");
      this.#alarm = alarm;
      this.#takeOver = new TakeOver(store, world, name, ttlMs, continued, () => alarm.look());
    }
  }

  /** Starts a run, or goes on with the one of that id. What is wrong shows in `result()`. */
  start(input: In, options: StartOptions = {}): RunHandle<Out> {
    const runId = options.runId ?? this.#options.world.id();
    const other = options.onlyNew ? this.#active.get(runId) : undefined;
    if (other !== undefined) return this.#second(runId, other);
    return this.#activate(runId, options.signal, async (): Promise<Entrance> => {
      const limits = given(options.budget ?? this.#options.budget);
      const fresh = await this.#fresh(runId, input, options);
      const { version } = this.#options;
      return {
        ...{ runId, why: "started", fresh },
        ...(version === undefined ? {} : { version }),
        ...(limits ? { limits } : {}),
      };
    });
  }

  /** Of a run that was to be new, and is under way here: refused, once it is known to have begun. */
  #second(runId: string, first: ActiveRun<Out, State>): RunHandle<Out> {
    const entrance = async (): Promise<never> => {
      await first.begun();
      throw runExists(runId);
    };
    return new ActiveRun<Out, State>(this.#setting, entrance, runId, {});
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
    const { world, dispatcher } = this.#options;
    const runId = checkedRunId(options.runId ?? world.id());
    const { queue, priority, tenant, delay } = options;
    const terms: DispatchTerms = {
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(delay === undefined ? {} : { notBefore: world.now() + milliseconds(delay) }),
    };
    const fresh = { ...(await this.#fresh(runId, input, options)), dispatch: checkedTerms(terms) };
    const { isNew, job } = await makeRun(this.#setting, { runId, fresh });
    const untold = await tellDispatcher(dispatcher, job);
    return { runId, isNew, ...(untold === undefined ? {} : { untold }) };
  }

  /** Goes on with a run that exists: crashed, failed, halted, waiting. A finished one returns its recorded result. */
  resume(runId: string, options: ResumeOptions = {}): RunHandle<Out> {
    if (options.version !== undefined) checkPolicy(options.version);
    return this.#continue(runId, options, "resumed");
  }

  /**
   * The events of a run, whichever process advances it: from any number on, then live, until the run has come to stand.
   * A reader that was interrupted goes on at the number after its last event.
   *
   * @throws UnknownRunError, InvalidOptionError when they are read.
   */
  async *events(runId: string, { from = 0, signal }: EventsOptions = {}): AsyncGenerator<RunEvent> {
    const { store, world } = this.#options;
    const ticker = () => this.#active.get(runId)?.ticker;
    yield* followEvents({ store, world, ticker }, checkedRunId(runId), firstWanted(from), signal);
  }

  /**
   * Cancels a run, here or in another process (which notices within a second). What it has done that can be undone is
   * undone first; this process does it for a run that nobody advances.
   *
   * @throws UnknownRunError, RunEndedError; what keeps the run from being advanced, where there is something to undo.
   */
  async cancel(runId: string, reason = "cancelled"): Promise<void> {
    const here = this.#active.get(runId);
    if (here !== undefined) return here.cancel(reason);
    const { store, world } = this.#options;
    const tell = (entries: readonly Entry[]): void => this.#tell(runId, entries);
    if ((await cancelRun(store, world, checkedRunId(runId), reason, tell)) !== "left") return;
    try {
      await this.#continue(runId, {}, "resumed").result();
    } catch (error) {
      if (!FlujoError.isInstance(error) || error.code !== "lease-held") throw error; // somebody else is about it
    }
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
    const { store, world } = this.#options;
    const post = { store, world, tree: this.#root.node };
    await sendSignal(post, checkedRunId(runId), path, payload, options);
    if (options.resume) this.#goOn(runId);
  }

  /**
   * Raises the limits of a run by so much: `topUp(id, "$1")` adds a dollar. A run that advances, here or in another
   * process (which notices within a second), goes on with it, and calls that wait are looked at again; one that has
   * halted waits to be resumed. `topUp({ scope: "tenant:acme" }, "$1")` raises those of a shared budget.
   *
   * @throws UnknownRunError, RunEndedError; InvalidOptionError when there is no such limit.
   */
  async topUp(target: string | { readonly scope: string }, by: Usd | Budget): Promise<void> {
    const { store, world } = this.#options;
    if (typeof target !== "string") return topUpScope(store, target.scope, limitsOf(by));
    await topUpRun(store, world, checkedRunId(target), limitsOf(by));
    await this.#active.get(target)?.lookForWord();
  }

  /**
   * Takes over the abandoned runs of this pipeline there are now, and goes on with those whose time has come. Returns
   * their handles. Those that sleep on are woken when they are due, unless `takeOver` is false.
   */
  async recover(): Promise<RunHandle<Out>[]> {
    const { store, world } = this.#options;
    const { name } = this.#root.pipeline;
    const mine = new Set(this.#active.keys());
    const abandoned = await abandonedRuns(store, world, name, mine);
    const handles = abandoned.map((runId) => this.#continue(runId, {}, "taken-over"));
    const filter = { status: ["waiting"] as const, pipeline: name, dueBefore: world.now(), limit: mostDue };
    for (const { runId } of await store.list(filter)) handles.push(this.#continue(runId, {}, "woken"));
    await this.#alarm?.look();
    return handles;
  }

  /** The ids of the runs that this process advances now. */
  get running(): readonly string[] {
    return [...this.#active.keys()];
  }

  /**
   * Goes on with one run, as `takeOver` would: for whoever looks for runs of several pipelines at once. The journal says
   * why.
   */
  adopt(runId: string, why: "taken-over" | "woken"): RunHandle<Out> {
    return this.#continue(runId, {}, why);
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
    return this.#within(checkedRunId(runId), allotted(options, this.#options.world.now()));
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
  async advanceAll({ most = 10, ...options }: SweepOptions): Promise<Swept<Out>> {
    const { store, world } = this.#options;
    if (!Number.isSafeInteger(most) || most < 1)
      throw new InvalidOptionError(`most is ${most}; it takes a whole number from 1`);
    const time = allotted(options, world.now());
    const advance = (runId: string): Promise<Advanced<Out>> => this.#within(runId, time);
    return sweep({ store, world, pipeline: this.#root.pipeline.name, time, most, advance });
  }

  async #within(runId: string, time: Allotment): Promise<Advanced<Out>> {
    const { world, version } = this.#options;
    if (this.#active.has(runId)) {
      throw new LeaseHeldError(`run ${runId} is being advanced by this process already`, {
        ...{ runId, retryable: true },
        hint: "Wait for its result.",
      });
    }
    const entrance = async (): Promise<Entrance> => {
      await this.#examine(undefined, []);
      return { runId, why: "advanced", onlyOpen: true, ...(version === undefined ? {} : { version }) };
    };
    const run = this.#activate(runId, undefined, entrance, stintOf(time, world.now()));
    try {
      return { ...(await run.result()), more: false };
    } catch (error) {
      const left = run.letGo(error);
      if (left === undefined) throw error;
      const { spent, resumesAt = 0 } = left;
      const until = resumesAt > world.now() ? { until: new Date(resumesAt) } : {};
      return { status: "running", runId, more: true, spent, ...until };
    }
  }

  /**
   * From now on, every run that is begun or gone on with here has what is left of this time, and is handed over then: for
   * whoever serves several pipelines, as `adopt`.
   */
  limit(time: Allotment): void {
    this.#time = time;
  }

  /** Lets a run of this process go, unfinished and at once, for whoever takes it over. Nothing happens when it has none of that id. */
  letGo(runId: string): void {
    void this.#active.get(runId)?.handOver();
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
    const graceMs = milliseconds(grace);
    this.#close();
    const runs = new Set(this.#active.values());
    const handedOver: string[] = [];
    const cutOff: string[] = [];
    const off = this.#options.world.timer(graceMs, () => {
      for (const run of runs) {
        cutOff.push(run.runId);
        run.cut();
      }
    });
    await Promise.all(
      [...runs].map(async (run) => {
        if (!(await run.depart())) handedOver.push(run.runId);
        runs.delete(run);
      }),
    );
    off();
    return { handedOver, cutOff };
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
    const forkId = options.runId ?? this.#options.world.id();
    return this.#activate(forkId, options.signal, async (): Promise<Entrance> => {
      await this.#makeFork(forkId, checkedRunId(runId), options);
      return { runId: forkId, why: "resumed" };
    });
  }

  async #makeFork(runId: string, from: string, options: ForkOptions): Promise<void> {
    const { store, world, origin, release } = this.#options;
    const { created } = await load(store, from);
    const overlay = options.overlay ?? [];
    const root = await overlaidRoot(this.#root, [...(await overlayOf(created, store)), ...overlay]);
    const limits = given(options.budget ?? this.#options.budget) ?? root.limits;
    const own = options.scopes === undefined ? created?.scopes : options.scopes.map(scopeRecord);
    const scopes = distinct([...(this.#options.scopes ?? []).map(scopeRecord), ...(own ?? [])]);
    await this.#examine(limits, scopes, root);
    const { input } = options;
    await makeFork(
      { root: this.#root, store, world, ttlMs: this.#setting.ttlMs, release },
      {
        runId,
        from,
        at: options.at,
        overlay,
        limits,
        scopes,
        alertAt: percents(this.#options.alertAt),
        origin,
        force: options.forceVersion === true,
        ...(input === undefined ? {} : { input: { value: await this.#forkInput(options.at, input) } }),
      },
    );
  }

  /** Where the point is the whole pipeline, its schema has a say. */
  async #forkInput(at: string, input: unknown): Promise<unknown> {
    return at === this.#root.path ? fittingInput(this.#root, input) : input;
  }

  /**
   * Walks a run again on its record, with today's code, and says what that would do otherwise. What is recorded answers;
   * branches, verdicts, items and requests are made anew and compared. No model, tool or operation is called, and nothing
   * is written.
   *
   * @throws UnknownRunError; InvalidOptionError when the run is of another pipeline.
   */
  async replay(runId: string, options: ReplayOptions = {}): Promise<ReplayReport> {
    const { store, world, models } = this.#options;
    const call = <T>(work: () => T): T => work();
    const enclosure = { within: call, outside: call };
    return await replayRun(
      { root: this.#root, store, world, models, enclosure, ...(await this.stage()) },
      checkedRunId(runId),
      options,
    );
  }

  /**
   * Replays the newest runs of this pipeline, however far they have come: before a new version goes live, whom would it
   * break? A run that was given its id and never began is left out.
   */
  async checkRuns({ runs = 100, ...options }: CheckOptions = {}): Promise<readonly ReplayReport[]> {
    const { name: pipeline } = this.#root.pipeline;
    const reports: ReplayReport[] = [];
    for (const { runId } of await this.#options.store.list({ pipeline, limit: runs }))
      reports.push(await this.replay(runId, options));
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
    this.#close();
    await Promise.all([...this.#active.values()].map((run) => run.handOver()));
    await Promise.all((this.#options.listeners ?? []).map((listener) => listener.leave()));
    await this.#setting.instrument?.flush?.();
  }

  #close(): void {
    this.#disposed = true;
    this.#takeOver?.end();
    this.#alarm?.end();
  }

  /** Tells what is in the store now to whoever listens. A run that one of them stops is cancelled. */
  #tell(runId: string, entries: readonly Entry[]): void {
    const { onEvent, listeners = [] } = this.#options;
    if (onEvent !== undefined) for (const entry of entries) tell(onEvent, eventOf(entry), runId);
    const stop = (reason: string): void => {
      this.cancel(runId, reason).catch(() => {}); // it has ended: there is nothing to stop any more
    };
    for (const listener of listeners) listener.hear(runId, entries, stop);
  }

  /** What a run begins with. */
  async #fresh(runId: string, input: In, options: StartOptions): Promise<Fresh> {
    const limits = given(options.budget ?? this.#options.budget);
    const scopes = scopesOf(this.#options.scopes, options.scopes);
    const overlay = recordedOverlay(this.#root, options.overlay);
    await this.#examine(limits, scopes, await overlaidRoot(this.#root, overlay));
    return {
      input: await this.#inputOf(runId, input),
      state: { ...initialState(this.#root), ...this.#options.state?.(), ...options.state },
      limits: limits ?? this.#root.limits,
      scopes,
      alertAt: percents(this.#options.alertAt),
      overlay,
      isOnlyNew: options.onlyNew ?? false,
    };
  }

  /** The input as the pipeline takes it. None is needed for a run that exists. */
  async #inputOf(runId: string, input: In): Promise<unknown> {
    try {
      return await fittingInput(this.#root, input);
    } catch (misfit) {
      if (input !== undefined) throw misfit;
      const known = await this.#options.store.read(runId, 0, 1);
      if (known === undefined || known.length === 0) throw misfit;
      return undefined;
    }
  }

  /** A model without a price is refused before the run, wherever a limit of cost holds that is known by then. */
  async #examine(
    limits: Limits | undefined,
    scopes: readonly ScopeRecord[],
    root = this.#root,
  ): Promise<void> {
    const { models, store, world } = this.#options;
    const all = [limits ?? root.limits, ...scopes.map((scope) => scope.limits)];
    if (scopes.length > 0) {
      const names = scopes.map((scope) => termsAt(scope, world.now()).scope);
      for (const account of await store.accounts({ scopes: names })) all.push(account.limits);
    }
    await examineModels(root, models, all);
  }

  #continue(runId: string, options: ResumeOptions, why: "resumed" | "taken-over" | "woken"): RunHandle<Out> {
    return this.#activate(runId, options.signal, async (): Promise<Entrance> => {
      const limits = given(options.budget ?? (why === "resumed" ? this.#options.budget : undefined));
      await this.#examine(limits, []);
      const version = options.forceVersion ? "force" : (options.version ?? this.#options.version);
      return {
        ...{ runId, why },
        // What a look had found may have come to stand since: a halted run goes on when somebody resumes it, and not before.
        ...(why === "resumed" ? {} : { onlyOpen: true }),
        ...(version === undefined ? {} : { version }),
        ...(limits ? { limits } : {}),
      };
    });
  }

  /** Resumes a run in the background. One that is coming to stand here at this moment is resumed once it does. */
  #goOn(runId: string): void {
    const before = this.#active.get(runId);
    if (before === undefined) this.resume(runId);
    else
      before.result().then(
        ({ status }) => {
          if (status === "waiting" && !this.#disposed) this.resume(runId);
        },
        () => {}, // its own result tells
      );
  }

  #activate(
    runId: string,
    signal: AbortSignal | undefined,
    entrance: () => Promise<Entrance>,
    stint?: StintTerms,
  ): ActiveRun<Out, State> {
    const known = this.#active.get(runId);
    if (known !== undefined) return known;
    if (this.#disposed) throw new InvalidOptionError("this Flujo is disposed; make a new one");
    const enter = async (): Promise<Entrance> => {
      checkedRunId(runId);
      return entrance();
    };
    const { instrument, root, options } = this.#setting;
    instrument?.enter({ runId, pipeline: root.pipeline.name, node: root.node, store: options.store });
    const limited = stint ?? (this.#time && stintOf(this.#time, options.world.now()));
    const run = new ActiveRun<Out, State>(this.#setting, enter, runId, { signal, stint: limited });
    this.#active.set(runId, run);
    const forget = (): void => {
      this.#active.delete(runId);
      instrument?.leave(runId);
      if (this.#active.size > 0) return;
      this.#takeOver?.rest();
      this.#word.rest();
    };
    if (stint !== undefined) {
      run.result().then(forget, forget); // this process may be gone, or frozen, when it would look after others
      return run;
    }
    run.result().then((result) => {
      forget();
      if (result.status === "waiting" && result.until !== undefined) this.#alarm?.set(result.until.getTime());
    }, forget);
    this.#takeOver?.watch(this.#active);
    return run;
  }
}

/** A listener that throws, or rejects, does not hurt the run. */
function tell(onEvent: NonNullable<FlujoOptions["onEvent"]>, event: RunEvent, runId: string): void {
  try {
    const told: unknown = onEvent(event, runId);
    if (told instanceof Promise) told.catch(() => {});
  } catch {
    // as above
  }
}

/** The shared scopes of a run: the `Flujo`'s and its own, which come before those of the same name. */
function scopesOf(
  all: readonly (string | SharedScope)[] = [],
  own: readonly (string | SharedScope)[] = [],
): readonly ScopeRecord[] {
  return distinct([...all, ...own].map(scopeRecord));
}

const distinct = (scopes: readonly ScopeRecord[]): readonly ScopeRecord[] => [
  ...new Map(scopes.map((scope) => [`${scope.scope} ${scope.per}`, scope])).values(),
];

const given = (budget: Usd | Budget | undefined): Limits | undefined =>
  budget === undefined ? undefined : limitsOf(budget);

/** @throws InvalidOptionError */
function checkPolicy(version: VersionPolicy): void {
  if (["strict", "compatible", "force"].includes(version)) return;
  throw new InvalidOptionError(`version is ${JSON.stringify(version)}`, {
    hint: 'It takes "strict", "compatible" or "force".',
  });
}

function checkedRunId(runId: string): string {
  if (isRunId(runId)) return runId;
  throw new InvalidRunIdError(`${JSON.stringify(runId)} is no run id`, {
    hint: "Use 1 to 128 letters, digits, dots, dashes and underscores; begin with a letter or digit.",
  });
}
