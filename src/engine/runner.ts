import { approvalSchema } from "../core/approval.ts";
import { encode } from "../core/codec.ts";
import { milliseconds } from "../core/duration.ts";
import type { Entry } from "../core/entries.ts";
import { InvalidOptionError, InvalidRunIdError, RunEndedError, SignalRefusedError } from "../core/errors.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import { isEnded, type Question, type RunRecord } from "../core/fold.ts";
import { type Budget, type Limits, limitsOf, type Usd } from "../core/limits.ts";
import type { Place } from "../core/node.ts";
import { outcomeSchema } from "../core/outcome.ts";
import { isRunId, type Path, questionPath } from "../core/paths.ts";
import { check, misfit, type Schema } from "../core/schema.ts";
import { percents, type ScopeRecord, type SharedScope, scopeRecord, termsAt } from "../core/scopes.ts";
import { nodeOf, type Step } from "../core/step.ts";
import { placeAt } from "../core/tree.ts";
import { ActiveRun } from "./active-run.ts";
import { cancelRun } from "./cancel.ts";
import type { Entrance, Setting } from "./enter.ts";
import { oneInstrument } from "./instrumented.ts";
import { load, unknownRun } from "./load.ts";
import type {
  EngineOptions,
  EventsOptions,
  FlujoOptions,
  ResumeOptions,
  RunHandle,
  RunResult,
  StartOptions,
} from "./options.ts";
import { topUpRun, topUpScope } from "./raises.ts";
import { examineModels, fittingInput, initialState, type Root, rootOf } from "./root.ts";
import { firstWanted, followEvents } from "./run-events.ts";
import { TakeOver } from "./take-over.ts";

/** Runs a pipeline: everything `Flujo` does, with its world handed in. */
export class Runner<In, Out, State = unknown> implements AsyncDisposable {
  readonly #root: Root;
  readonly #options: EngineOptions<State>;
  readonly #setting: Setting<State>;
  readonly #active = new Map<string, ActiveRun<Out, State>>();
  readonly #takeOver: TakeOver | undefined;
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
    this.#root = root;
    this.#options = options;
    const instrument = oneInstrument(options.instrument);
    this.#setting = {
      root,
      options,
      ttlMs,
      graceMs: milliseconds(options.grace ?? "30s"),
      instrument,
      onCommit: (runId, entries) => {
        this.#active.get(runId)?.ticker.tick();
        instrument?.committed(runId, entries);
        this.#tell(runId, entries);
      },
    };
    if (options.takeOver ?? true) {
      this.#takeOver = new TakeOver(options.store, options.world, root.pipeline.name, ttlMs, (runId) =>
        this.#continue(runId, {}, "taken-over"),
      );
    }
  }

  /** Starts a run, or goes on with the one of that id. What is wrong shows in `result()`. */
  start(input: In, options: StartOptions = {}): RunHandle<Out> {
    const runId = options.runId ?? this.#options.world.id();
    return this.#activate(runId, options.signal, async (): Promise<Entrance> => {
      const limits = given(options.budget ?? this.#options.budget);
      const state = { ...initialState(this.#root), ...this.#options.state?.(), ...options.state };
      const scopes = scopesOf(this.#options.scopes, options.scopes);
      const alertAt = percents(this.#options.alertAt);
      await this.#examine(limits, scopes);
      const fresh = {
        input: await this.#inputOf(runId, input),
        state,
        limits: limits ?? this.#root.limits,
        scopes,
        alertAt,
      };
      return { runId, why: "started", fresh, ...(limits ? { limits } : {}) };
    });
  }

  /** `start`, and its result. */
  run(input: In, options?: StartOptions): Promise<RunResult<Out>> {
    return this.start(input, options).result();
  }

  /** Goes on with a run that exists: crashed, failed, halted, waiting. A finished one returns its recorded result. */
  resume(runId: string, options: ResumeOptions = {}): RunHandle<Out> {
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
   * Cancels a run, here or in another process (which notices within a second).
   *
   * @throws UnknownRunError, RunEndedError
   */
  async cancel(runId: string, reason = "cancelled"): Promise<void> {
    const here = this.#active.get(runId);
    if (here !== undefined) return here.cancel(reason);
    const { store, world } = this.#options;
    await cancelRun(store, world, checkedRunId(runId), reason, (entries) => this.#tell(runId, entries));
  }

  /**
   * Sends an answer to a place that waits, or will wait, for it, or to a tool of an agent that waits now. Resume the run
   * to let it go on.
   *
   * @throws UnknownRunError, RunEndedError; SignalRefusedError when nothing waits at that path, it has its answer, or
   *   the answer does not fit.
   */
  async signal(runId: string, path: string, payload: unknown): Promise<void> {
    const { store, world } = this.#options;
    const run = await load(store, checkedRunId(runId));
    if (isEnded(run)) throw new RunEndedError(`run ${runId} has ended: it is ${run.status}`, { runId });
    const question = openQuestion(run, path);
    const place = question === undefined ? placeAt(this.#root.node, path) : undefined;
    if (question === undefined && place?.kind !== "humanInTheLoop") {
      const awaited =
        run.awaited.length > 0 ? `It waits at ${run.awaited.join(", ")}.` : "It waits for nothing now.";
      throw new SignalRefusedError(`nothing in run ${runId} waits for an answer at ${path}`, {
        runId,
        path,
        hint: awaited,
      });
    }
    if (run.completed.has(path)) {
      throw new SignalRefusedError(`${path} of run ${runId} has its answer already`, { runId, path });
    }
    const answer = await check(schemaOf(question, place), payload);
    if (!answer.ok) throw new SignalRefusedError(misfit("answer", path, answer.issues), { runId, path });
    const data = encode(payload, `answer to ${path}`, path).json;
    const to = question === undefined ? path : questionPath(path, question.seq);
    if (!(await store.send(runId, { id: world.id(), path: to, data, at: world.now() })))
      throw unknownRun(runId, store);
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

  /** Takes over the abandoned runs of this pipeline there are now. Returns their handles. */
  async recover(): Promise<RunHandle<Out>[]> {
    const { store, world } = this.#options;
    const sweep = new TakeOver(store, world, this.#root.pipeline.name, this.#setting.ttlMs, () => {});
    const abandoned = await sweep.abandoned(new Set(this.#active.keys()));
    return abandoned.map((runId) => this.#continue(runId, {}, "taken-over"));
  }

  /**
   * Stops taking over; hands unfinished runs over to whoever resumes them; gives hooks, sinks and instruments, where there are
   * any, a few seconds for what they are about; closes nothing it was given.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#takeOver?.end();
    await Promise.all([...this.#active.values()].map((run) => run.handOver()));
    await Promise.all((this.#options.listeners ?? []).map((listener) => listener.leave()));
    await this.#setting.instrument?.flush?.();
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
  async #examine(limits: Limits | undefined, scopes: readonly ScopeRecord[]): Promise<void> {
    const { models, store, world } = this.#options;
    const all = [limits ?? this.#root.limits, ...scopes.map((scope) => scope.limits)];
    if (scopes.length > 0) {
      const names = scopes.map((scope) => termsAt(scope, world.now()).scope);
      for (const account of await store.accounts({ scopes: names })) all.push(account.limits);
    }
    await examineModels(this.#root, models, all);
  }

  #continue(runId: string, options: ResumeOptions, why: "resumed" | "taken-over"): RunHandle<Out> {
    return this.#activate(runId, options.signal, async (): Promise<Entrance> => {
      const limits = given(options.budget ?? (why === "resumed" ? this.#options.budget : undefined));
      await this.#examine(limits, []);
      const force = options.forceVersion ? { forceVersion: true } : {};
      return { runId, why, ...force, ...(limits ? { limits } : {}) };
    });
  }

  #activate(
    runId: string,
    signal: AbortSignal | undefined,
    entrance: () => Promise<Entrance>,
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
    const run = new ActiveRun<Out, State>(this.#setting, enter, runId, signal);
    this.#active.set(runId, run);
    const forget = (): void => {
      this.#active.delete(runId);
      instrument?.leave(runId);
      if (this.#active.size === 0) this.#takeOver?.rest();
    };
    run.result().then(forget, forget);
    this.#takeOver?.watch(this.#active);
    return run;
  }
}

/** What an operation asks and has no answer to. */
function openQuestion(run: RunRecord, path: Path): Question | undefined {
  const last = run.questions.get(path)?.at(-1);
  return last?.answer === undefined && !run.completed.has(path) ? last : undefined;
}

function schemaOf(question: Question | undefined, place: Place | undefined): Schema {
  if (question !== undefined) return question.asks === "approval" ? approvalSchema : outcomeSchema;
  return (place?.kind === "humanInTheLoop" ? place.answer : undefined) ?? approvalSchema;
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
  const scopes = new Map(
    [...all, ...own].map(scopeRecord).map((scope) => [`${scope.scope} ${scope.per}`, scope]),
  );
  return [...scopes.values()];
}

const given = (budget: Usd | Budget | undefined): Limits | undefined =>
  budget === undefined ? undefined : limitsOf(budget);

function checkedRunId(runId: string): string {
  if (isRunId(runId)) return runId;
  throw new InvalidRunIdError(`${JSON.stringify(runId)} is no run id`, {
    hint: "Use 1 to 128 letters, digits, dots, dashes and underscores; begin with a letter or digit.",
  });
}
