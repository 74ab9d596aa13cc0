import type { Entry } from "../core/entries.ts";
import { InvalidOptionError, LeaseHeldError } from "../core/errors.ts";
import { refuseBadRunId } from "../ports/store-rules.ts";
import { ActiveRun } from "./active-run.ts";
import { Alarm } from "./alarm.ts";
import { tellAudience } from "./audience.ts";
import { cancelRun } from "./cancel.ts";
import { type Entrance, runExists } from "./enter.ts";
import { examine } from "./examine.ts";
import type { Drained, EngineOptions, ResumeOptions } from "./options.ts";
import type { Root } from "./root.ts";
import { type Setting, settingOf } from "./setting.ts";
import type { StintTerms } from "./stint.ts";
import { abandonedRuns, TakeOver } from "./take-over.ts";
import { limitsOver } from "./terms.ts";
import { type Allotment, stintOf } from "./within.ts";
import { Word } from "./word.ts";

/** Sleeping runs that `recover` goes on with at once; the others follow. */
const mostDue = 1_000;

/** The runs of a pipeline that a process advances now, and what has it go on with others. */
export class Roster<Out, State> {
  readonly setting: Setting<State>;
  readonly #active = new Map<string, ActiveRun<Out, State>>();
  readonly #takeOver: TakeOver | undefined;
  readonly #alarm: Alarm | undefined;
  readonly #word: Word;
  #time: Allotment | undefined;
  #isClosed = false;

  /** @throws InvalidOptionError */
  constructor(root: Root, options: EngineOptions<State>) {
    this.setting = settingOf(root, options, {
      isTold: () => this.#word.isTold,
      onCommit: (runId, entries) => {
        this.#active.get(runId)?.ticker.tick();
        this.setting.instrument?.committed(runId, entries);
        this.#tell(runId, entries);
      },
    });
    const attend = (run: ActiveRun<Out, State> | undefined): void => void run?.lookForWord().catch(() => {}); // it looks again
    this.#word = new Word(options.store, {
      one: (runId) => attend(this.#active.get(runId)),
      all: () => {
        for (const run of this.#active.values()) attend(run);
      },
    });
    if (options.takeOver ?? true) {
      const { store, world } = options;
      const { ttlMs } = this.setting;
      const { name } = root.pipeline;
      const alarm = new Alarm(store, world, name, ttlMs, (runId) => this.goOn(runId, "woken").result());
      const continued = (runId: string) => this.goOn(runId, "taken-over");
      this.#alarm = alarm;
      this.#takeOver = new TakeOver(store, world, name, ttlMs, continued, () => alarm.look());
    }
  }

  /** The ids of the runs on it. */
  get ids(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** The run of that id, where this process advances it. */
  get(runId: string): ActiveRun<Out, State> | undefined {
    return this.#active.get(runId);
  }

  /**
   * Advances a run, as it enters; one that is on the roster is handed out as it is.
   *
   * @param stint the time the run has, where that was given for it alone; then nothing else is looked after.
   */
  activate(
    runId: string,
    signal: AbortSignal | undefined,
    entrance: () => Promise<Entrance>,
    stint?: StintTerms,
  ): ActiveRun<Out, State> {
    const known = this.#active.get(runId);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new InvalidOptionError("this Flujo is disposed; make a new one");
    const enter = async (): Promise<Entrance> => {
      refuseBadRunId(runId);
      return entrance();
    };
    const { instrument, root, options } = this.setting;
    instrument?.enter({ runId, pipeline: root.pipeline.name, node: root.node, store: options.store });
    const limited = stint ?? (this.#time && stintOf(this.#time, options.world.now()));
    const run = new ActiveRun<Out, State>(this.setting, enter, runId, { signal, stint: limited });
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

  /** Of a run that was to be new, and is under way here: one that is refused, once the first is known to have begun. */
  second(runId: string): ActiveRun<Out, State> | undefined {
    const first = this.#active.get(runId);
    if (first === undefined) return undefined;
    const entrance = async (): Promise<never> => {
      await first.begun();
      throw runExists(runId);
    };
    return new ActiveRun<Out, State>(this.setting, entrance, runId, {});
  }

  /** Goes on with a run that exists. */
  goOn(
    runId: string,
    why: "resumed" | "taken-over" | "woken",
    { budget, forceVersion, version, signal }: ResumeOptions = {},
  ): ActiveRun<Out, State> {
    const { options } = this.setting;
    return this.activate(runId, signal, async (): Promise<Entrance> => {
      const limits = limitsOver(why === "resumed" ? options.budget : undefined, budget);
      await examine(this.setting, limits);
      const policy = forceVersion ? "force" : (version ?? options.version);
      return {
        ...{ runId, why },
        // What a look had found may have come to stand since: a halted run goes on when somebody resumes it, and not before.
        ...(why === "resumed" ? {} : { onlyOpen: true }),
        ...(policy === undefined ? {} : { version: policy }),
        ...(limits ? { limits } : {}),
      };
    });
  }

  /** Resumes a run in the background. One that is coming to stand here at this moment is resumed once it does. */
  goOnSoon(runId: string): void {
    const before = this.#active.get(runId);
    if (before === undefined) this.goOn(runId, "resumed");
    else
      before.result().then(
        ({ status }) => {
          if (status === "waiting" && !this.#isClosed) this.goOn(runId, "resumed");
        },
        () => {}, // its own result tells
      );
  }

  /** Goes on with what was abandoned, and with what is due by now. */
  async recover(): Promise<ActiveRun<Out, State>[]> {
    const { root, options } = this.setting;
    const { store, world } = options;
    const { name } = root.pipeline;
    const mine = new Set(this.#active.keys());
    const abandoned = await abandonedRuns(store, world, name, mine);
    const runs = abandoned.map((runId) => this.goOn(runId, "taken-over"));
    const filter = { status: ["waiting"] as const, pipeline: name, dueBefore: world.now(), limit: mostDue };
    for (const { runId } of await store.list(filter)) runs.push(this.goOn(runId, "woken"));
    await this.#alarm?.look();
    return runs;
  }

  /**
   * Cancels a run, whoever advances it; one that has something to undo and is in nobody's hands is gone on with here.
   *
   * @throws UnknownRunError, RunEndedError, InvalidRunIdError; what keeps the run from being advanced.
   */
  async cancel(runId: string, reason: string): Promise<void> {
    const here = this.#active.get(runId);
    if (here !== undefined) return here.cancel(reason);
    refuseBadRunId(runId);
    const { store, world } = this.setting.options;
    const tell = (entries: readonly Entry[]): void => this.#tell(runId, entries);
    if ((await cancelRun(store, world, runId, reason, tell)) !== "left") return;
    try {
      await this.goOn(runId, "resumed").result();
    } catch (error) {
      if (!LeaseHeldError.isInstance(error)) throw error; // somebody else is about it
    }
  }

  /** From now on, every run that comes onto the roster has what is left of this time. */
  limit(time: Allotment): void {
    this.#time = time;
  }

  /** Lets those under way leave between two operations; what is not done after `graceMs` is cut off. Nothing comes on any more. */
  async drain(graceMs: number): Promise<Drained> {
    this.#close();
    const runs = new Set(this.#active.values());
    const handedOver: string[] = [];
    const cutOff: string[] = [];
    const off = this.setting.options.world.timer(graceMs, () => {
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

  /** Hands all runs over, and waits until whoever hears of them has left. */
  async close(): Promise<void> {
    this.#close();
    await Promise.all([...this.#active.values()].map((run) => run.handOver()));
    await Promise.all((this.setting.options.listeners ?? []).map((listener) => listener.leave()));
    await this.setting.instrument?.flush?.();
  }

  #close(): void {
    this.#isClosed = true;
    this.#takeOver?.end();
    this.#alarm?.end();
  }

  /** A run that one of those who hear of it stops is cancelled. */
  #tell(runId: string, entries: readonly Entry[]): void {
    tellAudience(this.setting.options, runId, entries, (reason) => {
      this.cancel(runId, reason).catch(() => {}); // it has ended: there is nothing to stop any more
    });
  }
}
