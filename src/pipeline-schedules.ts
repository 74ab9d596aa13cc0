import { fittingInput, type Root } from "./engine/root.ts";
import type { Store } from "./ports/store.ts";
import type { World } from "./ports/world.ts";
import { changeKnown, removeSchedule, setSchedule } from "./schedules/plan.ts";
import { newSchedule, paused, type ScheduleTerms, unpaused } from "./schedules/schedule.ts";
import { type Starter, startTick } from "./schedules/start-tick.ts";
import { Timetable, type TimetableNews } from "./schedules/timetable.ts";
import { type ScheduleView, scheduleViews } from "./schedules/view.ts";

/** A schedule's terms, and the input of each of its runs. */
export interface ScheduleOptions<In> extends ScheduleTerms {
  readonly input: In;
  /** Who wants it, for `flujo schedule list`. */
  readonly by?: string;
}

export interface FireOptions {
  /** Told what is started, passed over or refused. What it throws is ignored. */
  readonly onNews?: (news: TimetableNews) => void;
}

/** What the schedules of a pipeline need of its `Flujo`. */
export interface Premises {
  readonly root: Root;
  readonly store: Store;
  readonly world: World;
  readonly starter: Starter;
  readonly origin: { readonly file: string; readonly export: string } | undefined;
}

/** The schedules of one pipeline, in its store, for all processes on it: what `flujo.schedules()` resolves to. */
export class Schedules<In> {
  readonly #premises: Premises;
  #timetable: Timetable | undefined;

  /** @internal */
  constructor(premises: Premises) {
    this.#premises = premises;
  }

  /**
   * Makes a schedule that begins now, or gives the one of that name these terms: said at every start of a program, it
   * changes nothing. What has been decided of ticks stays; a new plan counts from now.
   *
   * @throws InvalidOptionError, InvalidInputError; InvalidOptionError for a name that another pipeline's schedule has.
   */
  async set(name: string, { input, by, ...terms }: ScheduleOptions<In>): Promise<void> {
    const { root, store, world, origin } = this.#premises;
    await fittingInput(root, input);
    const { name: pipeline } = root.pipeline;
    const subject = {
      name,
      pipeline,
      input,
      ...(origin === undefined ? {} : { origin }),
      ...(by === undefined ? {} : { by }),
    };
    await setSchedule(store, newSchedule(subject, terms, world.now()));
  }

  /** Those of this pipeline, by name. */
  async list(): Promise<ScheduleView[]> {
    const { root, store, world } = this.#premises;
    const all = await scheduleViews(store, world.now());
    return all.filter(({ pipeline }) => pipeline === root.pipeline.name);
  }

  /** Ticks pass by until it is unpaused; none of them counts as missed. @throws InvalidOptionError for an unknown name. */
  async pause(name: string): Promise<void> {
    await changeKnown(this.#premises.store, name, paused);
  }

  /** @throws InvalidOptionError for an unknown name. */
  async unpause(name: string): Promise<void> {
    const { store, world } = this.#premises;
    await changeKnown(store, name, (schedule) => unpaused(schedule, world.now()));
  }

  /** Runs that it has started go on. @throws InvalidOptionError for an unknown name. */
  async remove(name: string): Promise<void> {
    await removeSchedule(this.#premises.store, name);
  }

  /**
   * Starts a run at each tick of this pipeline's schedules, beginning with what was missed, until the `Flujo` is disposed. Any number of
   * processes may: each tick has one run. Keeps the process. A second call changes nothing.
   *
   * @throws what the store throws.
   */
  async fire({ onNews }: FireOptions = {}): Promise<void> {
    const { root, store, world, starter } = this.#premises;
    if (this.#timetable !== undefined) return;
    this.#timetable = new Timetable({
      store,
      world,
      start: (schedule, tick) => startTick(starter, schedule, tick),
      serves: ({ pipeline }) => pipeline === root.pipeline.name,
      ...(onNews === undefined ? {} : { onNews }),
    });
    await this.#timetable.start();
  }

  /** @internal */
  async stop(): Promise<void> {
    await this.#timetable?.stop();
  }
}
